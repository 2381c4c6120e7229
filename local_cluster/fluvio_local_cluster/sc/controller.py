"""The one place that changes the cluster: decide, write, show.

Every change of a spec is a job: a function that decides on the cluster as it is (synchronously, from
`model`), and returns what to store. One worker takes job after job: decides, writes the files in a thread,
and only when they are safe puts the result into the stores, which wakes watchers and SPU sessions. So no
two decisions overlap, an answer never precedes its fsync, and a client that goes away midway leaves nothing
half done.

What SPUs report is observed, not wished: it is shown at once and its file written by the next flush, soon
when a state changed, within `flush_interval_s` when only offsets moved.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

from fluvio_local_cluster.sc.metrics import ScMetrics
from fluvio_local_cluster.sc.model.objects import AnyObject, Kind, Meta
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.topics import consumer_offset_topic, provision
from fluvio_local_cluster.sc.store import MetadataDirectory, MetadataError
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

_MAX_JOBS = 1024
_FLUSH_OBJECTS = 64  # files a flush writes before other jobs get their turn

T = TypeVar("T")


@dataclass(slots=True)
class Plan:
    """What a decision wants changed: stored in this order, topics before their partitions."""

    put: list[tuple[Kind, AnyObject]] = field(default_factory=list)
    remove: list[tuple[Kind, str]] = field(default_factory=list)
    observed: list[tuple[Kind, AnyObject]] = field(default_factory=list)  # shown already, only to be written


Decide = Callable[[], Plan]


class Controller:
    """Owner of the cluster's stores and of its directory. `run` must be running for anything to change."""

    def __init__(
        self, cluster: Cluster, directory: MetadataDirectory, *, flush_interval_s: float = 30.0
    ) -> None:
        self.cluster = cluster
        self.metrics = ScMetrics()
        self._directory = directory
        self._flush_interval_s = flush_interval_s
        self._jobs: asyncio.Queue[tuple[Decide, asyncio.Future[None]]] = asyncio.Queue(_MAX_JOBS)
        self._unwritten: dict[tuple[Kind, str], None] = {}
        self._is_flush_due = asyncio.Event()
        self._is_stopping = asyncio.Event()

    @property
    def waiting_jobs(self) -> int:
        """Changes that wait for their turn."""
        return self._jobs.qsize()

    # --- running ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until `stop`; then what is observed and unwritten is written."""
        async with asyncio.TaskGroup() as group:
            worker = group.create_task(self._work(), name="metadata worker")
            flusher = group.create_task(self._flush_at_times(), name="metadata flush")
            await self._is_stopping.wait()
            flusher.cancel()
            await self._jobs.join()
            worker.cancel()
        while self._unwritten:
            if not await self._write_observed():
                break

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._is_stopping.set()

    async def _work(self) -> None:
        while True:
            decide, done = await self._jobs.get()
            try:
                await self._carry_out(decide())
            except FluvioError as exc:
                if not done.done():
                    done.set_exception(exc)
            except Exception as exc:  # a bug in one decision must not end all others
                _logger.exception("a decision failed")
                if not done.done():
                    done.set_exception(MetadataError(f"an internal error of the controller: {exc!r}"))
            else:
                if not done.done():
                    done.set_result(None)
            finally:
                self._jobs.task_done()

    async def _carry_out(self, plan: Plan) -> None:
        for objects in (plan.put, plan.observed):
            if objects:
                await self._on_disk(self._directory.write, _numbered(objects))
                self.metrics.written_objects += len(objects)
        if plan.remove:
            await self._on_disk(self._directory.remove, plan.remove)
            self.metrics.removed_objects += len(plan.remove)
        for _, stored in plan.put:
            stored.meta = _written(stored.meta)
        for kind, stored in plan.observed:  # newer versions may have been shown meanwhile
            current = self.cluster.stores[kind].get(stored.key)
            if current is not None:
                current.meta = _written(stored.meta)
        for kind in dict.fromkeys([kind for kind, _ in (*plan.remove, *plan.put)]):
            self.cluster.stores[kind].apply(
                put=[stored for other, stored in plan.put if other is kind],
                remove=[key for other, key in plan.remove if other is kind],
            )

    async def _on_disk(self, work: Callable[[Sequence[T]], None], what: Sequence[T]) -> None:
        began_s = perf_counter()
        try:
            await asyncio.to_thread(work, what)
        except MetadataError:
            self.metrics.failed_writes += 1
            raise
        finally:
            self.metrics.write_s.observe(perf_counter() - began_s)

    # --- wished -------------------------------------------------------------------------------------------

    async def change(self, decide: Decide) -> None:
        """Have a decision carried out; returns when it is stored and shown.

        Raises what `decide` raises, or `MetadataError`. Cancelling the wait does not undo the change.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._jobs.put((decide, done))
        await done

    async def reconcile(self) -> None:
        """Move waiting topics on, make what is missing. A failed write is logged, and tried again."""
        try:
            await self.change(self._reconciling)
        except MetadataError as exc:
            _logger.error("reconciling failed cause=%s", exc)

    def _reconciling(self) -> Plan:
        topics = [topic for topic in self.cluster.topics if not self._is_somewhere_unknown(topic.key)]
        is_there = CONSUMER_OFFSET_TOPIC in self.cluster.topics
        if not is_there and not self.cluster.lost_of(CONSUMER_OFFSET_TOPIC):
            topics.insert(0, consumer_offset_topic())
        made = provision(self.cluster, topics)
        for topic in made.topics:
            _logger.info(
                "topic state topic=%s state=%s reason=%s",
                topic.key,
                topic.status.resolution.name.lower(),
                topic.status.reason or "-",
            )
        return Plan(put=made.objects)

    def _is_somewhere_unknown(self, topic: str) -> bool:
        """Whether a lost partition of the topic may be on any of several SPUs: it is not placed anew."""
        return bool(self.cluster.lost_of(topic)) and len(self.cluster.spus) > 1

    # --- observed -----------------------------------------------------------------------------------------

    def observe(self, kind: Kind, objects: Iterable[AnyObject], *, soon: bool) -> None:
        """Show a new status at once and remember to write it: `soon`, or with the next timed flush."""
        changed = list(objects)
        if not changed or not self.cluster.stores[kind].apply(changed):
            return
        for stored in changed:
            self._unwritten[kind, stored.key] = None
        if soon:
            self._is_flush_due.set()

    def mark_unwritten(self, objects: Iterable[tuple[Kind, AnyObject]]) -> None:
        """Have these written by the next flush, which is due now."""
        for kind, stored in objects:
            self._unwritten[kind, stored.key] = None
        if self._unwritten:
            self._is_flush_due.set()

    async def _flush_at_times(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._flush_interval_s):
                    await self._is_flush_due.wait()
            except TimeoutError:
                await self.reconcile()
            self._is_flush_due.clear()
            while self._unwritten:
                if not await self._write_observed():
                    break  # the next timed flush tries again

    async def _write_observed(self) -> bool:
        """Write one portion; returns whether it worked. The worker has no other job meanwhile."""
        portion = list(self._unwritten)[:_FLUSH_OBJECTS]
        for key in portion:
            del self._unwritten[key]

        def current() -> Plan:
            found = ((kind, self.cluster.stores[kind].get(key)) for kind, key in portion)
            return Plan(observed=[(kind, stored) for kind, stored in found if stored is not None])

        try:
            if self._is_stopping.is_set():
                await self._carry_out(current())
            else:
                await self.change(current)
        except MetadataError as exc:
            _logger.error("writing observed state failed cause=%s", exc)
            for key in portion:
                self._unwritten.setdefault(key)
            return False
        return True


def _numbered(objects: Sequence[tuple[Kind, AnyObject]]) -> list[tuple[Kind, AnyObject, int]]:
    return [(kind, stored, stored.meta.revision + 1) for kind, stored in objects]


def _written(meta: Meta) -> Meta:
    """The meta after one more write; versions of an object share theirs, so it is never changed in place."""
    return Meta(meta.revision + 1, meta.parent, meta.children)
