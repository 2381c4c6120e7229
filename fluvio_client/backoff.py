"""How long to pause between attempts. Pure."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Pauses that grow by `factor` from `first_s` to `most_s` (seconds)."""

    first_s: float
    factor: float
    most_s: float
    _next_s: float = field(default=0.0, init=False)

    def next_s(self) -> float:
        """The pause before the next attempt."""
        pause = self._next_s or self.first_s
        self._next_s = min(pause * self.factor, self.most_s)
        return min(pause, self.most_s)

    def reset(self) -> None:
        """An attempt succeeded: begin small again."""
        self._next_s = 0.0
