"""How far consumers are in their partitions, and moving them, over plain blocking sockets.

Source: docs/protocol.md, "FetchOffsets" and "Consumer offsets". The SPU that leads a partition is asked where
it begins and ends; a consumer is moved there by a stream that stores another offset and is left again.
"""

from typing import NamedTuple, Self

from fluvio_client.admin_calls import PartitionObject, SpuObject
from fluvio_client.blocking import BlockingAdmin, BlockingConnection
from fluvio_client.consumer_offsets import find_leader
from fluvio_client.errors import PartitionNotFoundError
from fluvio_client.session import DEFAULT_CLIENT_ID
from fluvio_client.target import Address, ClusterTarget, Endpoint, resolve_address
from fluvio_protocol.api.consumer_offsets import UpdateConsumerOffsetRequest, UpdateConsumerOffsetResponse
from fluvio_protocol.api.fetch import StreamFetchRequest
from fluvio_protocol.api.offsets import (
    FetchOffsetPartition,
    FetchOffsetPartitionResponse,
    FetchOffsetsRequest,
    FetchOffsetsResponse,
    FetchOffsetTopic,
)
from fluvio_protocol.error_code import exception_for
from fluvio_types.defaults import SOCKET_WAIT_S

_FIRST_STREAM = 1  # the id of a connection's first stream


class Bounds(NamedTuple):
    """Of one partition: the oldest record that is kept, and the next one to come that consumers may see."""

    start: int
    end: int


class BlockingConsumerPlaces:
    """The partitions of one cluster, used by one thread, one call at a time.

    Methods raise what `BlockingConnection` does, `LeaderUnavailableError`, `PartitionNotFoundError`, and
    `ApiError` and its kinds when the SPU refuses.
    """

    def __init__(
        self,
        partitions: list[PartitionObject],
        spus: list[SpuObject],
        address: Address,
        *,
        client_id: str,
        timeout_s: float,
    ) -> None:
        """Use `connect`."""
        self._partitions, self._spus, self._address = partitions, spus, address
        self._client_id, self._timeout_s = client_id, timeout_s

    @classmethod
    def connect(
        cls,
        target: str | ClusterTarget,
        *,
        client_id: str = DEFAULT_CLIENT_ID,
        timeout_s: float = SOCKET_WAIT_S,
    ) -> Self:
        """Ask the controller which partitions there are, and who leads them; its connection is closed then.

        `target` is host:port of the controller or a resolved profile. Raises what `BlockingAdmin.connect` and
        its calls do.
        """
        address = resolve_address(target)
        with BlockingAdmin.at(address, client_id=client_id, timeout_s=timeout_s) as admin:
            partitions = admin.list_partitions() + admin.list_partitions(system=True)
            spus = admin.list_spus()
        return cls(partitions, spus, address, client_id=client_id, timeout_s=timeout_s)

    def bounds(self, topic: str, partition: int) -> Bounds:
        """Where a partition begins and ends."""
        with self._leader(topic, partition) as leader:
            found = _ask_bounds(leader, topic, partition)
        return Bounds(found.start_offset, found.last_stable_offset)

    def move(self, consumer_id: str, topic: str, partition: int, next_offset: int) -> None:
        """Let a consumer go on with `next_offset`. One that runs meanwhile stores its own place again."""
        with self._leader(topic, partition) as leader:
            end = _ask_bounds(leader, topic, partition).last_stable_offset
            leader.begin_stream(
                StreamFetchRequest(
                    topic=topic, partition=partition, fetch_offset=end, consumer_id=consumer_id
                )
            )
            request = UpdateConsumerOffsetRequest(offset=next_offset - 1, session_id=_FIRST_STREAM)
            answer: UpdateConsumerOffsetResponse = leader.call(request)
        if not answer.error_code.is_ok:
            raise exception_for(answer.error_code)

    def _leader(self, topic: str, partition: int) -> BlockingConnection:
        endpoint: Endpoint | None = find_leader(
            self._partitions,
            self._spus,
            topic,
            partition,
            use_local_address=self._address.use_spu_local_address,
        )
        if endpoint is None:
            raise PartitionNotFoundError(topic, partition)
        return BlockingConnection.open(
            endpoint,
            security=self._address.security,
            client_id=self._client_id,
            timeout_s=self._timeout_s,
        )


def _ask_bounds(leader: BlockingConnection, topic: str, partition: int) -> FetchOffsetPartitionResponse:
    wanted = FetchOffsetTopic(name=topic, partitions=[FetchOffsetPartition(partition_index=partition)])
    answer: FetchOffsetsResponse = leader.call(FetchOffsetsRequest(topics=[wanted]))
    for found in answer.topics:
        for entry in found.partitions:
            if found.name == topic and entry.partition_index == partition:
                if not entry.error_code.is_ok:
                    raise exception_for(entry.error_code)
                return entry
    raise PartitionNotFoundError(topic, partition)
