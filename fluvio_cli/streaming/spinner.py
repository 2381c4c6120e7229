"""A sign of life on a terminal while `consume` waits for records."""

import asyncio
from typing import TextIO

_FRAMES = "⠁⠉⠙⠚⠒⠂⠂⠒⠲⠴⠤⠄⠄⠤⠠⠠⠤⠦⠖⠒⠐⠐⠒⠓⠋⠉⠈⠈"
_FRAME_S = 0.1
_ERASE = "\r\x1b[2K"


class Spinner:
    """Drawn by `run`, taken away by `hide` before anything else is printed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._is_drawn = stream, False

    async def run(self) -> None:
        """Draw until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(_FRAME_S)
            self._stream.write(f"\r{_FRAMES[turn % len(_FRAMES)]}")
            self._stream.flush()
            self._is_drawn = True
            turn += 1

    def hide(self) -> None:
        """Leave the line as it was before."""
        if self._is_drawn:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._is_drawn = False
