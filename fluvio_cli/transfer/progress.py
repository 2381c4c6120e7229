"""How far a transfer is, for the line that a terminal shows: records so far, and how fast they go."""

from time import monotonic


class Tally:
    """Counts records; `tell` is for `Printer.busy`."""

    def __init__(self) -> None:
        self._began = monotonic()
        self.records = 0

    def add(self, records: int) -> None:
        """So many more."""
        self.records += records

    def tell(self) -> str:
        """`1,000 records, 500 a second`."""
        if not self.records:
            return "connecting, and looking where to begin"
        rate = self.records / max(monotonic() - self._began, 0.001)
        return f"{self.records:,} records, {rate:,.0f} a second"
