"""What the SC has not been told yet about the replicas that this SPU leads."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fluvio_local_cluster.spu.replica.assignment import Key
from fluvio_protocol.api.partition import ReplicaStatus
from fluvio_protocol.api.sc_spu import LrsRequest
from fluvio_protocol.error_code import ReplicaKey


@dataclass(slots=True, frozen=True)
class ReplicaFacts:
    """Where a replica is; `size_bytes` of all its batches."""

    key: Key
    leo: int
    hw: int
    size_bytes: int
    log_start: int


@dataclass(slots=True)
class ReportBook:
    """Remembers what was reported over one connection to the SC."""

    spu_id: int
    _reported: dict[Key, ReplicaFacts] = field(default_factory=dict)

    def changes(self, facts: Iterable[ReplicaFacts]) -> list[LrsRequest]:
        """Entries for those that changed since they were reported; they count as reported now."""
        return [self._entry(fact) for fact in facts if self._is_news(fact)]

    def forget(self, key: Key) -> None:
        """The replica is gone."""
        self._reported.pop(key, None)

    def _is_news(self, fact: ReplicaFacts) -> bool:
        if self._reported.get(fact.key) == fact:
            return False
        self._reported[fact.key] = fact
        return True

    def _entry(self, fact: ReplicaFacts) -> LrsRequest:
        return LrsRequest(
            id=ReplicaKey(topic=fact.key[0], partition=fact.key[1]),
            leader=ReplicaStatus(spu=self.spu_id, hw=fact.hw, leo=fact.leo),
            size=fact.size_bytes,
            base_offset=fact.log_start,
        )
