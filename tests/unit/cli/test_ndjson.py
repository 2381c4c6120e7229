"""`consume -O ndjson`: a line a record, from which the record can be made again."""

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.output.records import RecordOptions, RecordRenderer
from fluvio_cli.streaming.ndjson_records import read_record
from fluvio_client.consumer.positions import ConsumerRecord


def line(value: bytes, key: bytes | None = None, timestamp: int = 1_700_000_000_123) -> str:
    renderer = RecordRenderer(RecordOptions(form="ndjson", with_key=True))
    assert not renderer.wants_values_only
    return renderer.render([ConsumerRecord(3, 7, timestamp, key, value)], "orders").decode()


def back(shown: Any) -> bytes | None:
    """The bytes of a key or value, as the description says."""
    if isinstance(shown, str):
        return shown.encode()
    if isinstance(shown, dict) and list(shown) == ["base64"]:
        return b64decode(shown["base64"])
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_line_has_all_members_in_order() -> None:
    assert line(b'{"a": 1}', b"k") == (
        '{"topic":"orders","partition":3,"offset":7,"timestamp":"2023-11-14T22:13:20.123Z",'
        '"key":"k","value":{"a": 1}}\n'
    )


def test_a_missing_time_or_key_is_null_but_an_empty_key_is_empty() -> None:
    assert '"timestamp":null,"key":null,' in line(b"x", None, -1)
    assert '"key":"",' in line(b"x", b"")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"text", '"text"'),
        (b"", '""'),
        (b"1.10e400", "1.10e400"),
        (b"12345678901234567890.123", "12345678901234567890.123"),
        (b"null", "null"),
        (b"NaN", '"NaN"'),
        (b'"quoted"', r'"\"quoted\""'),
        (b'{"base64":"eA=="}', r'"{\"base64\":\"eA==\"}"'),
        (b'{"base64":"eA==","b":1}', '{"base64":"eA==","b":1}'),
        (b'{\n"a":\r\n1}', '{ "a":  1}'),
        (b"\xff\x00", '{"base64":"/wA="}'),
        ("zwölf\nLinien".encode(), '"zwölf\\nLinien"'),
    ],
)
def test_values_stand_as_json_as_text_or_as_base64(value: bytes, shown: str) -> None:
    printed = line(value)
    assert printed.endswith(f'"value":{shown}}}\n')
    assert printed.count("\n") == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("base64"), inner),
    max_leaves=8,
)
_bytes = st.binary() | st.text().map(str.encode)
_values = _bytes | _json.map(
    lambda data: json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (b'{"value":"a"}', (None, b"a")),
        (b' { "key" : null , "value" : {"b": [1.50, 1e999]} } ', (None, b'{"b": [1.50, 1e999]}')),
        (b'{"topic":"t","partition":0,"offset":7,"timestamp":null,"key":"k","value":""}', (b"k", b"")),
        (b'{"key":{"base64":"/wA="},"value":{"base64":""}}', (b"\xff\x00", b"")),
        (b'{"value":{"base64":"eA==","b":1}}', (None, b'{"base64":"eA==","b":1}')),
        (b'{"value":' + b"9" * 10_000 + b"}", (None, b"9" * 10_000)),
        (b'{"value":1,"value":2}', (None, b"2")),
    ],
)
def test_a_line_is_read_as_a_record(text: bytes, record: tuple[bytes | None, bytes]) -> None:
    assert read_record(text) == record


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b'"a"', "no JSON object"),
        (b"{}", "no `value`"),
        (b'{"key":"k"}', "no `value`"),
        (b'{"vlaue":1}', "`vlaue` is no member of a record"),
        (b'{"value":1', "no JSON object"),
        (b'{"value":1}x', "no JSON object"),
        (b'{"value":1,}', "no JSON object"),
        (b'{"value" 1}', "no JSON object"),
        (b'{1:2,"value":1}', "no JSON object"),
        (b'{"value":NaN}', "NaN is no JSON"),
        (b'{"value":' + b"[" * 100_000, "no JSON object"),
        (b'{"value":1,"key":7}', "its `key` is neither"),
        (b'{"value":{"base64":"?"}}', "`base64` cannot be decoded"),
        (b'{"value":{"base64":7}}', "`base64` is no text"),
        (b'{"value":"\xff"}', "decode"),
        (b'{"value":"\\ud800"}', "encode"),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_record(text)


@given(value=_values, key=st.none() | _values)
def test_what_is_read_is_what_was_printed(value: bytes, key: bytes | None) -> None:
    breaks = bytes.maketrans(b"\r\n", b"  ")
    read_key, read_value = read_record(line(value, key).encode())
    assert read_key == key
    assert read_value in (value, value.translate(breaks))


@given(value=_values, key=st.none() | _values)
def test_every_record_comes_back_byte_for_byte(value: bytes, key: bytes | None) -> None:
    try:
        compact = json.dumps(json.loads(value.decode()), separators=(",", ":"), ensure_ascii=False).encode()
        is_compact = compact == value
    except (ValueError, RecursionError):
        is_compact = True  # no JSON
    printed = line(value, key)
    data = json.loads(printed)
    assert printed.count("\n") == 1
    assert (None if data["key"] is None else back(data["key"])) == key
    if is_compact:
        assert back(data["value"]) == value
    else:  # JSON with spaces or numbers in another form: the same text stands there
        assert (
            value.translate(bytes.maketrans(b"\r\n", b"  ")) in printed.encode()
            or back(data["value"]) == value
        )
