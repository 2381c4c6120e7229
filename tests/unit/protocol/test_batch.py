"""Batch headers as servers use them: walking a record set, the CRC, and what a leader stamps."""

import pytest

from fluvio_protocol import batch
from fluvio_protocol.batch import BatchBuilder, BatchError
from fluvio_protocol.compression import Codec


def built(count: int = 1, codec: Codec = Codec.NONE, value: bytes = b"value") -> bytearray:
    builder = BatchBuilder(1_795_405_329_148)
    for index in range(count):
        builder.append(None, value, 1_795_405_329_148 + index)
    return builder.build(codec)


def test_a_header_has_its_fields_at_the_documented_places():
    header = batch.read_header(built(3))
    assert (header.position, header.base_offset, header.leader_epoch) == (0, 2, -1)
    assert (header.last_offset_delta, header.record_count, header.next_offset) == (2, 3, 5)
    assert (header.first_timestamp, header.max_timestamp) == (1_795_405_329_148, 1_795_405_329_150)
    assert header.size_bytes == len(built(3))
    assert batch.HEADER_BYTES == 57


@pytest.mark.parametrize(
    ("position", "replacement", "message"),
    [
        (16, b"\x01", "batch magic is 1, not 2"),
        (8, b"\0\0\0\x2c", "batch length 44 is less than 45"),
        (8, b"\xff\xff\xff\xff", "batch length -1 is less than 45"),
        (23, b"\xff\xff\xff\xfe", "last offset delta is -2"),
    ],
)
def test_a_header_that_is_no_batchs_is_refused(position, replacement, message):
    data = built()
    data[position : position + len(replacement)] = replacement
    with pytest.raises(BatchError, match=message):
        batch.read_header(data)
    with pytest.raises(BatchError, match=message):
        batch.split(data)
    with pytest.raises(BatchError, match=message):
        list(batch.spans(data))


def test_a_header_needs_its_57_bytes():
    with pytest.raises(BatchError, match="a batch header needs 57 bytes, 56 are left"):
        batch.read_header(built()[:56])
    with pytest.raises(BatchError):
        batch.read_header(built(), 30)


def test_split_finds_every_whole_batch_and_stops_before_a_cut_one_wherever_it_is_cut():
    first, second = built(1), built(4)
    data = bytes(first + second)
    assert [header.position for header in batch.split(data)] == [0, len(first)]
    for cut in range(len(first), len(data)):
        assert [header.position for header in batch.split(data[:cut])] == [0]
    for cut in range(len(first)):
        assert batch.split(data[:cut]) == []


def test_spans_finds_the_same_batches_as_split_and_of_each_what_its_header_says():
    data = bytes(built(1) + built(4) + built(2))
    for cut in range(len(data) + 1):
        assert list(batch.spans(data[:cut])) == [
            (
                found.position,
                found.position + found.size_bytes,
                found.base_offset,
                found.next_offset,
                found.crc,
            )
            for found in batch.split(data[:cut])
        ]


def test_announced_size_is_known_from_the_first_twelve_bytes():
    data = built()
    assert batch.announced_size(data[:11]) is None
    assert batch.announced_size(data[:12]) == len(data)
    assert batch.announced_size(b"xx" + data, 2) == len(data)


def test_the_crc_covers_attributes_and_records_and_nothing_before():
    data = built()
    header = batch.read_header(data)
    assert batch.crc_matches(data, header)
    for position in range(len(data)):
        if 17 <= position < 21:
            continue  # the CRC itself
        damaged = bytearray(data)
        damaged[position] ^= 1
        assert batch.crc_matches(damaged, header) is (position < batch.CRC_START)


@pytest.mark.parametrize("codec", Codec)
def test_stamping_offset_and_epoch_leaves_crc_and_records_alone(codec):
    data = bytearray(b"before") + built(3, codec)
    before = bytes(data)
    batch.stamp(data, 6, 1000, 7)
    header = batch.read_header(data, 6)
    assert (header.base_offset, header.leader_epoch) == (1000, 7)
    assert batch.crc_matches(data, header)
    assert [record.offset for record in batch.decode_records(memoryview(data), header)] == [1000, 1001, 1002]
    assert data[18:22] != b""
    assert bytes(data[22:]) == before[22:]
    assert data[:6] == b"before"


@pytest.mark.parametrize("codec", Codec)
def test_records_survive_every_codec(codec):
    data = built(50, codec, b"value " * 20)
    header = batch.read_header(data)
    assert header.codec_number == codec
    assert [record.value for record in batch.decode_records(memoryview(data), header)] == [
        b"value " * 20
    ] * 50


def test_a_schema_id_in_front_of_the_records_is_skipped():
    area = bytes.fromhex("0000002a 00000001 14 00 00 00 00 08 74657374 00")
    data = batch.assemble(area, count=1, attributes=0x10, first_timestamp=1, max_timestamp=1)
    (record,) = batch.decode_records(memoryview(data), batch.read_header(data))
    assert record == batch.Record(0, 1, None, b"test")


def test_a_schema_flag_without_room_for_the_id_is_refused():
    data = batch.assemble(b"\0\0", count=1, attributes=0x10, first_timestamp=1, max_timestamp=1)
    with pytest.raises(BatchError, match="too short"):
        batch.decode_records(memoryview(data), batch.read_header(data))


@pytest.mark.parametrize("number", [5, 6, 7])
def test_an_unknown_codec_is_refused(number):
    data = batch.assemble(bytes(4), count=0, attributes=number, first_timestamp=1, max_timestamp=1)
    with pytest.raises(BatchError, match=f"unknown codec {number}"):
        batch.decode_records(memoryview(data), batch.read_header(data))


@pytest.mark.parametrize(
    ("hexadecimal", "message"),
    [
        ("00", "no count"),
        ("00000002 0c 00 00 00 00 00 00", "2 records announced in 11 bytes"),
        ("ffffffff", "-1 records announced"),
        ("00000001 7e 00 00 00 00 00 00", "past the end of its batch"),
        ("00000001 0c 00 00 00 00 7e 00", "past its end"),
        ("00000001 0c 00 00 00 01 7e 00", "past"),
        ("00000001 0c 00 00 00 02 00 00", "past its end"),
        ("00000001 0c 00 80 80 80 80 80", "past the end"),
        ("00000001 ffffffffffffffffffffff", "too many bytes|past"),
    ],
)
def test_damaged_records_are_refused(hexadecimal, message):
    area = bytes.fromhex(hexadecimal)
    data = batch.assemble(area, count=1, attributes=0, first_timestamp=1, max_timestamp=1)
    with pytest.raises(BatchError, match=message):
        batch.decode_records(memoryview(data), batch.read_header(data))


def test_a_batch_of_module_output_without_times_has_records_without_times():
    area = bytes.fromhex("00000001 0e 00 00 00 00 02 61 00")
    data = batch.assemble(area, count=1, attributes=0, first_timestamp=-1, max_timestamp=-1)
    (record,) = batch.decode_records(memoryview(data), batch.read_header(data))
    assert record.timestamp == batch.NO_TIMESTAMP


def test_an_empty_batch_takes_no_offset():
    header = batch.read_header(BatchBuilder(5).build())
    assert (header.last_offset_delta, header.record_count, header.next_offset - header.base_offset) == (
        -1,
        0,
        0,
    )
