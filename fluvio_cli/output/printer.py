"""Where text goes: data to standard output, all else to standard error, colour only on terminals."""

from collections.abc import Mapping
from typing import TextIO

_STYLES = {"green": "32", "yellow": "33", "red": "1;31", "bold": "1"}


class Printer:
    """Writes the results and remarks of one invocation."""

    def __init__(self, stdout: TextIO, stderr: TextIO, environment: Mapping[str, str]) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.stdout_is_terminal, self.stderr_is_terminal = stdout.isatty(), stderr.isatty()
        self._is_dumb = environment.get("TERM") == "dumb"
        self._colour = not environment.get("NO_COLOR") and not self._is_dumb
        self._plain_progress = "CI" in environment
        self.is_quiet = self.is_verbose = False  # `--quiet`, `--verbose`
        self.errors_as_json = False  # `-O json` was asked for

    @property
    def shows_progress(self) -> bool:
        """Whether a person watches who wants to see what goes on."""
        return self.stderr_is_terminal and not self.is_quiet

    @property
    def shows_colours(self) -> bool:
        """Whether standard output shows colours."""
        return self._colour and self.stdout_is_terminal

    @property
    def takes_screen(self) -> bool:
        """Whether standard output is a terminal that can be drawn on."""
        return self.stdout_is_terminal and not self._is_dumb

    def data(self, text: str) -> None:
        """Print text that is the result, as it is; it brings its own line ends."""
        self.stdout.write(text)

    def message(self, text: str) -> None:
        """Print a line that tells the outcome, to standard output as the official tool does."""
        self.stdout.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Print a line to standard error, unless `--quiet` was given."""
        if not self.is_quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Print why the command fails to standard error."""
        self.flush()
        self.stderr.write(f"{text}\n")

    def hint(self, text: str) -> None:
        """Print a line to standard error if a person watches; scripts compare the exact output."""
        if self.stderr_is_terminal:
            self.note(text)

    def progress(self, text: str) -> None:
        """Print a line to standard error on a terminal, or plainly where `CI` is set."""
        if self.stderr_is_terminal or self._plain_progress:
            self.note(text)
            self.stderr.flush()

    def styled(self, text: str, style: str) -> str:
        """`text` in a style (`green`, `yellow`, `red`, `bold`) if standard output shows colours."""
        if not self.shows_colours:
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def flush(self) -> None:
        """Pass on what was written to standard output; raises `BrokenPipeError`."""
        self.stdout.flush()
