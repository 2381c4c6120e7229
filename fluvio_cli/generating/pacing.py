"""How many records are due, counted from the begin, so that late wake-ups do not add up. No clock here."""

import math

MOST_AT_ONCE = 2048  # records that are made before others get their turn
_LEAST_PAUSE_S = 0.002  # at high rates several records are due at a time


class Schedule:
    """`count` records (None: no end), `rate` a second (None: at once). Times in s since the begin."""

    def __init__(self, count: int | None, rate: float | None) -> None:
        self._left, self._rate = count, rate
        self.given = 0

    @property
    def is_over(self) -> bool:
        """Whether all have been given."""
        return self._left == 0

    def due(self, elapsed_s: float) -> int:
        """So many records are to be given now; they count as given."""
        count = MOST_AT_ONCE
        if self._rate is not None:
            count = min(count, math.floor(elapsed_s * self._rate) + 1 - self.given)
        if self._left is not None:
            count = min(count, self._left)
            self._left -= max(count, 0)
        self.given += max(count, 0)
        return max(count, 0)

    def pause_s(self, elapsed_s: float) -> float:
        """How long nothing is due; 0: something is already."""
        if self._rate is None or self.is_over:
            return 0.0
        ahead_s = self.given / self._rate - elapsed_s
        return max(ahead_s, _LEAST_PAUSE_S) if ahead_s > 0 else 0.0
