"""`status`: what a cluster says about itself. Works for any cluster, wherever it runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluvio_client.blocking import BlockingAdmin


@dataclass(slots=True, frozen=True)
class SpuCount:
    """SPUs that the controller knows, and those of them that are online."""

    online: int
    total: int


@dataclass(slots=True, frozen=True)
class TopicUse:
    """Topics, without the internal ones, and the bytes that their leaders hold on disk."""

    topics: int
    size_bytes: int


def count_spus(admin: "BlockingAdmin") -> SpuCount:
    """Ask for the SPUs; raises what `BlockingAdmin` does."""
    from fluvio_protocol.api.spu import SpuStatusResolution

    spus = admin.list_spus()
    online = sum(spu.status.resolution == SpuStatusResolution.ONLINE for spu in spus)
    return SpuCount(online, len(spus))


def measure_topics(admin: "BlockingAdmin") -> TopicUse:
    """Ask for topics and the sizes of their partitions; raises what `BlockingAdmin` does."""
    sizes = (partition.status.size for partition in admin.list_partitions())
    return TopicUse(len(admin.list_topics()), sum(size for size in sizes if size > 0))
