"""`consume -O ndjson`: one JSON object a line and record, from which the record can be made again.

    {"topic":"t","partition":0,"offset":7,"timestamp":"2026-01-31T08:00:00.000Z","key":null,"value":{"a":1}}

The members and their order are stable: docs/cli-json-output.md. `timestamp` is null for a record without one,
`key` for one without a key. Bytes that are no UTF-8 are {"base64": "..."}. A value that is a JSON object,
array, number, true, false or null stands there as it came, to the digit (line breaks in it become spaces);
every other value is a text. So that both ways are unique, two kinds of JSON values are written as text too: a
JSON text, and an object whose only member is `base64`.
"""

import json
from typing import TYPE_CHECKING

from fluvio_cli.output.queries import NOT_JSON, parse_json

if TYPE_CHECKING:
    from fluvio_cli.output.records import ShownRecord

_BREAKS = bytes.maketrans(b"\r\n", b"  ")  # outside of JSON texts they mean nothing, inside they cannot be


def ndjson_line(record: "ShownRecord", topic: str) -> bytes:
    """The line of one record."""
    from fluvio_cli.output.records import NO_TIME, format_timestamp

    moment = format_timestamp(record.timestamp)
    return b'{"topic":%b,"partition":%d,"offset":%d,"timestamp":%b,"key":%b,"value":%b}\n' % (
        json.dumps(topic, ensure_ascii=False).encode(),
        record.partition,
        record.offset,
        b"null" if moment == NO_TIME else b'"%b"' % moment.encode(),
        b"null" if record.key is None else json_text(record.key),
        json_value(record.value),
    )


def json_text(data: bytes) -> bytes:
    """Bytes as a JSON text, or as {"base64": ...} when they are no UTF-8."""
    try:
        return json.dumps(data.decode(), ensure_ascii=False).encode()
    except UnicodeDecodeError:
        from base64 import b64encode

        return b'{"base64":"%b"}' % b64encode(data)


def json_value(value: bytes) -> bytes:
    """A record's value as it stands in a line."""
    found = parse_json(value)
    if found is NOT_JSON or isinstance(found, str) or (isinstance(found, dict) and list(found) == ["base64"]):
        return json_text(value)
    return value.translate(_BREAKS)
