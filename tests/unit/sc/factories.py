"""Objects for tests of the controller's model."""

from fluvio_local_cluster.sc.model.objects import Partition, PartitionRuntime, Spu, StoredObject
from fluvio_local_cluster.sc.model.spus import new_custom_spu, with_resolution
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_protocol.api.partition import PartitionSpec, PartitionStatus
from fluvio_protocol.api.spu import SpuStatusResolution
from tests.support.controllers import custom_spu


def spu(spu_id: int, *, online: bool = True) -> Spu:
    """A registered SPU."""
    stored = new_custom_spu(f"custom-spu-{spu_id}", custom_spu(spu_id))
    return with_resolution(stored, SpuStatusResolution.ONLINE if online else SpuStatusResolution.INIT)


def cluster_of(*online: int, offline: tuple[int, ...] = ()) -> Cluster:
    """A cluster with these SPUs and nothing else."""
    cluster = Cluster("id")
    cluster.spus.apply([*map(spu, online), *(spu(each, online=False) for each in offline)])
    return cluster


def partition(key: str, *replicas: int, status: PartitionStatus | None = None) -> Partition:
    """A partition on these SPUs."""
    spec = PartitionSpec(leader=replicas[0], replicas=list(replicas))
    runtime = PartitionRuntime(incarnation="1", isr=list(replicas))
    return StoredObject(key, spec, PartitionStatus() if status is None else status, runtime)
