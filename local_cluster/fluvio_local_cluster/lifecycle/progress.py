"""Where an operation tells what it does."""

from typing import Protocol


class Progress(Protocol):
    """Lines for a person who waits."""

    def headline(self, text: str) -> None:
        """Show a line in any case."""

    def step(self, text: str) -> None:
        """Show a line if somebody watches."""

    def checked(self, name: str, problem: str | None) -> None:
        """Take note of a check that was made before a start; what is shown of it are steps."""


class Silent:
    """Shows nothing: what it would tell is over in a moment."""

    def headline(self, text: str) -> None:
        """Nothing."""

    def step(self, text: str) -> None:
        """Nothing."""

    def checked(self, name: str, problem: str | None) -> None:
        """Nothing."""
