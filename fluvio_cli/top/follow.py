"""The threads that ask servers, and the picture that waits to be drawn. Knows nothing of how it is drawn."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fluvio_cli.top.model import History, Sample, Standing, shown
from fluvio_cli.top.source import Source
from fluvio_cli.top.tail import Tail, TailRecord
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.profile_check import ProfileCheck

LEAST_CLUSTERS_S = 5.0  # clusters are asked no more often
_FAREWELL_S = 1.0  # how long a thread is waited for that may be waiting for a server


@dataclass(slots=True, frozen=True)
class TailPicture:
    """The records of the partition that is followed."""

    topic: str
    partition: int
    records: Sequence[TailRecord] = ()
    remark: str = ""


@dataclass(slots=True, frozen=True)
class Picture:
    """All that is to be drawn; None: nothing is known yet."""

    standing: Standing | None = None
    tail: TailPicture | None = None
    clusters: "Sequence[ProfileCheck] | None" = None
    lost: str = ""  # why there are no new figures; empty when all is well
    failure: BaseException | None = None  # a fault of this program, with which it ends


class Mailbox:
    """One picture. Whoever changes it rings, unless a ring is still unanswered."""

    def __init__(self) -> None:
        self.ring: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._picture = Picture()
        self._has_rung = False

    def put(self, **changes: Any) -> None:
        """Change fields of the picture, from any thread."""
        with self._lock:
            self._picture = replace(self._picture, **changes)
            rings, self._has_rung = not self._has_rung, True
        if rings:
            self.ring()

    def take(self) -> Picture:
        """The picture as it is now."""
        with self._lock:
            self._has_rung = False
            return self._picture


class Repeated:
    """A thread that does something every `interval_s`, and at once when it is nudged, until it is stopped."""

    def __init__(
        self, name: str, interval_s: float, turn: Callable[[bool], None], on_failure: Callable[[Any], None]
    ) -> None:
        """`turn` is told whether it is due, not only nudged; what it raises ends the thread."""
        self._interval_s, self._turn, self._on_failure = interval_s, turn, on_failure
        self._changed = threading.Condition()
        self._is_stopped = self._is_nudged = False
        # A look-up of a name has no time limit, and must not keep the process.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first turn is due at once."""
        self._thread.start()

    def nudge(self) -> None:
        """Let a turn be done now, which is not due."""
        with self._changed:
            self._is_nudged = True
            self._changed.notify()

    def stop(self) -> None:
        """Do no further turn; one that waits for a server is left behind."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(_FAREWELL_S)

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while self._wait(due):
                now = time.monotonic()
                is_due = now >= due
                if is_due:
                    due = now + self._interval_s
                self._turn(is_due)
        except Exception as exc:  # noqa: BLE001 - whoever draws ends with it
            self._on_failure(exc)

    def _wait(self, due: float) -> bool:
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_stopped or self._is_nudged, max(due - time.monotonic(), 0.0)
            )
            self._is_nudged = False
            return not self._is_stopped


class Follower:
    """Samples a source and follows one partition of it; puts both into a mailbox."""

    def __init__(self, source: Source, mailbox: Mailbox, interval_s: float) -> None:
        """Nothing is asked before `start`."""
        self._source, self._mailbox = source, mailbox
        self._history = History()
        self._sample: Sample | None = None
        self._wanted: tuple[str, int] | None = None
        self._tail: Tail | None = None
        self._is_paused = False
        self._thread = Repeated(
            "top sampler", interval_s, self.turn, lambda failure: mailbox.put(failure=failure)
        )

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._thread.stop()

    def follow(self, topic: str, partition: int) -> None:
        """Show the records of another partition from now on."""
        if self._wanted != (topic, partition):
            self._wanted = topic, partition
            self._thread.nudge()

    def pause(self, is_paused: bool) -> None:
        """Take no new figures, or take them again."""
        self._is_paused = is_paused

    def turn(self, is_due: bool) -> None:
        """One look at the source; runs in the thread."""
        if is_due and self._is_paused:
            return
        try:
            if is_due:
                self._sample = self._source.take()
                self._mailbox.put(standing=self._history.take(self._sample), lost="")
        except FluvioError as exc:
            self._mailbox.put(lost=shown(str(exc)))
            return
        self._follow()

    def _follow(self) -> None:
        wanted, tail = self._wanted, self._tail
        if wanted is None or self._sample is None:
            return
        if tail is None or (tail.topic, tail.partition) != wanted:
            tail = self._tail = Tail(*wanted)
        try:
            self._source.follow(tail, self._sample)
        except FluvioError as exc:
            tail.remark = shown(str(exc))
        picture = TailPicture(tail.topic, tail.partition, tuple(tail.records), tail.remark)
        self._mailbox.put(tail=picture)


def watch_clusters(
    check: "Callable[[], Sequence[ProfileCheck]]", mailbox: Mailbox, interval_s: float
) -> Repeated:
    """A thread, to be started, that puts the states of clusters into the mailbox."""
    return Repeated(
        "top clusters",
        max(interval_s, LEAST_CLUSTERS_S),
        lambda _: mailbox.put(clusters=tuple(check())),
        lambda failure: mailbox.put(failure=failure),
    )
