"""Syncing a replica as a policy says, with fsyncs that end when the test lets them."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from fluvio_local_cluster.spu.disk_sync import DiskSync
from fluvio_local_cluster.storage import LogClosedError, StorageError, StorageSyncError, SyncPolicy

ALWAYS = SyncPolicy.parse("always")


class ByHand(Executor):
    """Begins what it is given, and is told how it ends."""

    def __init__(self) -> None:
        self.begun: list[Future[Any]] = []
        self.began = asyncio.Event()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.begun.append(future)
        self.began.set()
        return future


class Log:
    """As much of a log as is looked at."""

    synced_leo = 0
    must_reopen = False
    unsynced_bytes = 0

    def sync(self) -> int:
        raise AssertionError("runs in no thread here")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def outcome(disk: DiskSync, leo: int) -> StorageError | None:
    try:
        await disk.wait(leo)
    except StorageError as exc:
        return exc
    return None


Body = Callable[[DiskSync, ByHand, Log, list[int | None]], Awaitable[None]]


def run(body: Body, policy: SyncPolicy = ALWAYS) -> None:
    async def main() -> None:
        log, threads, seen = Log(), ByHand(), list[int | None]()
        await body(DiskSync(log, policy, threads, seen.append), threads, log, seen)  # type: ignore[arg-type]

    asyncio.run(main())


def test_one_fsync_answers_for_all_appends_before_it_and_the_next_for_those_during_it() -> None:
    async def body(disk: DiskSync, threads: ByHand, log: Log, seen: list[int | None]) -> None:
        async with asyncio.TaskGroup() as group:
            disk.appended(1)
            first = group.create_task(disk.wait(1))
            await settle()
            later = []
            for leo in (2, 3, 4):
                disk.appended(leo)
                later.append(group.create_task(disk.wait(leo)))
            await settle()
            assert len(threads.begun) == 1
            threads.begun[0].set_result(1)
            await settle()
            assert first.done()
            assert not any(task.done() for task in later)
            assert len(threads.begun) == 2
            threads.begun[1].set_result(4)
        assert seen == [1, 4]
        assert len(threads.begun) == 2
        await disk.wait(4)

    run(body)


def test_who_waits_for_an_fsync_that_fails_is_told_and_no_other_is_begun() -> None:
    async def body(disk: DiskSync, threads: ByHand, log: Log, seen: list[int | None]) -> None:
        disk.appended(1)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(outcome(disk, 1))
            await settle()
            log.must_reopen = True
            threads.begun[0].set_exception(StorageSyncError("broken", 5))
        assert isinstance(waiting.result(), StorageSyncError)
        assert (seen, len(threads.begun)) == ([None], 1)

    run(body)


def test_the_end_of_the_replica_ends_waiting_and_a_late_result_does_no_harm() -> None:
    async def body(disk: DiskSync, threads: ByHand, log: Log, seen: list[int | None]) -> None:
        disk.appended(1)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(outcome(disk, 1))
            await settle()
            disk.end()
        assert isinstance(waiting.result(), LogClosedError)
        with pytest.raises(StorageError):
            await disk.wait(2)
        threads.begun[0].set_result(1)
        disk.appended(3)
        await settle()
        assert len(threads.begun) == 1

    run(body)


def test_a_producer_that_leaves_does_not_disturb_the_others() -> None:
    async def body(disk: DiskSync, threads: ByHand, log: Log, seen: list[int | None]) -> None:
        disk.appended(2)
        async with asyncio.TaskGroup() as group:
            leaves, stays = (group.create_task(outcome(disk, leo)) for leo in (1, 2))
            await settle()
            leaves.cancel()
            await settle()
            threads.begun[0].set_result(2)
        assert leaves.cancelled()
        assert stays.result() is None

    run(body)


def test_with_an_interval_nobody_waits_and_many_appends_make_one_fsync() -> None:
    async def body(disk: DiskSync, threads: ByHand, log: Log, seen: list[int | None]) -> None:
        for leo in range(1, 100):
            disk.appended(leo)
            await disk.wait(leo)
        assert threads.begun == []
        async with asyncio.timeout(5):
            await threads.began.wait()
        threads.began.clear()
        disk.appended(100)
        log.unsynced_bytes = 10  # that one came too late for the fsync that runs
        threads.begun[0].set_result(99)
        await settle()
        assert (seen, len(threads.begun)) == ([99], 1)
        async with asyncio.timeout(5):
            await threads.began.wait()
        disk.end()

    run(body, SyncPolicy.parse("interval:1"))
