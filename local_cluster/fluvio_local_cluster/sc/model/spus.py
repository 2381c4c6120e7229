"""SPUs: registering, and what their coming and going means for the partitions they lead."""

from collections.abc import Iterable

from fluvio_local_cluster.sc.model.objects import Partition, Spu, StoredObject
from fluvio_local_cluster.sc.model.partitions import resolved
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.spu import CustomSpuSpec, SpuSpec, SpuStatus, SpuStatusResolution, SpuType


def default_name(spu_id: int) -> str:
    """The name of a custom SPU that was registered without one."""
    return f"custom-spu-{spu_id}"


def new_custom_spu(name: str, spec: CustomSpuSpec) -> Spu:
    """A custom SPU as it begins: `Init` until its process registers."""
    return StoredObject(
        name,
        SpuSpec(
            id=spec.id,
            spu_type=SpuType.CUSTOM,
            public_endpoint=spec.public_endpoint,
            private_endpoint=spec.private_endpoint,
            rack=spec.rack,
            public_endpoint_local=spec.public_endpoint_local,
        ),
        SpuStatus(resolution=SpuStatusResolution.INIT),
        None,
    )


def custom_spec(spec: SpuSpec) -> CustomSpuSpec:
    """A stored SPU as lists of custom SPUs show it."""
    return CustomSpuSpec(
        id=spec.id,
        public_endpoint=spec.public_endpoint,
        private_endpoint=spec.private_endpoint,
        rack=spec.rack,
        public_endpoint_local=spec.public_endpoint_local,
    )


def with_resolution(spu: Spu, resolution: SpuStatusResolution) -> Spu:
    """The SPU in another state."""
    return spu.changed(status=SpuStatus(resolution=resolution))


def after_loss(spu_id: int, partitions: Iterable[Partition]) -> list[Partition]:
    """The partitions that are leaderless when this SPU goes, in their new state."""
    return [
        partition.changed(status=resolved(partition.status, PartitionResolution.LEADER_OFFLINE))
        for partition in partitions
        if partition.spec.leader == spu_id
        and partition.status.resolution
        not in (PartitionResolution.LEADER_OFFLINE, PartitionResolution.OFFLINE)
    ]


def after_return(spu_id: int, partitions: Iterable[Partition]) -> list[Partition]:
    """The partitions that an SPU which does not report by itself brings back, in their new state.

    An official SPU reports changes only, so after a break in the connection it would say nothing of a
    replica that nobody wrote to; the official controller takes its return for enough, and so must we. Our
    own SPUs report everything after each registration: of them a report is awaited.
    """
    return [
        partition.changed(status=resolved(partition.status, PartitionResolution.ONLINE))
        for partition in partitions
        if partition.spec.leader == spu_id
        and partition.status.resolution is PartitionResolution.LEADER_OFFLINE
    ]
