"""`fork`: a new cluster that begins with the data of another, or of a snapshot, and leaves that alone.

It has an id, a name, ports, directories and a profile of its own, and the SPUs, topics, records and
consumers' offsets of the source (`contents`). The objects of the SPUs are left out of its metadata: they
register themselves as at any start, where they listen now. The identity files of the replicas name the new
cluster, so no SPU of the one ever takes a directory of the other.
"""

from dataclasses import replace

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.naming import data_dir_of, log_dir_of
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.settings import ClusterSettings
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.sources import CopyWish, Source, copy_source
from fluvio_local_cluster.lifecycle.start import Contents, Surroundings, start
from fluvio_local_cluster.lifecycle.state import ClusterState
from fluvio_local_cluster.lifecycle.upgrade import require_known_version


def fork(
    source: Source, name: str, around: Surroundings, progress: Progress, *, save_profile: bool = True
) -> None:
    """Start a cluster `name` with the data of `source`.

    Raises as `start` and `copy_source` do, and `DowngradeError`. A failure leaves nothing of the new cluster.
    """
    require_known_version(source.state.platform_version)

    def fill(state: ClusterState, signals: Signals) -> None:
        wish = CopyWish(
            cluster_id=state.cluster_id,
            without_spus=frozenset(spu.plan.spu_name for spu in state.spus),
            is_durable=False,  # what a power loss takes, the source still has
        )
        copy_source(source, state.settings.data_dir, wish, progress, signals)

    settings = _settings(source.state, name, around, save_profile=save_profile)
    spu_ids = [spu.plan.id for spu in source.state.spus]
    start(settings, around, progress, contents=Contents(spu_ids, fill))


def _settings(
    source: ClusterState, name: str, around: Surroundings, *, save_profile: bool
) -> ClusterSettings:
    """Those of the source, at free ports of the same hosts, in directories that follow from the name."""
    old = source.settings

    def free(endpoint: Endpoint) -> Endpoint:
        return replace(endpoint, port=0)

    return replace(
        old,
        name=name,
        data_dir=data_dir_of(around.places.fluvio_dir, name),
        log_dir=log_dir_of(around.places.fluvio_dir, name),
        sc_public=free(old.sc_public),
        sc_private=free(old.sc_private),
        spu_count=len(source.spus),
        spu_port_base=0,
        metrics=None if old.metrics is None else free(old.metrics),
        save_profile=save_profile,
        skip_checks=False,
    )
