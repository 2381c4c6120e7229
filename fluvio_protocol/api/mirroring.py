"""Between clusters: the SC's mirroring stream and the SPUs' mirror connections.

Layout: docs/protocol.md, "Mirroring between clusters". Declared for the codec's sake; no server here
takes part in mirroring yet.
"""

from fluvio_protocol.api.admin import MIRRORING_KEY, SC_VERSION, TypedPayload
from fluvio_protocol.api.topic import TopicSpec
from fluvio_protocol.error_code import OK, ErrorCode
from fluvio_protocol.wire import blob, i32, i64, request, wire_struct

START_MIRROR_KEY = 2000
MIRROR_SYNC_VERSION = 1


@wire_struct
class MirrorConnect:
    """A remote cluster names itself to its home."""

    remote_id: str


@wire_struct
class MirroringSpec:
    """One mirror topic, and the home SPU that serves it."""

    key: str
    spec: TopicSpec
    spu_id: i32
    spu_key: str
    spu_endpoint: str


@wire_struct
class MirroringStatusResponse:
    """All mirror topics for a remote."""

    name: str
    error_code: ErrorCode = OK
    error_message: str | None = None
    topics: list[MirroringSpec]


@request(side="sc", key=MIRRORING_KEY, versions=range(14, SC_VERSION + 1), response=MirroringStatusResponse)
@wire_struct
class MirroringEnvelope(TypedPayload):
    """Open a mirroring stream; the payload is a `MirrorConnect`."""


@request(side="spu", key=START_MIRROR_KEY, versions=range(26), response=None)
@wire_struct
class StartMirrorRequest:
    """Turn this connection into a mirror connection."""

    remote_replica: str
    remote_cluster_id: str


@wire_struct
class MirrorPartitionSyncRequest:
    """Source to target: records, and the source's offsets."""

    hw: i64
    leo: i64
    records: blob
