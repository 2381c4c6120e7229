"""The queue between a tap and whoever reads: bounded, in order, and honest about what it dropped."""

import threading
from typing import Any

from fluvio_cli.tap.events import Closed, Lost, cost_of
from fluvio_cli.tap.log import Log

PATIENCE_S = 10.0


def event(number: int) -> Closed:
    return Closed(number, 1, "over")


COST = cost_of(event(0))


class Reader:
    """Takes events; `gate` holds it up at the first."""

    def __init__(self, limit_bytes: int, error: BaseException | None = None) -> None:
        self.taken: list[Any] = []
        self.flushed_after: list[int] = []
        self.gate, self.entered, self.failed = threading.Event(), threading.Event(), threading.Event()
        self.errors: list[BaseException] = []
        self._error = error
        self.log = Log(self._take, self._fail, name="reader", on_idle=self._idle, limit_bytes=limit_bytes)

    def _take(self, taken: Any) -> None:
        self.entered.set()
        if not self.gate.wait(PATIENCE_S):
            raise AssertionError("the gate was never opened")
        if self._error is not None:
            raise self._error
        self.taken.append(taken)

    def _idle(self) -> None:
        self.flushed_after.append(len(self.taken))

    def _fail(self, error: BaseException) -> None:
        self.errors.append(error)
        self.failed.set()


def test_everything_is_taken_in_order_and_flushed_at_the_end() -> None:
    reader = Reader(limit_bytes=1000 * COST)
    reader.gate.set()
    for number in range(100):
        reader.log.put(event(number))
    assert reader.log.close(PATIENCE_S)
    assert reader.taken == [event(number) for number in range(100)]
    assert reader.flushed_after[-1] == 100


def test_what_there_is_no_room_for_is_dropped_counted_and_told_in_its_place() -> None:
    reader = Reader(limit_bytes=3 * COST)
    reader.log.put(event(0))
    assert reader.entered.wait(PATIENCE_S)  # it waits with the first, which is out of the queue
    for number in range(1, 10):
        reader.log.put(event(number))
    reader.gate.set()
    assert reader.log.close(PATIENCE_S)
    assert reader.taken == [event(0), event(1), event(2), event(3), Lost(6, 6 * COST)]


def test_a_reader_that_takes_nothing_does_not_keep_the_tap() -> None:
    reader = Reader(limit_bytes=3 * COST)
    reader.log.put(event(0))
    assert reader.entered.wait(PATIENCE_S)
    assert not reader.log.close(0.0)
    reader.gate.set()
    assert reader.log.close(PATIENCE_S)


def test_an_error_of_the_reader_is_told_to_the_owner() -> None:
    error = BrokenPipeError()
    reader = Reader(limit_bytes=3 * COST, error=error)
    reader.gate.set()
    reader.log.put(event(0))
    assert reader.failed.wait(PATIENCE_S)
    assert reader.errors == [error]
    assert reader.log.close(PATIENCE_S)
