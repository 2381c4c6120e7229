"""Damaged frames decode or raise `DecodeError`, in little time and memory, whatever they announce."""

import tracemalloc

import pytest

from fluvio_protocol.api.admin import ListEnvelope, payload_type
from fluvio_protocol.api.offsets import FetchOffsetsRequest
from fluvio_protocol.api.spu import IngressPort
from fluvio_protocol.api.topic import TopicStatus
from fluvio_protocol.wire import MAX_ELEMENTS, DecodeError, Reader, decode, u32
from tests.fuzz.mutations import BYTES_PER_BYTE, run

SEED = 20_261_125


def test_a_hundred_thousand_mutations_decode_or_are_refused_soon():
    outcome = run(100_000, SEED)
    assert outcome.failures == [], f"seed {SEED}"
    assert outcome.decoded > 10_000
    assert outcome.refused > 50_000


@pytest.mark.parametrize(
    ("wire_type", "head"),
    [
        (FetchOffsetsRequest, ""),
        (IngressPort, "0000"),
        (payload_type(ListEnvelope, "Topic", answer=True), ""),
        (payload_type(ListEnvelope, "SmartModule", answer=True), ""),
        (list[str], ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [0x7FFF_FFFF, 30_000, 10_000, 3_000])
def test_a_count_costs_memory_in_proportion_to_the_bytes_that_are_there(wire_type, head, count):
    data = bytes.fromhex(head) + count.to_bytes(4, "big") + bytes(60_000)
    tracemalloc.start()
    try:
        decode(wire_type, data, 19)
    except DecodeError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < BYTES_PER_BYTE * len(data)


def test_a_count_above_what_is_left_is_refused_before_anything_is_allocated():
    data = (0x7FFF_FFFF).to_bytes(4, "big") + bytes(1000)
    tracemalloc.start()
    with pytest.raises(DecodeError, match="2147483647 elements announced at byte 4, 1000 bytes are left"):
        decode(list[u32], data, 0)
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024
    tracemalloc.stop()


def test_a_map_larger_than_its_bytes_is_refused():
    with pytest.raises(DecodeError, match="TopicStatus v19: 65535 elements announced"):
        decode(TopicStatus, b"\x00\xff\xff" + bytes(100), 19)


def test_all_lists_of_one_input_share_one_allowance():
    count = MAX_ELEMENTS // 2 + 1
    two_lists = (count.to_bytes(4, "big") + bytes(count * 4)) * 2
    reader = Reader(two_lists)
    decode(list[u32], reader, 0)
    with pytest.raises(DecodeError, match=f"more than {MAX_ELEMENTS} elements"):
        decode(list[u32], reader, 0)
