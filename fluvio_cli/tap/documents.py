"""An event as a document: dicts, lists, texts and numbers, in a stable order (docs/tap.md, "JSON").

Bodies are walked along their declarations: the fields that exist at the frame's version, under their names.
Enums are their names, sets of record batches are summaries, other bytes are their size and how they begin.
"""

import enum
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from fluvio_cli.tap.events import Closed, Listening, Lost, Opened, Seen, Shown
from fluvio_protocol.api.admin import TypedPayload, unwrap
from fluvio_protocol.api.mirroring import MirrorConnect, MirroringEnvelope
from fluvio_protocol.batch import (
    HEADER_BYTES,
    BatchHeader,
    announced_size,
    crc_matches,
    decode_columns,
    read_header,
)
from fluvio_protocol.compression import Codec
from fluvio_protocol.wire import DecodeError, WireChoice, decode, is_wire_struct, wire_fields

MOST_HEX_BYTES = 256  # shown of what cannot be decoded
_MOST_BYTES_SHOWN = 32  # of bytes that are no records
_MOST_BATCHES = 1000  # of one set
_MOST_RECORDS = 1000  # of one batch
_MOST_UNPACKED_BYTES = 16 * 1024 * 1024  # as small records they take twenty times as much
_RECORD_SETS = "records"  # the name of every field that holds batches


def document_of(event: Shown, *, with_records: bool = False) -> dict[str, Any]:
    """What is shown of an event."""
    if isinstance(event, Seen):
        return _of_frame(event, with_records)
    if isinstance(event, Lost):
        return {"event": "lost", "count": event.events, "bytes": event.size_bytes}
    found: dict[str, Any] = {"at": moment(event.at_ns), "event": _NAMES[type(event)]}
    found.update(event._asdict())
    del found["at_ns"]
    return found


_NAMES: dict[type, str] = {Opened: "open", Closed: "close", Listening: "listen"}


def moment(at_ns: int) -> str:
    """`2026-01-31T08:00:00.123456Z`."""
    seconds, rest = divmod(at_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"


def _of_frame(seen: Seen, with_records: bool) -> dict[str, Any]:
    frame = seen.frame
    found: dict[str, Any] = {
        "at": moment(frame.at_ns),
        "event": "bytes" if frame.is_loose else frame.direction,
        "connection": frame.connection,
        "server": seen.server,
    }
    if frame.is_loose:
        found["direction"] = frame.direction
        return found | {"bytes": len(frame.payload), "reason": seen.reason} | _hex(frame.payload)
    found |= {"api": seen.name, "key": seen.key, "object": seen.object_type or None}
    found |= {"version": seen.version, "id": seen.correlation_id}
    if frame.direction == "request":
        found["client"] = seen.client_id
    else:
        found["latency_ms"] = None if seen.latency_us is None else seen.latency_us / 1000
        found["push"] = seen.push
        found["rewritten"] = frame.is_rewritten
    found["bytes"] = frame.size
    if seen.remark:
        found["remark"] = seen.remark
    reason = seen.reason
    if not reason:
        try:
            found["body"] = _body(seen, with_records)
        except DecodeError as exc:
            reason = str(exc)
    if reason:
        found |= {"reason": reason} | _hex(frame.payload)
    return found


def _hex(data: bytes) -> dict[str, str]:
    return {"hex": data[:MOST_HEX_BYTES].hex(" ", 4)}


def _body(seen: Seen, with_records: bool) -> Any:
    assert seen.api is not None
    assert seen.version is not None
    is_answer = seen.frame.direction == "answer"
    wire_type = seen.api.info.response if is_answer else seen.api.request
    view = memoryview(seen.frame.payload)[seen.body_at :]
    value = decode(wire_type, view, seen.version)
    if isinstance(value, TypedPayload):
        value = _unwrapped(value, seen, is_answer=is_answer)
    return _plain(value, seen.version, with_records)


def _unwrapped(envelope: TypedPayload, seen: Seen, *, is_answer: bool) -> Any:
    assert seen.api is not None
    assert seen.version is not None
    if seen.api.request is MirroringEnvelope:
        return decode(MirrorConnect, envelope.payload, seen.version)
    return unwrap(envelope, seen.version, answer_to=seen.api.request if is_answer else None)


def _plain(value: Any, version: int, with_records: bool) -> Any:
    if is_wire_struct(type(value)):
        return {
            each.name: record_set(getattr(value, each.name), with_records)
            if each.name == _RECORD_SETS and isinstance(getattr(value, each.name), memoryview)
            else _plain(getattr(value, each.name), version, with_records)
            for each in wire_fields(type(value))
            if each.since <= version <= each.until
        }
    if isinstance(value, WireChoice):
        if not value.payload:
            return value.kind.name
        return {value.kind.name: [_plain(part, version, with_records) for part in value.payload]}
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": len(value), "hex": bytes(value[:_MOST_BYTES_SHOWN]).hex(" ", 4)}
    if isinstance(value, list):
        return [_plain(item, version, with_records) for item in value]
    if isinstance(value, dict):
        return {
            str(_plain(key, version, with_records)): _plain(item, version, with_records)
            for key, item in value.items()
        }
    return value


def record_set(data: memoryview, with_records: bool) -> dict[str, Any]:
    """Summary of the batches in a record set; what is no batch at its end is told."""
    batches: list[dict[str, Any]] = []
    found: dict[str, Any] = {"bytes": len(data), "batches": batches}
    position = 0
    while position < len(data):
        try:
            size = announced_size(data, position)
            if len(data) - position < HEADER_BYTES or size is None or size > len(data) - position:
                found["cut_off_bytes"] = len(data) - position  # servers cut slices at a byte count
                break
            header = read_header(data, position)
        except DecodeError as exc:
            found |= {"reason": str(exc)} | _hex(bytes(data[position : position + MOST_HEX_BYTES]))
            break
        if len(batches) == _MOST_BATCHES:
            found["left_out_bytes"] = len(data) - position
            break
        batches.append(_batch(data, header, with_records))
        position += header.size_bytes
    return found


def _batch(data: memoryview, header: BatchHeader, with_records: bool) -> dict[str, Any]:
    number = header.codec_number
    found: dict[str, Any] = {
        "base_offset": header.base_offset,
        "last_offset": header.next_offset - 1,
        "count": header.record_count,
        "codec": Codec(number).name.lower() if number in list(Codec) else number,
        "bytes": header.size_bytes,
        "leader_epoch": header.leader_epoch,
        "first_timestamp": header.first_timestamp,
        "max_timestamp": header.max_timestamp,
        "crc_ok": crc_matches(data, header),
    }
    if with_records:
        found |= _records(data, header)
    return found


def _records(data: memoryview, header: BatchHeader) -> dict[str, Any]:
    try:
        records = decode_columns(data, header, _MOST_UNPACKED_BYTES).records()
    except DecodeError as exc:
        return {"reason": str(exc)}
    shown = [
        {
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": None if record.key is None else _text(record.key),
            "value": _text(record.value),
        }
        for record in records[:_MOST_RECORDS]
    ]
    left_out = len(records) - len(shown)
    return {"records": shown} | ({"left_out_records": left_out} if left_out else {})


def _text(data: bytes) -> Any:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}
