"""Where an operation tells what it does."""

from typing import Protocol


class Progress(Protocol):
    """Lines for a person who waits."""

    def headline(self, text: str) -> None:
        """Show a line in any case."""

    def step(self, text: str) -> None:
        """Show a line if somebody watches."""
