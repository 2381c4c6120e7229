"""When a replica's records are put on the disk, as `--fsync` says, and who waits for that.

With `always` an fsync follows every append, and one fsync answers for all appends made before it began.
With `interval:MS` one follows MS milliseconds after the first append that is not on the disk. The fsync
itself runs in a worker thread: a slow disk delays nobody but those who wait for it.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from time import perf_counter

from fluvio_local_cluster.metrics import Histogram
from fluvio_local_cluster.storage import (
    GroupCommit,
    LogClosedError,
    ReplicaLog,
    StorageError,
    SyncPolicy,
)

_logger = logging.getLogger(__name__)

# Called once: with None when the records are on the disk, else with why nobody knows.
OnDisk = Callable[[BaseException | None], None]
_Waiter = OnDisk | None  # None: an append whose producer has not asked yet, or will not


class DiskSync:
    """One for each replica, unless the policy is `never`. Belongs to the event loop."""

    __slots__ = (
        "_began_s",
        "_commits",
        "_executor",
        "_fsync_s",
        "_is_running",
        "_log",
        "_on_synced",
        "_timer",
        "has_ended",
        "policy",
    )

    def __init__(
        self,
        log: ReplicaLog,
        policy: SyncPolicy,
        executor: Executor,
        on_synced: Callable[[int | None], None],
        fsync_s: Histogram | None = None,
    ) -> None:
        """`on_synced` gets the offset below which all is on the disk; None: it failed, look at the log.

        `fsync_s` counts how long fsyncs that succeed take.
        """
        self.policy = policy
        self.has_ended = False
        self._log, self._executor, self._on_synced = log, executor, on_synced
        self._commits: GroupCommit[_Waiter] = GroupCommit(log.synced_leo)
        self._timer: asyncio.TimerHandle | None = None
        self._is_running = False
        self._fsync_s, self._began_s = fsync_s if fsync_s is not None else Histogram(), 0.0

    def appended(self, leo: int) -> None:
        """Records below `leo` are in the log now."""
        if self.has_ended:
            return
        if self.policy.acknowledges_synced:
            if not self._commits.wait(leo, None):
                self._begin()
        else:
            self._set_timer()

    def when(self, leo: int, tell: OnDisk) -> bool:
        """With `always`: whether records below `leo` are on the disk; if not, `tell` is called once known.

        With other policies always True: nobody waits for the disk. Raises `LogClosedError`.
        """
        if not self.policy.acknowledges_synced:
            return True
        if self.has_ended:
            raise LogClosedError("the replica has ended")
        if self._commits.wait(leo, tell):
            return True
        self._begin()
        return False

    async def wait(self, leo: int) -> None:
        """As `when`. Raises `StorageError`: nobody knows."""
        known: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell(error: BaseException | None) -> None:
            if known.done():
                return
            if error is None:
                known.set_result(None)
            else:
                known.set_exception(error)

        if not self.when(leo, tell):
            await known

    def end(self) -> None:
        """Begin no more fsyncs; who waits is told that nobody knows."""
        self.has_ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fail(LogClosedError("the replica has ended"))

    def _set_timer(self) -> None:
        if self._timer is None and not self._is_running and not self.has_ended:
            delay_s = self.policy.interval_ms / 1000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._is_due)

    def _is_due(self) -> None:
        self._timer = None
        self._run()

    def _begin(self) -> None:
        if self._commits.begin():  # not at once: requests that have arrived as well are appended first
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        if self.has_ended:
            return
        self._is_running, self._began_s = True, perf_counter()
        running = asyncio.get_running_loop().run_in_executor(self._executor, self._log.sync)
        running.add_done_callback(self._has_run)

    def _has_run(self, running: "asyncio.Future[int]") -> None:
        self._is_running = False
        error = LogClosedError("the fsync was cancelled") if running.cancelled() else running.exception()
        if error is not None:
            if not self.has_ended:
                is_expected = isinstance(error, StorageError)
                _logger.error("fsync failed cause=%s", error, exc_info=None if is_expected else error)
            self._fail(error)
            self._on_synced(None)
        else:
            self._fsync_s.observe(perf_counter() - self._began_s)
            leo = running.result()
            self._on_synced(leo)  # first: who is answered may look at the high watermark
            for waiter in self._commits.complete(leo):
                if waiter is not None:
                    waiter(None)
        if self.has_ended or self._log.must_reopen:
            return
        if self.policy.acknowledges_synced:
            self._begin()
        elif self._log.unsynced_bytes:
            self._set_timer()

    def _fail(self, error: BaseException) -> None:
        for waiter in self._commits.fail():
            if waiter is not None:
                waiter(error)
