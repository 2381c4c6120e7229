"""How far a transfer is, on a terminal: records so far, and how fast they go."""

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluvio_cli.output.printer import Printer

_EVERY_S = 0.2


class ProgressLine:
    """One line of standard error that is written over again; nothing where nobody watches."""

    def __init__(self, printer: "Printer") -> None:
        self._printer = printer
        self._began = self._shown_at = monotonic()
        self._is_shown = False
        self.records = 0

    def add(self, records: int) -> None:
        """So many more."""
        self.records += records
        now = monotonic()
        if self._printer.shows_progress and now - self._shown_at >= _EVERY_S:
            self._shown_at, self._is_shown = now, True
            rate = self.records / max(now - self._began, 0.001)
            self._printer.stderr.write(f"\r\x1b[2K{self.records:,} records, {rate:,.0f} a second")
            self._printer.stderr.flush()

    def erase(self) -> None:
        """Leave the line as it was before."""
        if self._is_shown:
            self._printer.stderr.write("\r\x1b[2K")
            self._printer.stderr.flush()
            self._is_shown = False
