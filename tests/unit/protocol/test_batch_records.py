"""Building and reading records: the fast ways give what the plain way gives."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_protocol import record_shapes
from fluvio_protocol.batch import (
    BatchBuilder,
    BatchError,
    Record,
    assemble,
    decode_columns,
    decode_records,
    read_header,
)
from fluvio_protocol.compression import Codec
from fluvio_protocol.wire import DecodeError, encode_varint

NOW = 1_700_000_000_000
SIZES = [
    0,
    1,
    6,
    54,
    55,
    56,
    57,
    58,
    59,
    60,
    61,
    62,
    63,
    64,
    65,
    66,
    67,
    127,
    128,
    8190,
    8191,
    8192,
    8193,
    70_000,
]


def plain_record(index: int, delta: int, key: bytes | None, value: bytes) -> bytes:
    """One record by the layout of docs/protocol.md, field after field."""
    key_part = b"\0" if key is None else b"\1" + encode_varint(len(key)) + key
    body = b"\0" + encode_varint(delta) + encode_varint(index) + key_part
    body += encode_varint(len(value)) + value + encode_varint(0)
    return encode_varint(len(body)) + body


def plain_batch(rows: list[tuple[int, bytes | None, bytes]]) -> bytearray:
    area = len(rows).to_bytes(4, "big")
    area += b"".join(plain_record(i, delta, key, value) for i, (delta, key, value) in enumerate(rows))
    last = NOW + rows[-1][0] if rows else NOW
    return assemble(area, count=len(rows), attributes=0, first_timestamp=NOW, max_timestamp=last)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 1 << 20) | st.integers(0, 70),
        st.none() | st.binary(max_size=200),
        st.binary(max_size=300),
    ),
    max_size=150,
)


@given(ROWS)
def test_the_builder_writes_the_documented_layout_and_the_reader_reads_it(
    rows: list[tuple[int, bytes | None, bytes]],
) -> None:
    builder = BatchBuilder(NOW)
    for delta, key, value in rows:
        builder.append(key, value, NOW + delta)
    built = builder.build()
    assert built == plain_batch(rows)
    assert len(built) == builder.size_bytes
    wanted = [Record(i, NOW + delta, key, value) for i, (delta, key, value) in enumerate(rows)]
    header = read_header(built)
    header.base_offset = 0
    assert decode_records(memoryview(built), header) == wanted


@pytest.mark.parametrize("key", [None, b"", b"k", b"k" * 63, b"k" * 64, b"k" * 9000])
@pytest.mark.parametrize("delta", [0, 1, 63, 64, 10_000])
def test_every_size_at_the_edge_of_a_varint_round_trips(key: bytes | None, delta: int) -> None:
    rows = [(delta, key, bytes([size % 251]) * size) for size in SIZES for _ in range(4)]
    header = read_header(plain_batch(rows))
    columns = decode_columns(memoryview(plain_batch(rows)), header)
    assert columns.values == [value for _, _, value in rows]
    assert columns.keys == [key] * len(rows)
    assert columns.timestamps == [NOW + delta] * len(rows)


def test_more_records_than_a_two_byte_index_holds_round_trip() -> None:
    values = [b"%d" % i for i in range(9000)]
    builder = BatchBuilder(NOW)
    assert builder.extend(values, 0, 1 << 30, NOW + 3) == len(values)
    built = builder.build()
    assert built == plain_batch([(3, None, value) for value in values])
    assert decode_columns(memoryview(built), read_header(built)).values == values


@pytest.mark.parametrize("given_at_once", [40_000, 7_001])
def test_more_values_of_one_size_than_tables_are_kept_for_round_trip(given_at_once: int) -> None:
    values = [b"%05d" % i for i in range(40_000)]
    assert len(values) > record_shapes._ROWS
    builder = BatchBuilder(NOW)
    for start in range(0, len(values), given_at_once):
        chunk = values[start : start + given_at_once]
        assert builder.extend(chunk, 0, 1 << 30, NOW) == len(chunk)
    built = builder.build()
    assert built == plain_batch([(0, None, value) for value in values])


def test_tables_are_kept_for_few_sizes_at_a_time() -> None:
    for size in range(1, 50):
        assert BatchBuilder(NOW).extend([b"x" * size] * 3, 0, 1 << 20, NOW) == 3
    assert 0 < len(record_shapes._middles) <= record_shapes._TABLES


@given(st.lists(st.binary(max_size=120), max_size=200), st.integers(61, 6000), st.integers(0, 200))
def test_extend_fills_a_batch_exactly_as_far_as_append_would(
    values: list[bytes], max_bytes: int, delta: int
) -> None:
    slow, fast = BatchBuilder(NOW), BatchBuilder(NOW)
    fitting = 0
    for value in values:
        probe = BatchBuilder(NOW)
        for earlier in values[: fitting + 1]:
            probe.append(None, earlier, NOW + delta)
        if probe.size_bytes > max_bytes:
            break
        slow.append(None, value, NOW + delta)
        fitting += 1
    assert fast.extend(values, 0, max_bytes, NOW + delta) == fitting
    assert fast.size_bytes == slow.size_bytes
    assert fast.build() == slow.build()


def test_a_negative_timestamp_delta_round_trips() -> None:
    rows = [(0, None, b"a"), (-5, None, b"b"), (-70_000, b"k", b"c")]
    built = plain_batch(rows)
    assert decode_columns(memoryview(built), read_header(built)).timestamps == [NOW, NOW - 5, NOW - 70_000]


def test_a_batch_without_first_timestamp_has_records_without_timestamps() -> None:
    area = (1).to_bytes(4, "big") + plain_record(0, 7, None, b"x")
    built = assemble(area, count=1, attributes=0, first_timestamp=0, max_timestamp=0)
    assert decode_columns(memoryview(built), read_header(built)).timestamps == [-1]


@pytest.mark.parametrize("codec", list(Codec))
def test_every_codec_round_trips(codec: Codec) -> None:
    builder = BatchBuilder(NOW)
    builder.extend([b"value"] * 100, 0, 1 << 20, NOW)
    built = builder.build(codec)
    assert decode_columns(memoryview(built), read_header(built)).values == [b"value"] * 100


@pytest.mark.parametrize("key", [None, b"key"])
def test_every_cut_of_the_records_area_is_refused(key: bytes | None) -> None:
    rows = [(0, key, b"first value"), (0, key, b"second value")]
    area = bytes(plain_batch(rows)[57:])
    for cut in range(len(area)):
        built = assemble(area[:cut], count=2, attributes=0, first_timestamp=NOW, max_timestamp=NOW)
        with pytest.raises(DecodeError):
            decode_columns(memoryview(built), read_header(built))


def test_changed_bytes_either_decode_or_raise_and_values_stay_inside_their_record() -> None:
    source = random.Random(7)
    rows: list[tuple[int, bytes | None, bytes]] = [
        (i % 3, None if i % 2 else b"key", b"v" * (i + 40)) for i in range(70)
    ]
    area = bytes(plain_batch(rows)[57:])
    for _ in range(3000):
        damaged = bytearray(area)
        for _ in range(source.randint(1, 3)):
            damaged[source.randrange(4, len(damaged))] = source.randrange(256)
        built = assemble(damaged, count=70, attributes=0, first_timestamp=NOW, max_timestamp=NOW)
        try:
            columns = decode_columns(memoryview(built), read_header(built))
        except DecodeError:
            continue
        assert len(columns.values) == len(columns.keys) == len(columns.timestamps) == 70
        assert sum(map(len, columns.values)) <= len(area)


def test_more_records_announced_than_can_be_there_are_refused() -> None:
    built = assemble(b"\x7f\xff\xff\xff", count=1, attributes=0, first_timestamp=NOW, max_timestamp=NOW)
    with pytest.raises(BatchError, match="announced"):
        decode_columns(memoryview(built), read_header(built))
