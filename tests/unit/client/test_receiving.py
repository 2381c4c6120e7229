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
