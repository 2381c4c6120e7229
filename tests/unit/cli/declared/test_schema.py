"""The JSON schema and the reader take the same declarations, and refuse the same."""

import copy
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fluvio_cli.declared import reading
from fluvio_cli.values import _DURATION_UNITS
from fluvio_cli.yaml_files import parse_yaml
from fluvio_types.errors import FluvioError

ROOT = Path(__file__).parents[4]
SCHEMA = json.loads((ROOT / "fluvio_cli/declared/declaration.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WHOLE: dict[str, Any] = {
    "version": 1,
    "topics": {
        "orders": {
            "partition": {
                "count": 3,
                "replication": 1,
                "ignore-rack-assignment": True,
                "max-size": "10.5 GB",
            },
            "retention": {"time": "1h 30m", "segment-size": "64 MiB"},
            "compression": {"type": "Lz4"},
            "deduplication": {
                "bounds": {"count": 5, "age": "1m"},
                "filter": {"transform": {"uses": "a/b@0.1.0", "with": {"key": "v", "n": 1}}},
            },
        },
        "placed": {"partition": {"maps": [{"id": 0, "replicas": [5001, 5002]}]}},
        "plain": None,
    },
    "table-formats": {
        "hosts": {
            "inputFormat": "JSON",
            "columns": [
                {
                    "keyPath": "ip",
                    "headerLabel": "IP",
                    "width": 20,
                    "alignment": "LEFT",
                    "format": "f",
                    "display": True,
                    "primaryKey": False,
                    "headerBgColor": "BLUE",
                    "headerTextColor": "GREEN",
                }
            ],
            "smartmodule": "m",
        },
        "plain": {},
    },
    "profiles": {
        "prod": {
            "endpoint": "sc.example.com:9003",
            "cluster": "big",
            "use_spu_local_address": False,
            "installation": "docker",
            "protection": "read-only",
            "description": "orders, Frankfurt",
            "tls": {
                "tls_policy": "verified",
                "tls_source": "files",
                "certs": {"domain": "d", "key": "k.pem", "cert": "c.pem", "ca_cert": "ca.pem"},
            },
        },
        "inline": {
            "endpoint": "[::1]:9003",
            "tls": {
                "tls_policy": "verified",
                "tls_source": "inline",
                "certs": {"domain": "d", "cert": "CERT", "ca_cert": "CA"},
            },
        },
        "open": {"endpoint": "h:1", "tls": {"tls_policy": "anonymous"}},
    },
}
VALUES = (
    *(
        None,
        True,
        False,
        -1,
        0,
        1,
        2**32 - 1,
        2**32,
        65_535,
        65_536,
        1.5,
        [],
        {},
        [1],
        {"a": 1},
        "",
        "x",
        "0",
    ),
    *("2d", "2 days", "d2", "5", "1h30m", "2 D", "1M", "1.5 h", "64 MB", "1.", ".5kb", "..", "1.2.3", "64 X"),
    *("1 Kib", "-1", "any", "ANY", "Gzip", "JSON", "json", "RIGHT", "left", "BLUE", "007", "0", "65535"),
    *("65536", "h:1", "h", "h:", "a b:1", "::1:1", "normal", "protected", "cloud", "verified", "verify"),
    *("disabled", "anonymous", "inline", "files", "two\nlines", "a" * 1001),
)
NAMES = (
    "a",
    "",
    "A",
    "-a",
    "a-",
    "a" * 63,
    "a" * 64,
    "a_b",
    "a.b",
    ".a",
    "a" * 201,
    "on",
    "é",
    "a\tb",
    "a b",
)


def reader_takes(document: Any) -> bool:
    try:
        reading._read_document("file", document)
    except FluvioError:
        return False
    return True


def places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a document, and to an unknown key of each mapping."""
    yield way
    if isinstance(document, dict):
        yield (*way, "unknown")
        for key, value in document.items():
            yield from places(value, (*way, key))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from places(value, (*way, position))


def with_value(way: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(WHOLE)
    holder = document
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = value
    return document


@pytest.mark.parametrize(
    "way", [way for way in places(WHOLE) if way], ids=lambda way: ".".join(map(str, way))
)
def test_whatever_stands_at_a_place_both_judge_it_alike(way: tuple[Any, ...]) -> None:
    disputed = [
        value
        for value in VALUES
        if VALIDATOR.is_valid(with_value(way, value)) != reader_takes(with_value(way, value))
    ]
    # What a schema cannot say: that the ids of partitions are in sequence.
    if way[-1] == "id":
        disputed = [value for value in disputed if not isinstance(value, int) or value < 1]
    assert disputed == []


def without(way: tuple[Any, ...]) -> Any:
    document = copy.deepcopy(WHOLE)
    holder = document
    for step in way[:-1]:
        holder = holder[step]
    del holder[way[-1]]
    return document


def test_whatever_is_missing_both_judge_it_alike() -> None:
    ways = [way for way in places(WHOLE) if way and way[-1] != "unknown" and not isinstance(way[-1], int)]
    refused = {way[-1] for way in ways if not reader_takes(without(way))}
    assert [way for way in ways if VALIDATOR.is_valid(without(way)) != reader_takes(without(way))] == []
    assert {"version", "endpoint", "keyPath", "tls_policy", "key", "replicas", "uses", "bounds"} <= refused


@pytest.mark.parametrize("section", ["topics", "table-formats", "profiles"])
def test_both_judge_names_alike(section: str) -> None:
    content = {"endpoint": "h:1"} if section == "profiles" else {}
    documents = {name: {"version": 1, section: {name: content}} for name in NAMES}
    disputed = [
        name for name, document in documents.items() if VALIDATOR.is_valid(document) != reader_takes(document)
    ]
    assert disputed == []


@pytest.mark.parametrize("document", [None, [], "x", {}, {"version": 2}, {"version": "1"}, {"version": True}])
def test_both_refuse_what_is_no_declaration(document: Any) -> None:
    assert not VALIDATOR.is_valid(document)
    assert not reader_takes(document)


@pytest.mark.parametrize(
    "partition",
    [
        {"maps": [], "count": 1},
        {"maps": [], "count": None},
        {"maps": None, "count": 2},
        {"maps": [], "ignore-rack-assignment": False},
        {"maps": [], "max-size": 1},
        {"maps": [{"id": 0, "replicas": [], "leader": 1}]},
    ],
)
def test_both_judge_placements_alike(partition: Any) -> None:
    document = {"version": 1, "topics": {"t": {"partition": partition}}}
    assert VALIDATOR.is_valid(document) == reader_takes(document)


def test_the_schema_is_one_and_takes_the_whole_layout() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(WHOLE)
    assert reader_takes(WHOLE)


def test_what_is_documented_is_taken_by_both() -> None:
    text = (ROOT / "docs/declared-state.md").read_text(encoding="utf-8")
    documents = [parse_yaml(block, "f", ValueError) for block in re.findall(r"```yaml\n(.*?)```", text, re.S)]
    documents += [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, re.S)]
    assert len(documents) == 2
    for document in documents:
        VALIDATOR.validate(document)
        assert reader_takes(document)


def test_the_schema_knows_all_units_of_time() -> None:
    pattern = SCHEMA["$defs"]["duration"]["anyOf"][1]["pattern"]
    assert all(re.search(pattern, f"1 {unit}") for unit in _DURATION_UNITS)
    assert not re.search(pattern, "1 x")
