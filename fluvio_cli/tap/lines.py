"""Documents as lines: JSON for programs, text for people. The JSON is stable: docs/tap.md."""

import json
from collections.abc import Callable
from typing import Any

from fluvio_cli.output.records import format_timestamp
from fluvio_cli.tap.documents import document_of
from fluvio_cli.tap.events import Shown

MOST_LINE_CHARACTERS = 1500  # of a body; the JSON has all of it
_MOST_VALUE_CHARACTERS = 200
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+")


def json_line(event: Shown, *, with_records: bool) -> str:
    """One object on one line."""
    return json.dumps(document_of(event, with_records=with_records), ensure_ascii=False) + "\n"


def text_lines(event: Shown, *, with_records: bool) -> str:
    """A line for the event, and one for each record where records are wanted."""
    document = document_of(event, with_records=with_records)
    if document["event"] == "lost":
        return f"{'':15} {document['count']} events are missing here: whoever reads this is too slow\n"
    at = document["at"][11:26]
    rows: list[str] = []
    if document["event"] in ("request", "answer", "bytes"):
        told = f"#{document['connection']} {_frame(document, rows)}"
    else:
        told = _NOTES[document["event"]](document)
    return "".join(f"{line}\n" for line in (f"{at} {told}", *rows))


_NOTES: dict[str, Callable[[dict[str, Any]], str]] = {
    "open": lambda d: f"#{d['connection']} {d['client']} connects to {d['server']} at {d['address']}",
    "close": lambda d: f"#{d['connection']} is over: {d['reason']}",
    "listen": lambda d: f"{d['server']} at {d['address']} is reached at {d['listener']}",
}


def _frame(document: dict[str, Any], rows: list[str]) -> str:
    is_answer = "answer" in (document["event"], document.get("direction"))
    start = f"{document['server']} {'<' if is_answer else '>'}"
    if document["event"] == "bytes":
        return f"{start} {document['bytes']} B: {document['reason']}: {document['hex']}"
    name = document["api"] if document["key"] is None or document["api"] != "unknown" else "key"
    words = [start, name if name != "key" else f"key {document['key']}"]
    if document["object"]:
        words.append(document["object"])
    if document["version"] is not None:
        words.append(f"v{document['version']}")
    if document["id"] is not None:
        words.append(f"id={document['id']}")
    if document.get("push") is not None:
        words.append(f"push={document['push']}")
    words.append(f"{document['bytes']} B")
    if document.get("latency_ms") is not None:
        words.append(f"{document['latency_ms']:.1f} ms")
    if document.get("rewritten"):
        words.append("(passed on with this tap's addresses)")
    if "remark" in document:
        words.append(f"({document['remark']})")
    line = " ".join(words)
    if "reason" in document:
        return f"{line}: not decoded, {document['reason']}: {document['hex']}"
    body = _take_records(document["body"], rows)
    shown = compact(body)[1:-1] if isinstance(body, dict) else compact(body)
    if len(shown) > MOST_LINE_CHARACTERS:
        shown = f"{shown[:MOST_LINE_CHARACTERS]}… ({len(shown)} characters)"
    return f"{line} {shown}".rstrip()


def _take_records(value: Any, rows: list[str]) -> Any:
    """`value` with batches as short texts; their records become `rows`."""
    if isinstance(value, dict):
        if isinstance(value.get("batches"), list):
            return [_batch(each, rows) for each in value["batches"]] + [
                f"{key} {value[key]}" for key in ("cut_off_bytes", "left_out_bytes", "reason") if key in value
            ]
        return {key: _take_records(item, rows) for key, item in value.items()}
    return [_take_records(item, rows) for item in value] if isinstance(value, list) else value


def _batch(batch: dict[str, Any], rows: list[str]) -> str:
    for record in batch.get("records", ()):
        key = "" if record["key"] is None else f"{_short(record['key'])}: "
        when = format_timestamp(record["timestamp"])
        rows.append(f"{'':15}   {record['offset']} {when} {key}{_short(record['value'])}")
    if "left_out_records" in batch:
        rows.append(f"{'':15}   and {batch['left_out_records']} more")
    told = f"{batch['base_offset']}..{batch['last_offset']} {batch['count']} records {batch['codec']}"
    wrong = "" if batch["crc_ok"] else " WRONG CRC"
    broken = f" {batch['reason']}" if "reason" in batch else ""
    return f"{told} {batch['bytes']} B{wrong}{broken}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else f"base64 {value['base64']}"
    shown = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return shown if len(shown) <= _MOST_VALUE_CHARACTERS else f"{shown[:_MOST_VALUE_CHARACTERS]}…"


def compact(value: Any) -> str:
    """`{name: orders, partitions: [0, 1], key: null}`: JSON with as few marks as can be read."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {compact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(compact, value)) + "]"
    if isinstance(value, str) and value and not set(value) - _PLAIN:
        return value
    return json.dumps(value, ensure_ascii=False)
