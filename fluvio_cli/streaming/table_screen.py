"""The terminal while the full table is on it: another screen, keys without Enter, its size and its signals.

What was changed is put back by `close`, whatever ended the command, and while the command is stopped
(Ctrl-Z) or when a signal is about to kill it. Ctrl-C and SIGTERM come as everywhere: see `interrupt`.

A frame is drawn at most every `FRAME_S`, and of it only the lines that are not there already.
"""

import asyncio
import os
import signal
import termios
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

from fluvio_cli.output.full_table_view import KeyReader, Press, TableView

FRAME_S = 0.1
_ESCAPE_S = 0.1  # an Esc that nothing follows for so long was the key, not the start of a sequence
_USUAL_SIZE = 80, 24
_MOST_LINES, _MOST_COLUMNS = 1000, 2000
# Another screen, no cursor, no wrapping of long lines; and back.
_ENTER, _LEAVE = b"\x1b[?1049h\x1b[?25l\x1b[?7l", b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_KEYS_BYTES = 1024
_INPUT_MODES, _LOCAL_MODES, _CHARACTERS = 0, 3, 6  # places in what `tcgetattr` returns


class TableScreen:
    """`open`, `run` as a task, `close`. All in the loop's thread, which is the main one.

    `keyboard` is the descriptor of a terminal, None when there is none. `leave` is called when a key asks for
    it.
    """

    def __init__(
        self,
        view: TableView,
        output: BinaryIO,
        keyboard: int | None,
        leave: Callable[[], None],
        encoding: str = "utf-8",
    ) -> None:
        self._view, self._output, self._keyboard, self._leave = view, output, keyboard, leave
        self._encoding = encoding
        self._is_open = self._is_shown = False
        self._changed = asyncio.Event()
        self._shown: list[str] = []  # the lines on the screen
        self._shown_size = (0, 0)
        self._modes: list[Any] | None = None  # of the terminal, as they were
        self._keys = KeyReader()
        self._escape: asyncio.TimerHandle | None = None
        self._signals: list[int] = []

    def open(self) -> None:
        """Take the terminal."""
        loop = asyncio.get_running_loop()
        self._is_open = True
        self._listen(signal.SIGWINCH, self.changed)
        self._listen(signal.SIGTSTP, self._stop)
        self._listen(signal.SIGCONT, self._continue)
        for number in (signal.SIGHUP, signal.SIGQUIT):
            self._listen(number, partial(self._die, number))
        self._show()
        if self._keyboard is not None:
            loop.add_reader(self._keyboard, self._read_keys)

    def close(self) -> None:
        """Give the terminal back as it was. May be called again."""
        if not self._is_open:
            return
        self._is_open = False
        loop = asyncio.get_running_loop()
        if self._keyboard is not None:
            loop.remove_reader(self._keyboard)
        if self._escape is not None:
            self._escape.cancel()
        for number in self._signals:
            loop.remove_signal_handler(number)
        self._hide()

    def changed(self) -> None:
        """There is something new to draw."""
        self._changed.set()

    async def run(self) -> None:
        """Draw until cancelled. Raises `OSError` when the terminal is gone."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._is_shown:
                self._draw()
            await asyncio.sleep(FRAME_S)

    # --- the terminal's state

    def _show(self) -> None:
        self._is_shown, self._shown = True, []
        if self._keyboard is not None:
            modes = termios.tcgetattr(self._keyboard)
            if self._modes is None:
                self._modes = termios.tcgetattr(self._keyboard)
            modes[_INPUT_MODES] &= ~termios.IXON  # Ctrl-S must not hold the screen
            modes[_LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            modes[_CHARACTERS][termios.VMIN], modes[_CHARACTERS][termios.VTIME] = 1, 0
            termios.tcsetattr(self._keyboard, termios.TCSANOW, modes)
        self._write(_ENTER)
        self.changed()

    def _hide(self) -> None:
        if not self._is_shown:
            return
        self._is_shown = False
        modes, self._modes = self._modes, None
        with suppress(OSError):  # the terminal is gone, and its state with it
            self._write(_LEAVE)
        if self._keyboard is not None and modes is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSANOW, modes)

    def _listen(self, number: int, act: Callable[[], None]) -> None:
        if signal.getsignal(number) is signal.SIG_IGN:  # whoever started us wants it so
            return
        asyncio.get_running_loop().add_signal_handler(number, act)
        self._signals.append(number)

    def _stop(self) -> None:
        self._hide()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        self._show()

    def _die(self, number: int) -> None:
        self.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    # --- keys and frames

    def _read_keys(self) -> None:
        assert self._keyboard is not None
        try:
            data = os.read(self._keyboard, _KEYS_BYTES)
        except OSError:  # the terminal is gone; the signal that says so follows
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._keyboard)
            return
        if self._escape is not None:
            self._escape.cancel()
            self._escape = None
        self._press(self._keys.feed(data))
        if self._keys.is_waiting:
            self._escape = asyncio.get_running_loop().call_later(
                _ESCAPE_S, lambda: self._press(self._keys.flush())
            )

    def _press(self, presses: list[Press]) -> None:
        for press in presses:
            if press is Press.LEAVE:
                self._leave()
                return
            if press is Press.REDRAW:
                self._shown = []
            self._view.press(press)
        self.changed()

    def _draw(self) -> None:
        size = self._size()
        lines = self._view.frame(*size)
        is_anew = size != self._shown_size or len(self._shown) != len(lines)
        text = "\x1b[2J" if is_anew else ""
        text += "".join(
            f"\x1b[{number};1H{line}"
            for number, line in enumerate(lines, 1)
            if is_anew or self._shown[number - 1] != line
        )
        self._shown, self._shown_size = lines, size
        self._write(text.encode(self._encoding, errors="replace"))

    def _size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._output.fileno())
        except OSError:
            columns, lines = _USUAL_SIZE
        if columns <= 0 or lines <= 0:  # a terminal that does not know
            columns, lines = _USUAL_SIZE
        return min(columns, _MOST_COLUMNS), min(lines, _MOST_LINES)

    def _write(self, data: bytes) -> None:
        if data:
            self._output.write(data)
            self._output.flush()
