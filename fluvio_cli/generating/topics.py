"""The topic that a run wants to be there."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluvio_client.client import Fluvio


async def ensure_topic(client: "Fluvio", name: str, partitions: int) -> None:
    """Create `name` with so many partitions unless it exists. Raises what the client raises."""
    from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec

    if any(topic.name == name for topic in await client.admin.list_topics([name])):
        return
    replicas = TopicReplicaParam(partitions=partitions, replication_factor=1)
    await client.admin.create_topic(name, TopicSpec(replicas=replicas))
