"""A program that draws on the whole terminal, and somebody who looks at it and presses keys."""

import re
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pexpect

from tests.support.terminal import PATIENCE_S, Line, Screen

_IS_CUT = re.compile(r"\x1b(?:\[[^a-zA-Z]*|\][^\x07\x1b]*)?\Z")  # a sequence that goes on in the next piece


class FullScreen:
    """Leave the `with` block, and the program is gone."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        size: tuple[int, int],
    ) -> None:
        """`size` is columns, rows. The program begins once the terminal's modes are known."""
        columns, rows = size
        self.screen = Screen(columns, rows, is_whole=True)
        self._cut = ""
        self.printed = ""  # all of it
        self._child: pexpect.spawn[str] = pexpect.spawn(
            "/bin/sh",
            ["-c", 'read go; exec "$0" "$@"', *command],
            cwd=str(directory),
            env=dict(environment),
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=PATIENCE_S,
            echo=False,
        )
        self._modes = self._modes_now()
        self._child.sendline("go")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    def text(self) -> str:
        """What is to be seen."""
        return "\n".join("".join(stretch.text for stretch in line) for line in self.screen.lines())

    def see(self, is_there: Callable[[str], Any]) -> list[Line]:
        """Wait until the screen's text is so. Raises `AssertionError` when it is not within a minute."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_there(self.text()):
            try:
                self._read(max(0.0, deadline - time.monotonic()))
            except pexpect.ExceptionPexpect as exc:
                raise AssertionError(f"{type(exc).__name__}; the screen shows:\n{self.text()}") from exc
        return self.screen.lines()

    def press(self, keys: str) -> None:
        """Type."""
        self._child.send(keys)

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self._child.kill(number)

    def end(self) -> int | None:
        """Wait for its end; the exit code, None: a signal. The terminal has to be as it was."""
        while True:
            try:
                self._read()
            except pexpect.EOF:
                break
        assert self._modes_now() == self._modes, "the terminal's modes were not restored"
        self._child.close()
        return self._child.exitstatus

    def _read(self, patience_s: float = PATIENCE_S) -> None:
        piece: str = self._child.read_nonblocking(65_536, patience_s)
        self.printed += piece
        text, self._cut = self._cut + piece, ""
        found = _IS_CUT.search(text)
        if found is not None:
            text, self._cut = text[: found.start()], found[0]
        self.screen.write(text)

    def _modes_now(self) -> list[Any]:
        return termios.tcgetattr(self._child.child_fd)
