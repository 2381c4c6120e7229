"""Frames come out whole, however the bytes come in."""

import random
import struct

import pytest

from fluvio_client.receiving import FrameReceiver
from fluvio_protocol.frame import FrameTooLargeError


def feed(receiver: FrameReceiver, data: bytes, sizes: list[int]) -> list[bytes]:
    """Give `data` in pieces of these sizes, as a socket would."""
    payloads: list[bytes] = []
    position = 0
    while position < len(data):
        wish = sizes.pop() if sizes else len(data)
        room = receiver.buffer()
        count = min(wish, len(room), len(data) - position)
        room[:count] = data[position : position + count]
        payloads += [bytes(payload) for payload in receiver.received(count)]
        position += count
    return payloads


def frames(payloads: list[bytes]) -> bytes:
    return b"".join(struct.pack(">i", len(payload)) + payload for payload in payloads)


def test_frames_of_all_sizes_in_pieces_of_all_sizes() -> None:
    source = random.Random(3)
    for _ in range(30):
        payloads = [
            source.randbytes(source.choice([1, 4, 60, 3000, 65_531, 65_532, 65_533, 200_000]))
            for _ in range(8)
        ]
        sizes = [source.choice([1, 3, 4, 5, 1000, 65_536]) for _ in range(2000)]
        assert feed(FrameReceiver(), frames(payloads), sizes) == payloads


def test_payloads_stay_as_they_are_while_more_arrives() -> None:
    receiver = FrameReceiver()
    kept = []
    for number in range(50):
        data = frames([bytes([number]) * 2000])
        receiver.buffer()[: len(data)] = data
        kept += receiver.received(len(data))
    assert [bytes(payload) for payload in kept] == [bytes([number]) * 2000 for number in range(50)]


@pytest.mark.parametrize("length", [0, -1, 2_000_000_000])
def test_an_impossible_length_is_refused_before_memory_is_taken(length: int) -> None:
    receiver = FrameReceiver(max_bytes=1_000_000)
    receiver.buffer()[:4] = struct.pack(">i", length)
    with pytest.raises(FrameTooLargeError, match=str(length)):
        receiver.received(4)


def large_frame(receiver: FrameReceiver, mark: int, size: int = 100_000) -> bytes | memoryview:
    (payload,) = [
        payload
        for payload in feed_kept(receiver, frames([bytes([mark]) * size]))
        if len(payload) == size  # all there is
    ]
    return payload


def feed_kept(receiver: FrameReceiver, data: bytes) -> list[bytes | memoryview]:
    payloads: list[bytes | memoryview] = []
    position = 0
    while position < len(data):
        room = receiver.buffer()
        count = min(len(room), len(data) - position)
        room[:count] = data[position : position + count]
        payloads += receiver.received(count)
        position += count
    return payloads


def test_large_payloads_stay_as_they_are_while_they_or_views_of_them_are_kept() -> None:
    receiver = FrameReceiver()
    kept = [memoryview(large_frame(receiver, mark))[10:20] for mark in range(10)]
    assert [bytes(view) for view in kept] == [bytes([mark]) * 10 for mark in range(10)]


def test_memory_of_large_payloads_that_nobody_keeps_is_used_again() -> None:
    receiver = FrameReceiver()
    owners = set()
    for mark in range(20):
        payload = large_frame(receiver, mark, 100_000 + 1000 * mark)
        assert isinstance(payload, memoryview)
        assert bytes(payload) == bytes([mark]) * (100_000 + 1000 * mark)
        owners.add(id(payload.obj))
        del payload
    assert len(owners) == 1


def test_frames_that_outgrow_the_kept_memory_get_larger_memory() -> None:
    receiver = FrameReceiver()
    for mark, size in enumerate([100_000, 1_000_000, 100_000, 3_000_000, 1_500_000]):
        assert bytes(large_frame(receiver, mark, size)) == bytes([mark]) * size
