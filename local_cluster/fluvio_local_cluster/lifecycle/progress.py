"""Where an operation tells what it does."""

from typing import Protocol


class Progress(Protocol):
    """Lines for a person who waits."""

    def headline(self, text: str) -> None:
        """Show a line in any case."""

    def step(self, text: str) -> None:
        """Show a line if somebody watches."""


class Silent:
    """Shows nothing: what it would tell is over in a moment."""

    def headline(self, text: str) -> None:
        """Nothing."""

    def step(self, text: str) -> None:
        """Nothing."""
