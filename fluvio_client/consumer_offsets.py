"""The offsets that a cluster keeps for consumers: listed and deleted over plain blocking sockets.

Source: docs/protocol.md, "Consumer offsets". The SPU that leads partition 0 of `consumer-offset` has them
all; the controller is asked once which that is.
"""

from collections.abc import Iterable
from typing import Self

from fluvio_client.admin_calls import PartitionObject, SpuObject
from fluvio_client.blocking import BlockingAdmin, BlockingConnection
from fluvio_client.errors import LeaderUnavailableError
from fluvio_client.session import DEFAULT_CLIENT_ID
from fluvio_client.target import ClusterTarget, Endpoint, resolve_address, spu_endpoint
from fluvio_protocol.api.consumer_offsets import (
    ConsumerOffset,
    DeleteConsumerOffsetRequest,
    FetchConsumerOffsetsRequest,
    FilterOpts,
)
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.error_code import ErrorCode, NotLeaderError, ReplicaKey, exception_for
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC, SOCKET_WAIT_S
from fluvio_types.names import partition_key


class BlockingConsumerOffsets:
    """Stored offsets of one cluster, used by one thread, one call at a time.

    Methods raise what `BlockingConnection` does, and `ApiError` and its kinds when the SPU refuses.
    """

    def __init__(self, connection: BlockingConnection | None) -> None:
        """Use `connect`. `connection` leads to the leader; None: the cluster cannot have stored any yet."""
        self._connection = connection

    @classmethod
    def connect(
        cls,
        target: str | ClusterTarget,
        *,
        client_id: str = DEFAULT_CLIENT_ID,
        timeout_s: float = SOCKET_WAIT_S,
    ) -> Self:
        """Find the leader and connect to it; `target` is host:port of the controller or a resolved profile.

        Raises what `BlockingAdmin.connect` and its calls do, and `LeaderUnavailableError`.
        """
        address = resolve_address(target)
        with BlockingAdmin.at(address, client_id=client_id, timeout_s=timeout_s) as admin:
            partitions = admin.list_partitions(system=True)
            spus = admin.list_spus()
        endpoint = find_leader(partitions, spus, use_local_address=address.use_spu_local_address)
        if endpoint is None:
            return cls(None)
        return cls(
            BlockingConnection.open(
                endpoint, security=address.security, client_id=client_id, timeout_s=timeout_s
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; more than once does no harm."""
        if self._connection is not None:
            self._connection.close()

    def find(
        self, *, consumer_id: str | None = None, topic: str | None = None, partition: int | None = None
    ) -> list[ConsumerOffset]:
        """The offsets for which all that is given holds, by consumer, topic and partition."""
        if self._connection is None:
            return []
        replica = None
        if topic is not None and partition is not None:
            replica = ReplicaKey(topic=topic, partition=partition)
        filter_opts = FilterOpts(replica_id=replica, consumer_id=consumer_id)
        answer = self._connection.call(FetchConsumerOffsetsRequest(filter_opts=filter_opts))
        _check(answer.error_code)
        found = [  # older servers do not filter
            entry
            for entry in answer.consumers
            if consumer_id in (None, entry.consumer_id)
            and topic in (None, entry.replica_id.topic)
            and partition in (None, entry.replica_id.partition)
        ]
        return sorted(found, key=_place)

    def delete(self, entry: ConsumerOffset) -> None:
        """Forget one; one that is gone already is fine."""
        if self._connection is not None:
            request = DeleteConsumerOffsetRequest(replica_id=entry.replica_id, consumer_id=entry.consumer_id)
            _check(self._connection.call(request).error_code)


def _place(entry: ConsumerOffset) -> tuple[str, str, int]:
    return entry.consumer_id, entry.replica_id.topic, entry.replica_id.partition


def _check(error_code: ErrorCode) -> None:
    if not error_code.is_ok:
        error = exception_for(error_code)
        if isinstance(error, NotLeaderError):
            error.hint = f"another SPU has just begun to lead `{CONSUMER_OFFSET_TOPIC}`: try again"
        raise error


def find_leader(
    partitions: Iterable[PartitionObject],
    spus: Iterable[SpuObject],
    topic: str = CONSUMER_OFFSET_TOPIC,
    partition: int = 0,
    *,
    use_local_address: bool,
) -> Endpoint | None:
    """Where the SPU is that leads a partition, by default the one that keeps the offsets.

    None when `partitions` do not have it. Raises `LeaderUnavailableError`.
    """
    wanted = partition_key(topic, partition)
    found = next((each for each in partitions if each.name == wanted), None)
    if found is None:
        return None
    leader = found.spec.leader
    spu = next((spu for spu in spus if spu.spec.id == leader), None)
    if spu is None:
        raise LeaderUnavailableError(topic, partition, f"SPU {leader} is not registered")
    if spu.status.resolution is not SpuStatusResolution.ONLINE:
        reason = f"SPU {leader} is {spu.status.resolution.name.lower()}"
        raise LeaderUnavailableError(topic, partition, reason)
    return spu_endpoint(spu.name, spu.spec, use_local_address=use_local_address)
