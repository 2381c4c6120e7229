"""Where text goes: data to standard output, all else to standard error, colour only on terminals."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from fluvio_cli.output.status_line import StatusLine

_CI_VARIABLES = ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION", "GITLAB_CI")
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
        self._status: StatusLine | None = None  # what is waited for, while it is shown
        # A CI system that takes words in a job's output for commands: `reports.annotations.System`.
        self._is_read_by_ci = any(environment.get(name) for name in _CI_VARIABLES)

    @property
    def shows_progress(self) -> bool:
        """Whether a person watches who wants to see what goes on, on a terminal that can draw it."""
        return self.stderr_is_terminal and not self.is_quiet and not self._is_dumb

    @contextmanager
    def busy(self, tell: Callable[[], str] | str) -> Iterator[None]:
        """While the block runs, say on a terminal what it waits for: see `StatusLine`.

        `tell` gives the text anew each time it is drawn. Blocks may be nested: the innermost counts. All
        text has to go through this printer, or be written in a `still` block.
        """
        if not self.shows_progress:
            yield
            return
        from fluvio_cli.output.status_line import StatusLine

        text = tell if callable(tell) else lambda: tell
        if self._status is not None:
            with self._status.telling(text):
                yield
            return
        with StatusLine(self.stderr, text) as self._status:
            try:
                yield
            finally:
                self._status = None

    @contextmanager
    def still(self) -> Iterator[None]:
        """While the block runs draw nothing, whatever is waited for: see `StatusLine.aside`."""
        if self._status is None:
            yield
            return
        with self._status.aside():
            yield

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
        with self.still():
            self.stdout.write(text)

    def message(self, text: str) -> None:
        """Print a line that tells the outcome, to standard output as the official tool does."""
        self.data(f"{text}\n")

    def note(self, text: str) -> None:
        """Print a line to standard error, unless `--quiet` was given."""
        if not self.is_quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Print why the command fails to standard error."""
        with self.still():
            self.flush()
            self.stderr.write(f"{self.foreign(text)}\n")

    def foreign(self, text: str) -> str:
        """`text`, of which parts may come from servers, so that a CI system finds no commands in it."""
        if not self._is_read_by_ci:
            return text
        from fluvio_cli.reports.annotations import harmless

        return harmless(text)

    def workflow(self, text: str) -> None:
        """Print a command for the CI system to standard error, as it is; it brings its own line ends."""
        with self.still():
            self.flush()
            self.stderr.write(text)
            self.stderr.flush()

    def hint(self, text: str) -> None:
        """Print a line to standard error if a person watches; scripts compare the exact output."""
        if self.stderr_is_terminal:
            self.note(text)

    def progress(self, text: str) -> None:
        """Print a line to standard error on a terminal, or where `CI` is set or `--verbose` was given."""
        if self.stderr_is_terminal or self._plain_progress or self.is_verbose:
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
