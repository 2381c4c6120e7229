"""Compares decoded structs with the JSON that came with the captured frames, field by field.

The JSON has the field names of the wire and the variant names of the upstream source. `differences` returns
one line per disagreement, so an empty list is the proof.
"""

import enum
import hashlib
from collections.abc import Iterator
from typing import Any

from fluvio_protocol import batch
from fluvio_protocol.api import admin, mirror, smartmodule_invocation, topic
from fluvio_protocol.compression import Codec
from fluvio_protocol.wire import WireChoice, is_wire_struct, wire_fields

# Upstream's names of the variants whose payload is a struct.
VARIANTS: dict[str, set[type]] = {
    "Computed": {topic.TopicReplicaParam},
    "Assigned": {topic.AssignedReplicas},
    "Mirror": {topic.MirrorReplicas},
    "Segment": {topic.SegmentBasedPolicy},
    "AddPartition": {topic.AddPartition},
    "AddMirror": {topic.AddMirror},
    "Remote": {mirror.RemoteMirror, mirror.RemoteMirrorConfig, mirror.RemotePartitionConfig},
    "Home": {mirror.HomeMirror, mirror.HomeMirrorConfig, mirror.HomePartitionConfig},
    "Predefined": {smartmodule_invocation.PredefinedWasm},
    "AdHoc": {smartmodule_invocation.AdHocWasm},
}
# Upstream misspells two codes; ours are spelled as the words are.
SPELLINGS = {"fetchsessionnotfoud": "fetchsessionnotfound", "spuregisterationfailed": "spuregistrationfailed"}


def differences(value: Any, expected: Any, version: int, path: str = "") -> list[str]:
    """Where `value` is not what `expected` says, at a version."""
    return list(_compare(value, expected, version, path))


def _compare(value: Any, expected: Any, version: int, path: str) -> Iterator[str]:
    if isinstance(value, admin.DeleteCustomSpuByName | admin.DeleteCustomSpuById):
        yield from _compare_custom_spu_key(value, expected, path)
    elif isinstance(value, WireChoice):
        yield from _compare_choice(value, expected, version, path)
    elif is_wire_struct(type(value)):
        yield from _compare_struct(value, expected, version, path)
    elif isinstance(value, enum.IntEnum):
        yield from _compare_name(value, expected, path)
    elif isinstance(value, bytes | memoryview):
        yield from _compare_bytes(bytes(value), expected, path)
    elif isinstance(value, list):
        if len(value) != len(expected):
            yield f"{path}: {len(value)} elements, not {len(expected)}"
        for index, (mine, theirs) in enumerate(zip(value, expected, strict=False)):
            yield from _compare(mine, theirs, version, f"{path}[{index}]")
    elif isinstance(value, dict):
        if {str(key) for key in value} != set(expected):
            yield f"{path}: keys {list(value)}, not {list(expected)}"
        for key in value:
            yield from _compare(value[key], expected.get(str(key)), version, f"{path}[{key}]")
    elif value != expected or type(value) is not type(expected):
        yield f"{path}: {value!r}, not {expected!r}"


def _compare_custom_spu_key(value: Any, expected: Any, path: str) -> Iterator[str]:
    key = value.name if isinstance(value, admin.DeleteCustomSpuByName) else value.id
    found = {"key": {"variant": value.tag, "fields": [key]}, "force": value.force}
    if found != expected:
        yield f"{path}: {found}, not {expected}"


def _compare_name(value: enum.IntEnum, expected: Any, path: str) -> Iterator[str]:
    mine = value.name.replace("_", "").lower()
    theirs = str(expected).replace("_", "").lower()
    if SPELLINGS.get(theirs, theirs) != mine and theirs != str(value.value):
        yield f"{path}: {value!r}, not {expected!r}"


def _variant(expected: Any) -> tuple[str, list[Any]]:
    """Both ways in which the files write a variant: named parts, or one key."""
    if isinstance(expected, str | int):
        return str(expected), []
    if "variant" in expected:
        return expected["variant"], expected["fields"]
    ((name, content),) = expected.items()
    return name, [content]


def _compare_choice(value: WireChoice, expected: Any, version: int, path: str) -> Iterator[str]:
    name, fields = _variant(expected)
    yield from _compare_name(value.kind, name, path)
    yield from _compare(list(value.payload), fields, version, f"{path}.{name}")


def _compare_struct(value: Any, expected: Any, version: int, path: str) -> Iterator[str]:
    present = [each.name for each in wire_fields(type(value)) if each.since <= version <= each.until]
    absent = {each.name.rstrip("_") for each in wire_fields(type(value))} - {n.rstrip("_") for n in present}
    if any(type(value) in classes for classes in VARIANTS.values()) and not _is_plain(expected, present):
        name, fields = _variant(expected)
        if type(value) not in VARIANTS.get(name, ()):
            yield f"{path}: {type(value).__name__}, not {name}"
        if len(fields) == 1 and _is_plain(fields[0], present):
            expected = fields[0]
        else:
            expected = dict(zip((name.rstrip("_") for name in present), fields, strict=True))
    if {name.rstrip("_") for name in present} != set(expected) - absent:
        yield f"{path}: fields {present}, not {sorted(expected)}"
    for name in present:
        theirs = expected.get(name.rstrip("_"))
        mine = getattr(value, name)
        if isinstance(theirs, dict) and "batches" in theirs:
            yield from _compare_records(memoryview(mine), theirs, f"{path}.{name}")
        else:
            yield from _compare(mine, theirs, version, f"{path}.{name}")


def _is_plain(expected: Any, names: list[str]) -> bool:
    return isinstance(expected, dict) and set(expected) >= {name.rstrip("_") for name in names}


def _compare_bytes(value: bytes, expected: Any, path: str) -> Iterator[str]:
    if "sha256" in expected:
        same = [len(value), hashlib.sha256(value).hexdigest()] == [expected["bytes"], expected["sha256"]]
    elif "head" in expected:
        head = bytes.fromhex(expected["head"])
        same = len(value) == expected["len"] and value.startswith(head)
    else:
        same = value == bytes.fromhex(expected["hex"])
    if not same:
        yield f"{path}: {len(value)} bytes {value[:16].hex()}..., not {expected}"


HEADER_NAMES = (
    "base_offset", "batch_len", "leader_epoch", "magic", "crc", "attributes", "last_offset_delta",
    "first_timestamp", "max_timestamp", "producer_id", "producer_epoch", "first_sequence",
)  # fmt: skip


def _compare_records(data: memoryview, expected: Any, path: str) -> Iterator[str]:
    """Walk a record set as our client does; every CRC, header field and record must be right."""
    headers = batch.split(data)
    if len(headers) != len(expected["batches"]):
        yield f"{path}: {len(headers)} batches, not {len(expected['batches'])}"
    end = 0
    for index, (header, theirs) in enumerate(zip(headers, expected["batches"], strict=False)):
        end = header.position + header.size_bytes
        yield from _compare_batch(data, header, theirs, f"{path}[{index}]")
    tail = bytes(data[end:])
    theirs = expected.get("tail", b"")
    wanted = bytes.fromhex(theirs["hex"]) if isinstance(theirs, dict) else theirs or b""
    if tail != wanted:
        yield f"{path}: a tail of {len(tail)} bytes, not {theirs}"
    if "len" in expected and expected["len"] != len(data):
        yield f"{path}: {len(data)} bytes, not {expected['len']}"


def _compare_batch(data: memoryview, header: batch.BatchHeader, theirs: Any, path: str) -> Iterator[str]:
    fields = dict(zip(HEADER_NAMES, batch.HEADER.unpack_from(data, header.position), strict=True))
    for name in set(HEADER_NAMES) & set(theirs):
        if fields[name] != theirs[name]:
            yield f"{path}.{name}: {fields[name]}, not {theirs[name]}"
    if not batch.crc_matches(data, header):
        yield f"{path}: the CRC is wrong"
    area = bytes(batch.records_area(data, header))
    records = batch.decode_records(data, header)
    yield from _compare_rebuilt(area, records, header, path)
    if "codec" in theirs and Codec(header.codec_number).name.lower() != theirs["codec"]:
        yield f"{path}: codec {header.codec_number}, not {theirs['codec']}"
    if "records_area_hex" in theirs and area.hex() != theirs["records_area_hex"]:
        yield f"{path}: another records area"
    if "compressed" in theirs:
        packed = data[header.position + batch.HEADER_BYTES : header.position + header.size_bytes]
        yield from _compare_bytes(bytes(packed), theirs["compressed"], f"{path}.compressed")
    if "records" not in theirs:
        return
    if len(records) != len(theirs["records"]):
        yield f"{path}: {len(records)} records, not {len(theirs['records'])}"
    for index, (record, their) in enumerate(zip(records, theirs["records"], strict=False)):
        key = None if their["key"] is None else bytes.fromhex(their["key"]["hex"])
        has_time = header.first_timestamp > 0
        timestamp = header.first_timestamp + their["ts_delta"] if has_time else batch.NO_TIMESTAMP
        value = bytes.fromhex(their["value"]["hex"])
        wanted = batch.Record(header.base_offset + index, timestamp, key, value)
        # Our records do not keep these three: that they are as expected follows from the rebuilt area.
        rest = (their["attr"], their["off_delta"], their["headers"])
        if record != wanted or rest != (0, index, 0):
            yield f"{path}.records[{index}]: {record}, not {wanted}"


def _compare_rebuilt(
    area: bytes, records: list[batch.Record], header: batch.BatchHeader, path: str
) -> Iterator[str]:
    builder = batch.BatchBuilder(header.first_timestamp)
    for record in records:
        builder.append(record.key, record.value, record.timestamp)
    if bytes(builder.build()[batch.HEADER_BYTES :]) != area:
        yield f"{path}: our builder makes another records area"
