"""Carries a plan out, and knows at any time what is done.

Order: topics and table formats, the wait for partitions, profiles, then deletions, these only when nothing
failed. A refusal ends one step, everything else the whole work. Every step is decided by what is there, so
the same plan made anew goes on where this one stopped.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fluvio_cli.declared.model import CLUSTER_KINDS, Action, Kind, Plan, Step
from fluvio_cli.declared.observing import why_unready
from fluvio_cli.declared.planning import COUNT
from fluvio_cli.declared.profiles import put_profile
from fluvio_profiles.model import Config
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from pathlib import Path

    from fluvio_client.blocking import BlockingAdmin
    from fluvio_protocol.api.table_format import TableFormatSpec

# For one new topic, and for those after one that took longer; all are waited for in the end.
_PATIENCE_S, _LITTLE_PATIENCE_S = 3.0, 0.5


class Result(StrEnum):
    """What became of a step."""

    DONE = "done"
    FAILED = "failed"
    PENDING = "pending"  # done, and not provisioned in time
    NOT_TRIED = "not-tried"


class Work:
    """One run of a plan. `problems` has the reason of each step that failed or is pending."""

    def __init__(
        self,
        plan: Plan,
        connect: "Callable[[], BlockingAdmin]",
        profile_path: "Path",
        *,
        wait_s: float,
        tell: Callable[[Step, Result], None],
    ) -> None:
        """`connect` leads to the plan's cluster; `tell` gets each step that is done or failed, at once.

        Partitions are waited for `wait_s` at most.
        """
        self._connect, self._profile_path, self._wait_s = connect, profile_path, wait_s
        self._tell = tell
        self._patience_s = min(_PATIENCE_S, wait_s)
        self._waiting = 0  # topics that are waited for now
        self._admin: BlockingAdmin | None = None
        self._steps = plan.to_do
        self.results = {(step.kind, step.name): Result.NOT_TRIED for step in self._steps}
        self.problems: dict[tuple[Kind, str], str] = {}
        self.failure: FluvioError | None = None  # the first

    def run(self) -> None:
        """Do it; failures are kept, not raised, but for interruptions and bugs."""
        try:
            self._run()
        except (FluvioError, OSError) as exc:  # of the step that was under way, which is still `not-tried`
            self.failure = exc if isinstance(exc, FluvioError) else FluvioError(str(exc))
        finally:
            self._disconnect()

    def progress(self) -> str:
        """What goes on, for somebody who waits."""
        if self._waiting:
            return f"waiting for the partitions of {self._waiting} topic{'s' if self._waiting > 1 else ''}"
        return f"{self.count(Result.DONE)} of {len(self._steps)} done"

    def count(self, *results: Result) -> int:
        """How many steps ended so."""
        return sum(result in results for result in self.results.values())

    def _run(self) -> None:
        of_cluster = [step for step in self._steps if step.kind in CLUSTER_KINDS]
        of_profiles = [step for step in self._steps if step.kind is Kind.PROFILE]
        for step in of_cluster:
            if step.action is not Action.DELETE:
                self._one(step, lambda step=step: self._make(step))  # type: ignore[misc]
        self._wait()
        self._change_profiles([step for step in of_profiles if step.action is not Action.DELETE])
        if self.count(Result.FAILED, Result.PENDING):
            return
        for step in of_cluster:
            if step.action is Action.DELETE:
                self._one(step, lambda step=step: self._delete(step))  # type: ignore[misc]
        self._change_profiles([step for step in of_profiles if step.action is Action.DELETE])

    def _one(self, step: Step, do: Callable[[], Result]) -> None:
        from fluvio_protocol.error_code import ApiError

        try:
            result = do()
        except ApiError as exc:
            self._failed(step, exc)
            return
        self.results[step.kind, step.name] = result
        if result is Result.DONE:
            self._tell(step, result)

    def _failed(self, step: Step, error: FluvioError) -> None:
        self.results[step.kind, step.name] = Result.FAILED
        self.problems[step.kind, step.name] = str(error)
        self.failure = self.failure or error
        self._tell(step, Result.FAILED)

    # --- the cluster --------------------------------------------------------------------------------------

    def _make(self, step: Step) -> Result:
        if step.kind is Kind.TABLE_FORMAT:
            self._make_table_format(step.declared, step.now)
            return Result.DONE
        if step.action is Action.CREATE:
            return self._create_topic(step)
        if step.action is Action.CHANGE:
            [count] = [each for each in step.differences if each.setting == COUNT]
            self._connected().add_partitions(step.name, count.declared - count.now)
        return Result.PENDING  # until `_wait` has seen the partitions

    def _make_table_format(self, spec: "TableFormatSpec", before: "TableFormatSpec | None") -> None:
        """Layouts cannot be changed: the old one makes room, and comes back if the new one does not come."""
        admin = self._connected()
        if before is not None:
            admin.delete_table_format(before.name)
        try:
            admin.create_table_format(spec)
        except BaseException:
            if before is not None:
                self._put_back(before)
            raise

    def _put_back(self, layout: "TableFormatSpec") -> None:
        from fluvio_protocol.error_code import ApiError, ErrorKind

        self._disconnect()  # whatever state the connection is in
        try:
            self._connected().create_table_format(layout)
        except FluvioError as exc:
            if isinstance(exc, ApiError) and exc.code.kind is ErrorKind.TABLE_FORMAT_ALREADY_EXISTS:
                return  # the new one is there, and only its answer is missing
            raise FluvioError(
                f"table format `{layout.name}` was to be changed and is gone, it could not be put back: {exc}"
            ) from exc

    def _create_topic(self, step: Step) -> Result:
        from fluvio_client.errors import ResponseTimeoutError
        from fluvio_protocol.error_code import TopicNotProvisionedError

        try:
            self._connected().create_topic(step.name, step.declared, timeout_s=self._patience_s)
        except ResponseTimeoutError:
            self._patience_s = min(_LITTLE_PATIENCE_S, self._patience_s)
            self._disconnect()
            return Result.PENDING
        except TopicNotProvisionedError:
            return Result.PENDING
        return Result.DONE

    def _delete(self, step: Step) -> Result:
        if step.kind is Kind.TOPIC:
            self._connected().delete_topic(step.name)
        else:
            self._connected().delete_table_format(step.name)
        return Result.DONE

    def _wait(self) -> None:
        waiting = {step.name: step for step in self._steps if self._is_pending(step)}
        if not waiting:
            return
        self._waiting = len(waiting)
        missing = await_topics(self._connected(), set(waiting), self._wait_s)
        self._waiting = 0
        self._disconnect()  # a watch that ran out of time leaves an answer behind
        for name, step in waiting.items():
            key = step.kind, name
            if name in missing:
                self.problems[key] = missing[name]
                self._tell(step, Result.PENDING)
            else:
                self.results[key] = Result.DONE
                self._tell(step, Result.DONE)

    def _is_pending(self, step: Step) -> bool:
        return self.results[step.kind, step.name] is Result.PENDING

    def _connected(self) -> "BlockingAdmin":
        if self._admin is None:
            self._admin = self._connect()
        return self._admin

    def _disconnect(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    # --- the profile file -----------------------------------------------------------------------------------

    def _change_profiles(self, steps: list[Step]) -> None:
        """All of them in one rewrite of the file: all or none."""
        from fluvio_profiles.store import update_config

        def change(config: Config) -> None:
            for step in steps:
                if step.action is Action.DELETE:
                    if step.name != config.current_profile:  # another program may have switched meanwhile
                        config.delete_profile(step.name)
                else:
                    put_profile(config, step.name, step.declared)

        if not steps:
            return
        try:
            update_config(self._profile_path, change, create=True)
        except FluvioError as exc:
            for step in steps:
                self._failed(step, exc)
            return
        for step in steps:
            self.results[step.kind, step.name] = Result.DONE
            self._tell(step, Result.DONE)


def check_done(plan: Plan, work: Work) -> None:
    """Raise `NotAppliedError`, `NotProvisionedError` or `DeclaredDriftError` if anything is missing."""
    from fluvio_cli.declared.errors import DeclaredDriftError, NotAppliedError, NotProvisionedError
    from fluvio_cli.declared.view import title

    done, failed = work.count(Result.DONE), work.count(Result.FAILED)
    if work.failure is not None:
        raise NotAppliedError(done, failed, work.count(Result.NOT_TRIED, Result.PENDING), work.failure)
    if pending := [step for step in plan.to_do if work.results[step.kind, step.name] is Result.PENDING]:
        raise NotProvisionedError([(step.name, work.problems[step.kind, step.name]) for step in pending])
    if plan.unreachable:
        told = "; ".join(f"{title(step)}: {', '.join(step.obstacles)}" for step in plan.unreachable[:3])
        raise DeclaredDriftError(
            f"{len(plan.unreachable)} not as declared: {told}",
            hint="`fluvio plan` with the same options shows the differences",
        )


def await_topics(admin: "BlockingAdmin", names: set[str], timeout_s: float) -> dict[str, str]:
    """Wait until all partitions of the topics are online; by topic, what is missing at the end.

    Ends early when all that are left lack resources or are invalid: time alone does not help them.
    """
    from fluvio_protocol.api.partition import PartitionResolution
    from fluvio_protocol.api.topic import TopicResolution
    from fluvio_types.names import partition_key

    hopeless = (TopicResolution.INSUFFICIENT_RESOURCES, TopicResolution.INVALID_CONFIG)
    deadline = time.monotonic() + timeout_s
    topics: dict[str, Any] = {}
    unready: dict[str, str] = dict.fromkeys(names, "it is not there")
    for update in admin.watch("Topic", timeout_s=timeout_s):
        for topic in (*update.all, *(message.content for message in update.changes)):
            if topic.name in names:
                topics[topic.name] = topic
        unready = {
            name: reason
            for name in sorted(names)
            if (reason := _why_incomplete(topics[name]) if name in topics else unready[name]) is not None
        }
        if all(name in topics and topics[name].status.resolution in hopeless for name in unready):
            break
    wanted = {
        partition_key(name, row): name
        for name in names - set(unready)
        for row in topics[name].status.replica_map
    }
    online: set[str] = set()
    if wanted:
        for update in admin.watch("Partition", timeout_s=max(deadline - time.monotonic(), 0.1)):
            for partition in (*update.all, *(message.content for message in update.changes)):
                if partition.status.resolution is PartitionResolution.ONLINE:
                    online.add(partition.name)
                else:
                    online.discard(partition.name)
            if online.issuperset(wanted):
                break
    for key, name in sorted(wanted.items()):
        if key not in online:
            unready.setdefault(name, f"partition `{key}` is not online")
    return unready


def _why_incomplete(topic: Any) -> str | None:
    """As `why_unready`; a topic whose new partitions are not placed yet is not ready either."""
    from fluvio_protocol.api.topic import TopicReplicaParam

    replicas = topic.spec.replicas
    count = replicas.partitions if isinstance(replicas, TopicReplicaParam) else len(replicas.maps)
    placed = len(topic.status.replica_map)
    return why_unready(topic) or (None if placed >= count else f"{placed} of {count} partitions are placed")
