"""The store of consumers' offsets on a real log: any history against a dict, moved clocks, writes counted."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.offset_store import OffsetStore, TopicReplacedError
from fluvio_local_cluster.spu.replica.consumer_offsets import ConsumerKey
from fluvio_local_cluster.storage import (
    LogSettings,
    MessageTooLargeError,
    OpenFiles,
    ReplicaLog,
    RetentionRules,
)
from fluvio_protocol.batch import split
from tests.support.faulty_files import FaultyFiles
from tests.support.record_sets import read_all
from tests.support.scripted_sc import replica

DAY_S = 86_400
TTL_S = 30 * DAY_S
START_S = 1_800_000_000.0
TOPICS = ("t", "u")


class UnsyncedFiles(FaultyFiles):
    """Nothing here is about what reaches the disk, and rolls are many."""

    def fsync(self, fd: int) -> None:
        pass


class Keeper:
    """A store, its log, and the clocks, moved by the test. The log can be closed, killed and opened again."""

    def __init__(self, directory: Path, segment_bytes: int = 1024, ttl_s: int = TTL_S) -> None:
        self.directory, self.ttl_s = directory, ttl_s
        self.settings = LogSettings(
            segment_bytes=segment_bytes, retention=RetentionRules(retention_s=7 * DAY_S, max_bytes=4096)
        )
        self.wall_s, self.steady_s = START_S, 1000.0
        self.incarnations = {(topic, 0): f"{topic} 1" for topic in TOPICS}
        self.runner = asyncio.Runner()
        self.files = UnsyncedFiles()
        self.open()

    def open(self) -> None:
        self.log = ReplicaLog.open(
            self.directory,
            self.settings,
            open_files=OpenFiles(files=self.files),
            clock=lambda: self.wall_s,
            single_replica=True,
        )
        self.leader = LeaderReplica(replica("consumer-offset"), self.log, lambda leader: None)
        self.store = OffsetStore(
            self.incarnations, self.ttl_s, lambda: self.wall_s, lambda: self.steady_s, pace_s=0.0
        )
        self.run(self.store.opened(self.leader))
        self.run(self.store.flush())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.runner.run(work)

    def change(self, *changes: tuple[ConsumerKey, int | None], incarnation: str | None = None) -> None:
        """Commit (or delete: None) all at once, and write them."""

        async def all_of_them() -> None:
            async with asyncio.TaskGroup() as group:
                for key, offset in changes:
                    if offset is None:
                        group.create_task(self.store.delete(key))
                    else:
                        group.create_task(self.store.commit(key, offset, incarnation))
                group.create_task(self.store.flush())

        self.run(all_of_them())

    def forget_strangers(self) -> None:
        """As after each push of the SC."""

        async def forget() -> None:
            self.store.forget_strangers()
            await self.store.flush()

        self.run(forget())

    def wait(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds

    def clean(self) -> None:
        """As `Upkeep` does every 10 s."""
        self.log.clean(self.wall_s, self.steady_s, keep_from=self.leader.keep_from)
        self.store.cleaned(self.leader)
        self.run(self.store.flush())

    def reopen(self, *, orderly: bool) -> None:
        if orderly:
            self.log.close()
        else:
            self.log.abandon()
        self.open()

    def offsets(self) -> dict[ConsumerKey, int]:
        """What a consumer is told."""
        found = self.store.listed(None, [(topic, 0) for topic in TOPICS])
        return {(c.replica_id.topic, c.replica_id.partition, c.consumer_id): c.offset for c in found}

    def close(self) -> None:
        self.log.abandon()
        self.runner.close()


def consumer(name: str, topic: str = "t") -> ConsumerKey:
    return (topic, 0, name)


# --- any history against a dict ----------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c", "long" * 30, *(f"n{i}" for i in range(12))])
keys = st.builds(consumer, names, st.sampled_from(TOPICS))


class StoreMachine(RuleBasedStateMachine):
    """The model is `model`: what was committed last, and when. Only age, deletions and new topics take it."""

    directory: Path  # set by the test below; each run takes a new folder in it
    runs = 0

    @initialize(segment=st.integers(400, 3000))
    def begin(self, segment: int) -> None:
        StoreMachine.runs += 1
        self.keeper = Keeper(self.directory / f"run-{StoreMachine.runs}", segment)
        self.model: dict[ConsumerKey, tuple[int, float]] = {}
        self.lives = 1

    @rule(changes=st.lists(st.tuples(keys, st.integers(0, 1 << 40)), min_size=1, max_size=30))
    def commit(self, changes: list[tuple[ConsumerKey, int]]) -> None:
        self.keeper.change(*changes)
        for key, offset in changes:
            self.model[key] = (offset, self.keeper.wall_s)

    @rule(key=keys, count=st.integers(1, 120))
    def commit_one_by_one(self, key: ConsumerKey, count: int) -> None:
        for offset in range(count):
            self.keeper.change((key, offset))
        self.model[key] = (count - 1, self.keeper.wall_s)

    @rule(key=keys)
    def delete(self, key: ConsumerKey) -> None:
        self.keeper.change((key, None))
        self.model.pop(key, None)

    @rule(topic=st.sampled_from(TOPICS), is_away=st.booleans())
    def make_a_topic_again(self, topic: str, is_away: bool) -> None:
        self.lives += 1
        if is_away:
            self.keeper.log.abandon()
        self.keeper.incarnations[topic, 0] = f"{topic} {self.lives}"
        if is_away:
            self.keeper.open()
        self.keeper.forget_strangers()
        self.model = {key: entry for key, entry in self.model.items() if key[0] != topic}

    @rule(days=st.sampled_from([0.1, 1, 5, 20]))
    def wait_and_clean(self, days: float) -> None:
        self.keeper.wait(days * DAY_S)
        self.keeper.clean()
        self.keeper.clean()

    @rule(orderly=st.booleans())
    def reopen(self, orderly: bool) -> None:
        self.keeper.reopen(orderly=orderly)

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        if not hasattr(self, "keeper"):
            return
        found, now_s = self.keeper.offsets(), self.keeper.wall_s
        for key, (_, stored_s) in list(self.model.items()):
            if key not in found and stored_s < now_s - TTL_S:
                del self.model[key]  # it has expired, and does not come back
        assert found == {key: offset for key, (offset, _) in self.model.items()}

    def teardown(self) -> None:
        if hasattr(self, "keeper"):
            self.keeper.close()


def test_any_history_leaves_what_was_committed_last(tmp_path: Path) -> None:
    StoreMachine.directory = tmp_path
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=int(os.environ.get("FLUVIO_TEST_EXAMPLES", "30")),
            stateful_step_count=25,
            deadline=None,
            derandomize=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- one by one --------------------------------------------------------------------------------------------


@pytest.fixture
def make_keeper(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Keeper]:
    def make(**more: Any) -> Keeper:
        keeper = Keeper(tmp_path / "consumer-offset-0", **more)
        request.addfinalizer(keeper.close)
        return keeper

    return make


def test_each_segment_begins_with_all_that_lives(make_keeper: Callable[..., Keeper]) -> None:
    keeper = make_keeper()
    keeper.change((consumer("sleeps"), 7))
    for i in range(300):
        keeper.change((consumer("works"), i))
        assert keeper.leader.keep_from is not None
        assert keeper.leader.keep_from >= keeper.log.active_base_offset
    keeper.clean()
    assert keeper.log.log_start > 200  # retention is free to take all but the last segments
    assert keeper.log.size_bytes <= 4096
    for orderly in (True, False):
        keeper.reopen(orderly=orderly)
        assert keeper.offsets() == {consumer("sleeps"): 7, consumer("works"): 299}


def test_a_segment_that_is_closed_for_its_age_is_followed_by_a_checkpoint(
    make_keeper: Callable[..., Keeper],
) -> None:
    keeper = make_keeper(ttl_s=0)
    keeper.change((consumer("sleeps"), 7))
    for _ in range(100):  # a year
        keeper.wait(3.65 * DAY_S)
        keeper.clean()
    assert keeper.log.log_start > 50
    assert keeper.offsets() == {consumer("sleeps"): 7}
    keeper.reopen(orderly=False)
    assert keeper.offsets() == {consumer("sleeps"): 7}


def test_a_table_too_large_for_a_batch_is_repeated_in_several(make_keeper: Callable[..., Keeper]) -> None:
    keeper = make_keeper(segment_bytes=2048)
    wanted = {consumer(f"consumer {i}"): i for i in range(200)}
    keeper.change(*wanted.items())
    for key in list(wanted)[:50]:
        keeper.change((key, None))
        del wanted[key]
    for _ in range(10):
        keeper.wait(2 * DAY_S)
        keeper.clean()
    assert keeper.log.log_start > 0
    for orderly in (False, True):
        keeper.reopen(orderly=orderly)
        assert keeper.offsets() == wanted


def test_a_crash_amid_a_large_checkpoint_loses_nothing(make_keeper: Callable[..., Keeper]) -> None:
    wanted = {consumer(f"consumer {i}"): i for i in range(200)}
    keeper = make_keeper(segment_bytes=2048)
    keeper.change(*wanted.items())
    for space in range(0, 14_000, 1_500):  # all of it has 12,000 bytes
        keeper.wait(2 * DAY_S)
        keeper.log.clean(
            keeper.wall_s, keeper.steady_s, keep_from=keeper.leader.keep_from
        )  # closes a segment
        keeper.files.space = space
        keeper.run(keeper.store.flush())
        keeper.files.space = None
        keeper.reopen(orderly=False)
        assert keeper.offsets() == wanted


def test_an_offset_expires_so_long_after_its_last_commit(make_keeper: Callable[..., Keeper]) -> None:
    keeper = make_keeper()
    keeper.change((consumer("leaves"), 1), (consumer("stays"), 1))
    for _ in range(16):
        keeper.wait(2 * DAY_S)
        keeper.change((consumer("stays"), 1))
        keeper.clean()
    assert keeper.offsets() == {consumer("stays"): 1}
    keeper.reopen(orderly=False)
    assert keeper.offsets() == {consumer("stays"): 1}


@pytest.mark.parametrize("ttl_s", [0, 31 * DAY_S])
def test_an_offset_does_not_expire_before_its_time(make_keeper: Callable[..., Keeper], ttl_s: int) -> None:
    keeper = make_keeper(ttl_s=ttl_s)
    keeper.change((consumer("sleeps"), 1))
    for _ in range(15):
        keeper.wait(2 * DAY_S)
        keeper.clean()
    assert keeper.offsets() == {consumer("sleeps"): 1}


def test_a_clock_that_jumps_makes_nothing_expire_until_it_is_believed(
    make_keeper: Callable[..., Keeper],
) -> None:
    keeper = make_keeper()
    keeper.change((consumer("sleeps"), 1))

    def checkpoint() -> None:
        base = keeper.log.active_base_offset
        while keeper.log.active_base_offset == base:
            keeper.change((consumer("works"), 1))

    keeper.wall_s += 100 * DAY_S
    checkpoint()
    assert consumer("sleeps") in keeper.offsets()
    keeper.wait(1800)
    checkpoint()
    assert consumer("sleeps") in keeper.offsets()
    keeper.wait(1900)
    checkpoint()
    assert keeper.offsets() == {consumer("works"): 1}


def test_an_offset_of_an_earlier_topic_of_that_name_is_refused(make_keeper: Callable[..., Keeper]) -> None:
    keeper = make_keeper()
    keeper.change((consumer("c"), 5), incarnation="t 1")
    keeper.incarnations["t", 0] = "t 2"
    assert keeper.offsets() == {}  # also before it is removed
    assert keeper.store.get(consumer("c")) is None
    with pytest.raises(ExceptionGroup) as caught:
        keeper.change((consumer("c"), 6), incarnation="t 1")
    assert caught.group_contains(TopicReplacedError)
    keeper.change((consumer("c"), 0), incarnation="t 2")
    keeper.forget_strangers()
    keeper.reopen(orderly=False)
    assert keeper.offsets() == {consumer("c"): 0}


def test_a_consumer_id_too_long_for_a_segment_fails_alone(make_keeper: Callable[..., Keeper]) -> None:
    keeper = make_keeper()
    with pytest.raises(ExceptionGroup) as caught:
        keeper.change((consumer("x" * 2000), 1), (consumer("c"), 2))
    assert caught.group_contains(MessageTooLargeError)
    assert keeper.offsets() in ({consumer("c"): 2}, {})  # its task may have been cancelled with the other
    keeper.change((consumer("c"), 3))
    assert keeper.offsets() == {consumer("c"): 3}


def test_commits_within_ten_milliseconds_share_a_batch_and_a_lone_one_does_not_wait(tmp_path: Path) -> None:
    async def body() -> None:
        log = ReplicaLog.open(tmp_path / "consumer-offset-0", LogSettings(), single_replica=True)
        leader = LeaderReplica(replica("consumer-offset"), log, lambda leader: None)
        store = OffsetStore({}, pace_s=3600.0)  # for ever, as far as this test goes
        await store.opened(leader)
        async with asyncio.TaskGroup() as group:
            await store.flush()
            running = group.create_task(store.run())
            async with asyncio.timeout(10):
                await store.commit(consumer("first"), 1)
            waiting = [group.create_task(store.commit(consumer(f"c{i}"), i)) for i in range(100)]
            for _ in range(50):  # many turns of the loop, and none of them writes
                await asyncio.sleep(0)
            assert log.leo == 1
            running.cancel()
            await store.flush()  # as at the end of the pause
            await asyncio.wait(waiting)
        with log.read(1, 1 << 20, log.leo) as piece:
            headers = split(piece.read_bytes())
        assert [header.record_count for header in headers] == [100]
        assert len(read_all(log)) == 101
        log.abandon()

    asyncio.run(body())


def test_a_deleted_offset_is_gone_at_once_and_not_only_when_that_is_written(
    make_keeper: Callable[..., Keeper],
) -> None:
    keeper = make_keeper()
    keeper.change((consumer("a"), 1), (consumer("b"), 2))

    async def delete_and_look() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(keeper.store.delete(consumer("a")))
            await asyncio.sleep(0)
            assert keeper.log.leo == before
            assert keeper.store.get(consumer("a")) is None
            assert keeper.offsets() == {consumer("b"): 2}
            group.create_task(keeper.store.flush())

    before = keeper.log.leo
    keeper.run(delete_and_look())
    assert keeper.log.leo > before
    assert keeper.offsets() == {consumer("b"): 2}
