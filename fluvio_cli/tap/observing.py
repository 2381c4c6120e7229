"""From what happened to what is shown, for a tap and a recording alike: conversations and totals."""

from fluvio_cli.tap.conversation import Call, Conversation
from fluvio_cli.tap.events import Closed, Event, Frame, Opened, Shown
from fluvio_cli.tap.totals import Totals


class Observer:
    """Given every event in order; `names`: show frames of these APIs only, None: all and everything else."""

    def __init__(self, names: frozenset[str] | None = None) -> None:
        self.totals = Totals()
        self._names = names
        self._conversations: dict[int, Conversation] = {}
        self._loose: set[tuple[int, str]] = set()  # connections and directions that told of loose bytes

    def take(self, event: Event) -> Shown | None:
        """What there is to show; None: nothing."""
        if isinstance(event, Frame):
            return self._frame(event)
        if isinstance(event, Opened):
            self._conversations[event.connection] = Conversation(event.side, event.server)
        elif isinstance(event, Closed):
            self._conversations.pop(event.connection, None)
            self._loose -= {(event.connection, "request"), (event.connection, "answer")}
        if self._names is not None and isinstance(event, Opened | Closed):
            return None
        return event

    def call_of(self, connection: int, begin: bytes) -> Call | None:
        """The request that an answer with these first bytes belongs to."""
        found = self._conversations.get(connection)
        return None if found is None else found.call_of(begin)

    def _frame(self, frame: Frame) -> Shown | None:
        found = self._conversations.get(frame.connection)
        if found is None or frame.part:
            return None  # what came before it is lost, or its first part was shown
        seen = found.take(frame)
        self.totals.add(seen)
        if frame.is_loose:
            place = (frame.connection, frame.direction)
            if place in self._loose:
                return None
            self._loose.add(place)
        return seen if self._names is None or seen.name in self._names else None
