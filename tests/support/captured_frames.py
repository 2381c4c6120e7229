"""The frames captured from official clients, servers and engines, in one form. Files: tests/data/*.json.

`golden-vectors.json` and `engine-frames.json` hold whole frames of public connections,
`engine-internal-frames.json` payloads of private ones. A frame knows the type of its body, so tests decode
it as our programs would.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluvio_protocol import frame
from fluvio_protocol.api import (
    admin,
    api_versions,
    consumer_offsets,
    fetch,
    mirroring,
    offsets,
    partition,
    produce,
    replication,
    sc_spu,
    smartmodule,
    spu,
    table_format,
    topic,
)
from fluvio_protocol.wire import Reader, declared_requests, decode, encode, request_info

DATA = Path(__file__).parent.parent / "data"
API_MODULES = (
    admin, api_versions, consumer_offsets, fetch, mirroring, offsets, partition, produce, replication, sc_spu,
    smartmodule, spu, table_format, topic,
)  # fmt: skip

PUBLIC_REQUESTS = {
    (info.side, info.key): cls for cls, info in declared_requests().items() if info.side in ("sc", "spu")
}
PUBLIC_REQUESTS["spu", api_versions.API_VERSIONS_KEY] = api_versions.ApiVersionsRequest

# Name in engine-internal-frames.json -> (type of the body, whether it is an answer).
INTERNAL_BODIES: dict[str, tuple[Any, bool]] = {
    "RegisterSpu": (sc_spu.RegisterSpuRequest, False),
    "RegisterSpuResp": (sc_spu.RegisterSpuResponse, True),
    "UpdateLrs": (sc_spu.UpdateLrsRequest, False),
    "ReplicaRemoved": (sc_spu.ReplicaRemovedRequest, False),
    "UpdateMirrorStat": (sc_spu.UpdateMirrorStatRequest, False),
    "UpdatePartitionStat": (sc_spu.UpdatePartitionStatRequest, False),
    "UpdateSpu": (sc_spu.UpdateSpuRequest, False),
    "UpdateReplica": (sc_spu.UpdateReplicaRequest, False),
    "UpdateSmartModule": (sc_spu.UpdateSmartModuleRequest, False),
    "FetchStream": (replication.FetchStreamRequest, False),
    "FetchStreamResp": (replication.FetchStreamResponse, True),
    "UpdateOffset": (replication.UpdateOffsetRequest, False),
    "Sync": (replication.SyncRequest, False),
    "UpdateConsumerOffset": (replication.PeerUpdateConsumerOffsetRequest, False),
    "UpdateConsumerOffsetResp": (replication.PeerUpdateConsumerOffsetResponse, True),
    "StartMirror": (mirroring.StartMirrorRequest, False),
    "MirrorConnect": (mirroring.MirroringEnvelope, False),
    "MirroringStatusResponse": (mirroring.MirroringStatusResponse, True),
    "MirrorOffset(ReplicaOffsetRequest)": (replication.ReplicaOffsetRequest, False),
    "MirrorSync": (mirroring.MirrorPartitionSyncRequest, False),
}
INTERNAL_ANSWERS = {"RegisterSpuResp": 0, "FetchStreamResp": 0, "UpdateConsumerOffsetResp": 25}  # versions


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """One frame. `payload` follows the length; `answers` is the envelope that a typed answer belongs to."""

    id: str
    payload: bytes
    body_type: Any
    is_answer: bool
    version: int
    decoded: Any  # as in the file
    answers: type | None = None


@dataclass(slots=True)
class Decoded:
    """What a frame holds. `object` is the content of an envelope, else the body itself."""

    header: frame.RequestHeader | None
    correlation_id: int
    body: Any
    object: Any
    left_over: int


def _load(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def _public(entry: dict[str, Any], side: str, version: int, hexadecimal: str) -> CapturedFrame:
    request = PUBLIC_REQUESTS[side, entry["api_key"]]
    is_answer = entry["direction"] == "server->client"
    body_type = request_info(request).response if is_answer else request
    answers = request if is_answer and body_type is admin.TypedPayload else None
    whole = bytes.fromhex(hexadecimal)
    assert int.from_bytes(whole[:4], "big") == len(whole) - 4
    return CapturedFrame(entry["id"], whole[4:], body_type, is_answer, version, entry["decoded"], answers)


def _internal(entry: dict[str, Any]) -> CapturedFrame:
    body_type, is_answer = INTERNAL_BODIES[entry["api"]]
    version = INTERNAL_ANSWERS[entry["api"]] if entry["version"] is None else entry["version"]
    payload = bytes.fromhex(entry["hex"])
    return CapturedFrame(entry["id"], payload, body_type, is_answer, version, entry["decoded"])


@functools.cache
def golden_frames() -> list[CapturedFrame]:
    """Official clients against a trial server."""
    return [
        _public(entry, entry["server"], entry["api_version"], entry["frame_hex"])
        for entry in _load("golden-vectors.json")["vectors"]
    ]


@functools.cache
def engine_frames() -> list[CapturedFrame]:
    """Official clients against the official engine, public ports."""
    return [
        _public(entry, entry["side"], entry["version"], entry["hex"])
        for entry in _load("engine-frames.json")["frames"]
    ]


@functools.cache
def internal_frames() -> list[CapturedFrame]:
    """Official servers among themselves."""
    return [_internal(entry) for entry in _load("engine-internal-frames.json")["frames"]]


def all_frames() -> list[CapturedFrame]:
    """The frames of the three files."""
    return golden_frames() + engine_frames() + internal_frames()


def golden_file() -> Any:
    """`golden-vectors.json` with its other tables."""
    return _load("golden-vectors.json")


def decode_frame(captured: CapturedFrame, payload: bytes | memoryview | None = None) -> Decoded:
    """Decode a captured frame (or other bytes in its place) to the last struct. Raises `DecodeError`."""
    reader = Reader(captured.payload if payload is None else payload)
    header = None if captured.is_answer else frame.read_request_header(reader)
    number = frame.read_correlation_id(reader) if header is None else header.correlation_id
    body = decode(captured.body_type, reader, captured.version)
    inner = body
    if isinstance(body, mirroring.MirroringEnvelope):
        inner = decode(mirroring.MirrorConnect, body.payload, captured.version)
    elif isinstance(body, admin.TypedPayload):
        inner = admin.unwrap(body, captured.version, answer_to=captured.answers)
    return Decoded(header, number, body, inner, reader.remaining)


def encode_frame(captured: CapturedFrame, decoded: Decoded) -> bytes:
    """The payload that our encoders make of what was decoded; an envelope is packed anew."""
    body = decoded.body
    if isinstance(body, mirroring.MirroringEnvelope):
        body = mirroring.MirroringEnvelope(type=body.type, payload=encode(decoded.object, captured.version))
    elif isinstance(body, admin.TypedPayload):
        body = admin.wrap(type(body), body.type, decoded.object, captured.version)
    if decoded.header is None:
        return bytes(frame.encode_response(body, captured.version, decoded.correlation_id))[4:]
    header = decoded.header
    if captured.body_type in declared_requests():
        whole = frame.encode_request(body, header.api_version, header.correlation_id, header.client_id)
        return bytes(whole)[4:]
    # Mirror connections: the key says who sends, not what is sent, so the struct has none of its own.
    fixed = header.api_key.to_bytes(2, "big") + header.api_version.to_bytes(2, "big")
    fixed += header.correlation_id.to_bytes(4, "big") + encode(header.client_id, 0, str)
    return fixed + encode(body, captured.version)
