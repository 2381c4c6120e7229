"""Between SPUs, on their private ports: replication, and forwarded consumer offsets.

Layout: docs/protocol.md, "Replication between SPUs" and "Consumer offsets across SPUs".
"""

import enum

from fluvio_protocol.error_code import OK, ErrorCode, ReplicaKey
from fluvio_protocol.wire import blob, i32, i64, request, u32, wire_struct

SYNC_VERSION = 7
PEER_CONSUMER_OFFSET_VERSION = 25
CLOSE_SEGMENTS_KEY = 9002  # ours

# What follows `FETCH_STREAM` on its connection, one way each; 0 means another thing in each direction.
UPDATE_OFFSET_KEY = 0  # follower to leader
SYNC_KEY, REJECT_OFFSET_KEY = 0, 1  # leader to follower


class PeerKey(enum.IntEnum):
    """What an SPU may ask of another with the first frame of a connection."""

    FETCH_STREAM = 0
    FETCH_CONSUMER_OFFSET = 1
    UPDATE_CONSUMER_OFFSET = 2


@wire_struct
class FetchStreamResponse:
    """`spu_id` is none when the leader does not know the follower."""

    spu_id: i32 | None = None


@request(side="spu-private", key=PeerKey.FETCH_STREAM, versions=range(1), response=FetchStreamResponse)
@wire_struct
class FetchStreamRequest:
    """A follower opens its connection to a leader."""

    spu_id: i32
    leader_spu_id: i32
    min_bytes: i32 = 0
    max_bytes: i32 = 0


@wire_struct
class ReplicaOffsetRequest:
    """Where a replica is."""

    replica: ReplicaKey
    leo: i64
    hw: i64


@request(side="leader", key=UPDATE_OFFSET_KEY, versions=range(1), response=None)
@wire_struct
class UpdateOffsetRequest:
    """Follower to leader: where my replicas are."""

    replicas: list[ReplicaOffsetRequest]


@wire_struct
class PeerFetchablePartitionResponse:
    """Batches of one partition for a follower."""

    partition: u32
    error: ErrorCode = OK
    hw: i64
    leo: i64
    records: blob


@wire_struct
class PeerFetchableTopicResponse:
    """Batches of one topic for a follower."""

    name: str
    partitions: list[PeerFetchablePartitionResponse]


@request(side="follower", key=SYNC_KEY, versions=range(SYNC_VERSION + 1), response=None)
@wire_struct
class SyncRequest:
    """Leader to follower: records, and the leader's offsets."""

    topics: list[PeerFetchableTopicResponse]


@request(side="follower", key=REJECT_OFFSET_KEY, versions=range(1), response=None)
@wire_struct
class RejectOffsetRequest:
    """Leader to follower: replicas that I do not lead."""

    replicas: list[ReplicaKey]


@wire_struct
class Consumer:
    """A stored consumer offset; `modified_time` is not sent."""

    offset: i64


@wire_struct
class FetchConsumerOffsetResponse:
    """Answer to the peer request."""

    error_code: ErrorCode = OK
    consumer: Consumer | None = None


@request(
    side="spu-private",
    key=PeerKey.FETCH_CONSUMER_OFFSET,
    versions=range(26),
    response=FetchConsumerOffsetResponse,
)
@wire_struct
class PeerFetchConsumerOffsetRequest:
    """Ask the leader of `consumer-offset` for one consumer."""

    replica_id: ReplicaKey
    consumer_id: str


@wire_struct
class PeerUpdateConsumerOffsetResponse:
    """Answer to the peer request."""

    error_code: ErrorCode = OK


@request(
    side="spu-private",
    key=PeerKey.UPDATE_CONSUMER_OFFSET,
    versions=range(26),
    response=PeerUpdateConsumerOffsetResponse,
)
@wire_struct
class PeerUpdateConsumerOffsetRequest:
    """Hand a commit on to the leader of `consumer-offset`."""

    replica_id: ReplicaKey
    consumer_id: str
    offset: i64


INCARNATION_MARK = "; incarnation "  # ours: in the client id of a commit, before the life of its topic


@wire_struct
class CloseSegmentsResponse:
    """How many segments were closed."""

    closed: u32 = 0


@request(side="spu-private", key=CLOSE_SEGMENTS_KEY, versions=range(1), response=CloseSegmentsResponse)
@wire_struct
class CloseSegmentsRequest:
    """Ours, not Fluvio's: close the active segments that have so many bytes, and checkpoint what they hold.

    Whoever copies the SPU's directories asks for it: what is closed need not be copied.
    """

    min_bytes: i64
