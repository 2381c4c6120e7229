"""The objects of a cluster, as the controller keeps them.

`spec` and `status` are the structs of the wire, so that a list or a watch encodes them as they are. They
are never changed in place: whoever changes an object puts a new one into its store.
"""

import enum
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from fluvio_protocol.api.admin import object_types
from fluvio_protocol.api.partition import PartitionSpec, PartitionStatus
from fluvio_protocol.api.spu import SpuSpec, SpuStatus
from fluvio_protocol.api.topic import TopicSpec, TopicStatus
from fluvio_protocol.wire import field as wire_field
from fluvio_protocol.wire import i32, u32, wire_struct


class Kind(enum.StrEnum):
    """A kind of object; the value is the name of its directory and, but for custom SPUs, its wire label."""

    SPU = "SPU"
    TOPIC = "Topic"
    PARTITION = "Partition"
    SPU_GROUP = "SpuGroup"
    TABLE_FORMAT = "TableFormat"
    SMARTMODULE = "SmartModule"
    MIRROR = "Mirror"

    @property
    def spec_type(self) -> Any:
        """The wire type of the spec."""
        return object_types(self.value)[0]

    @property
    def status_type(self) -> Any:
        """The wire type of the status."""
        return object_types(self.value)[1]

    @property
    def runtime_type(self) -> Any:
        """What we keep beside the status, or None."""
        return {Kind.TOPIC: TopicRuntime, Kind.PARTITION: PartitionRuntime}.get(self)


@dataclass(slots=True)
class Meta:
    """The part of a file that is about the file. `parent` and `children` are kept as they stand there."""

    revision: int = -1  # of the last write; -1: never written
    parent: dict[str, Any] | None = None
    children: dict[str, Any] | None = None


@wire_struct
class TopicRuntime:
    """Ours: tells this topic from an earlier one of the same name."""

    incarnation: str


@wire_struct
class PartitionRuntime:
    """Ours: the topic's incarnation; what an election goes by: epoch, in-sync replicas, their version."""

    incarnation: str
    leader_epoch: u32 = 0
    isr: list[i32] = wire_field(default_factory=list)
    isr_version: u32 = 0


S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class StoredObject(Generic[S, T, R]):
    """One object. The epochs are its store's, at the object's last change of that sort."""

    key: str
    spec: S
    status: T
    runtime: R
    meta: Meta = field(default_factory=Meta)
    unknown: Any = None  # what the file holds beyond what we know
    spec_epoch: int = 0
    epoch: int = 0

    def changed(self, *, spec: S | None = None, status: T | None = None) -> "StoredObject[S, T, R]":
        """A new version of this object, for the store."""
        return StoredObject(
            self.key,
            self.spec if spec is None else spec,
            self.status if status is None else status,
            self.runtime,
            self.meta,
            self.unknown,
            self.spec_epoch,
            self.epoch,
        )


Topic: TypeAlias = StoredObject[TopicSpec, TopicStatus, TopicRuntime]
Partition: TypeAlias = StoredObject[PartitionSpec, PartitionStatus, PartitionRuntime]
Spu: TypeAlias = StoredObject[SpuSpec, SpuStatus, None]
AnyObject: TypeAlias = StoredObject[Any, Any, Any]
