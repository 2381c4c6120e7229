"""Retention, disk space and rot: one task each for all replicas of an SPU.

Every tick all logs are cleaned, in a worker thread, one after the other; what changed is told to the SC.
When the disk is full the replicas on it are out of storage: they are cleaned at once, and the disk is looked
at again and again until records can be taken, which needs no help from anybody.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.storage import Cleaning, LogClosedError, StorageError
from fluvio_local_cluster.storage.retention import ClockWatch

_logger = logging.getLogger(__name__)

_LOOK_S = 1.0  # between two looks at a full disk
_CHECK_AGAIN_S = 7 * 86_400.0  # what was checked is checked again so long after


def steady_clock() -> float:
    """Seconds of a clock that never jumps and, where there is such a one, counts while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Upkeep:
    """See the module. `wall` gives seconds since 1970."""

    def __init__(
        self,
        replicas: ReplicaManager,
        tick_s: float,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady_clock,
        check_tick_s: float = 1.0,
    ) -> None:
        self._replicas, self._tick_s = replicas, tick_s
        self._check_tick_s = check_tick_s
        self._wall, self._steady = wall, steady
        # From the start of the SPU on: a log that is opened just after a jump has nothing to compare with.
        self._clock_watch = ClockWatch()
        self._clock_watch.distrust(wall(), steady())
        self._wake = asyncio.Event()
        self._unreadable: set[LeaderReplica] = set()  # the disk refused to read; told once
        self._distrusted: dict[LeaderReplica, str] = {}  # told once as long as the clock is not believed

    async def run_retention(self) -> None:
        """Clean every tick, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._tick_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.clean()

    async def run_space(self) -> None:
        """Keep `replicas.full` as the disk is, until cancelled."""
        replicas = self._replicas
        while True:
            await replicas.refused.wait()
            replicas.refused.clear()
            _logger.error("out of storage, records are refused path=%s", replicas.space.path)
            self._wake.set()  # what is too old or too much goes now
            while True:
                await asyncio.sleep(_LOOK_S)
                if not await self._is_full():
                    break
                replicas.set_full(set(replicas.leaders))
            replicas.refused.clear()
            replicas.set_full(set())
            _logger.info("there is space again, records are taken path=%s", replicas.space.path)

    async def _is_full(self) -> bool:
        try:
            return await self._replicas.in_thread(self._replicas.space.check)
        except StorageError as exc:
            _logger.error("the disk cannot be looked at cause=%s", exc)
            return True

    async def run_checks(self) -> None:
        """Check what lies on the disk, a little at a time and all of it in a week, until cancelled."""
        began_s = self._steady()
        while True:
            await asyncio.sleep(self._check_tick_s)
            if not await self._check_some() and self._steady() - began_s >= _CHECK_AGAIN_S:
                began_s = self._steady()
                for leader in self._replicas.leaders.values():
                    leader.log.doubt_all()

    async def _check_some(self) -> int:
        """Check a piece of the first log that has one; returns its bytes, 0 when all is checked."""
        leaders = list(self._replicas.leaders.values())
        self._unreadable.intersection_update(leaders)
        for leader in leaders:
            log = leader.log
            if leader in self._unreadable:
                continue
            try:
                checked = await self._replicas.in_thread(log.check_next) if log.has_unchecked else 0
            except LogClosedError:
                continue
            except StorageError as exc:
                self._unreadable.add(leader)
                _logger.error("checking failed replica=%s-%d cause=%s", *leader.key, exc)
                continue
            if checked:
                return checked
        return 0

    async def clean(self) -> None:
        """Clean all logs once."""
        leaders = list(self._replicas.leaders.values())
        now_s, steady_s = self._wall(), self._steady()
        distrust = self._clock_watch.distrust(now_s, steady_s)
        before = [leader.log.log_start for leader in leaders]

        def clean_all() -> list[Cleaning | None]:
            return [_clean_one(leader, now_s, steady_s, distrust) for leader in leaders]

        done = await self._replicas.in_thread(clean_all)
        for leader, start, cleaning in zip(leaders, before, done, strict=True):
            if leader.log.log_start != start:  # also where it failed half-way
                self._replicas.cleaned(leader)
            if cleaning is not None:
                self._tell(leader, cleaning)
            self._replicas.check(leader)
            for on_cleaned in self._replicas.on_cleaned:
                on_cleaned(leader)
            if leader.ended is not None:
                self._distrusted.pop(leader, None)

    def _tell(self, leader: LeaderReplica, cleaning: Cleaning) -> None:
        self._replicas.metrics.cleaned(cleaning)
        self._tell_distrust(leader, cleaning.distrust)
        if cleaning.removed:
            _logger.info(
                "retention removed segments replica=%s-%d count=%d bytes=%d start=%d",
                *leader.key,
                len(cleaning.removed),
                cleaning.freed_bytes,
                cleaning.log_start,
            )

    def _tell_distrust(self, leader: LeaderReplica, reason: str | None) -> None:
        if reason is None:
            if self._distrusted.pop(leader, None) is not None:
                _logger.info("records age again replica=%s-%d", *leader.key)
        elif leader not in self._distrusted:
            self._distrusted[leader] = reason
            _logger.warning("no record is removed for its age replica=%s-%d cause=%s", *leader.key, reason)


def _clean_one(leader: LeaderReplica, now_s: float, steady_s: float, distrust: str | None) -> Cleaning | None:
    try:
        return leader.log.clean(now_s, steady_s, keep_from=leader.keep_from, distrust=distrust)
    except LogClosedError:
        return None  # it was deleted meanwhile
    except StorageError as exc:
        _logger.error("cleaning failed replica=%s-%d cause=%s", *leader.key, exc)
        return None
