"""Turns of the sampler and what they put into the mailbox; threads only where they are what is tested."""

import threading
from collections.abc import Callable

from fluvio_cli.top.follow import Follower, Mailbox, Repeated, watch_clusters
from fluvio_cli.top.model import Sample
from fluvio_cli.top.tail import Tail, TailRecord
from fluvio_types.errors import FluvioError

PATIENCE_S = 10.0


class FakeSource:
    """Counts what it is asked for; `error` is what happens next."""

    def __init__(self) -> None:
        self.taken = 0
        self.followed: list[tuple[str, int]] = []
        self.error: Exception | None = None
        self.tail_error: Exception | None = None

    def take(self) -> Sample:
        self.taken += 1
        if self.error is not None:
            raise self.error
        return Sample(float(self.taken), "0.18.2")

    def follow(self, tail: Tail, sample: Sample) -> None:
        self.followed.append((tail.topic, tail.partition))
        if self.tail_error is not None:
            raise self.tail_error
        tail.records.append(TailRecord(len(tail.records), None, "x"))

    def close(self) -> None:
        """Nothing is open."""


def test_a_lost_connection_is_told_the_figures_stay_and_it_goes_on() -> None:
    source, mailbox = FakeSource(), Mailbox()
    follower = Follower(source, mailbox, 1.0)
    follower.turn(True)
    before = mailbox.take()
    assert before.lost == ""
    source.error = FluvioError("no\x1b[2J answer")
    follower.turn(True)
    assert mailbox.take().lost == r"no\u001b[2J answer"
    assert mailbox.take().standing is before.standing
    source.error = None
    follower.turn(True)
    after = mailbox.take()
    assert after.lost == ""
    assert after.standing is not before.standing


def test_another_partition_is_read_at_once_without_a_new_sample() -> None:
    source, mailbox = FakeSource(), Mailbox()
    follower = Follower(source, mailbox, 1.0)
    follower.turn(True)
    follower.follow("t", 1)
    follower.turn(False)
    follower.turn(False)
    tail = mailbox.take().tail
    assert tail is not None
    assert (tail.topic, tail.partition, len(tail.records)) == ("t", 1, 2)
    follower.follow("u", 0)
    source.tail_error = FluvioError("not the leader")
    follower.turn(False)
    tail = mailbox.take().tail
    assert tail is not None
    assert (tail.topic, tail.records, tail.remark) == ("u", (), "not the leader")
    assert source.taken == 1


def test_a_pause_takes_no_samples() -> None:
    source = FakeSource()
    follower = Follower(source, Mailbox(), 1.0)
    follower.pause(True)
    follower.turn(True)
    assert source.taken == 0
    follower.pause(False)
    follower.turn(True)
    assert source.taken == 1


def test_a_mailbox_rings_once_until_somebody_looks() -> None:
    mailbox, rings = Mailbox(), list[str]()
    mailbox.ring = lambda: rings.append("ring")
    mailbox.put(lost="a")
    mailbox.put(lost="b")
    assert len(rings) == 1
    assert mailbox.take().lost == "b"
    mailbox.put(lost="c")
    assert len(rings) == 2


def _wait_for(mailbox: Mailbox, act: Callable[[], None]) -> None:
    rung = threading.Event()
    mailbox.ring = rung.set
    act()
    assert rung.wait(PATIENCE_S)


def test_a_fault_of_ours_ends_the_thread_and_is_handed_on() -> None:
    source, mailbox = FakeSource(), Mailbox()
    source.error = ZeroDivisionError("a bug")
    follower = Follower(source, mailbox, 1.0)
    _wait_for(mailbox, follower.start)
    assert mailbox.take().failure is source.error
    follower.stop()


def test_clusters_are_checked_at_once() -> None:
    mailbox = Mailbox()
    clusters = watch_clusters(list, mailbox, 1.0)
    _wait_for(mailbox, clusters.start)
    assert mailbox.take().clusters == ()
    clusters.stop()


def test_a_nudge_does_not_wait_and_is_not_due() -> None:
    turns: list[bool] = []
    done = threading.Semaphore(0)

    def turn(is_due: bool) -> None:
        turns.append(is_due)
        done.release()

    thread = Repeated("t", 3600.0, turn, lambda _: None)
    thread.start()
    assert done.acquire(timeout=PATIENCE_S)
    thread.nudge()
    assert done.acquire(timeout=PATIENCE_S)
    thread.stop()
    assert turns == [True, False]
