"""Cutting bytes into frames: whatever the pieces, the same payloads come out."""

import random

import pytest

from fluvio_local_cluster.net.framing import FrameAssembler
from fluvio_protocol.frame import FrameTooLargeError

LIMIT = 8 * 1024 * 1024


def feed(assembler: FrameAssembler, data: bytes, pieces: list[int]) -> list[bytes]:
    payloads: list[bytes] = []
    position, i = 0, 0
    while position < len(data):
        view = assembler.buffer()
        count = min(pieces[i % len(pieces)], len(view), len(data) - position)
        view[:count] = data[position : position + count]
        del view
        payloads += [bytes(payload) for payload in assembler.received(count)]
        position += count
        i += 1
    return payloads


def framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


@pytest.mark.parametrize("scratch_bytes", [16, 1000, 256 * 1024])
@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 64, 100_000, 1_000_000])
def test_any_cut_of_the_stream_gives_the_same_frames(scratch_bytes: int, piece: int) -> None:
    rng = random.Random(1)
    sizes = [1, 3, 8, 100, 5000] + ([300_000, 2_500_000, 12] if piece > 64 and scratch_bytes > 16 else [])
    payloads = [rng.randbytes(size) for size in sizes]
    assembler = FrameAssembler(LIMIT, bytearray(scratch_bytes))
    assert feed(assembler, b"".join(map(framed, payloads)), [piece]) == payloads
    assert not assembler.is_mid_frame


@pytest.mark.parametrize("seed", range(20))
def test_random_pieces_give_the_same_frames(seed: int) -> None:
    rng = random.Random(seed)
    payloads = [rng.randbytes(rng.choice((1, 10, 1000, 200_000))) for _ in range(12)]
    pieces = [rng.choice((1, 4, 50, 3000, 90_000, 400_000)) for _ in range(50)]
    assembler = FrameAssembler(LIMIT, bytearray(64 * 1024))
    assert feed(assembler, b"".join(map(framed, payloads)), pieces) == payloads


def test_payloads_are_writable_and_do_not_share_the_scratch_buffer() -> None:
    scratch = bytearray(64)
    assembler = FrameAssembler(LIMIT, scratch)
    data = framed(b"one") + framed(b"two")
    assembler.buffer()[: len(data)] = data
    first, second = assembler.received(len(data))
    scratch[:] = bytes(64)
    first[0:1] = b"O"
    assert (bytes(first), bytes(second)) == (b"One", b"two")


@pytest.mark.parametrize("length", [0, -1, -(2**31), 2**31 - 1, LIMIT + 1])
def test_a_bad_length_is_refused_when_its_four_bytes_are_there(length: int) -> None:
    assembler = FrameAssembler(LIMIT, bytearray(64))
    with pytest.raises(FrameTooLargeError):
        feed(assembler, length.to_bytes(4, "big", signed=True), [1])


@pytest.mark.parametrize(
    ("first_bytes", "name"),
    [(b"GET / HTTP/1.1\r\n", "HTTP"), (b"\x16\x03\x01\x02\x00\x01", "TLS"), (b"SSH-2.0-x\r\n", "SSH")],
)
def test_a_foreign_protocol_is_named(first_bytes: bytes, name: str) -> None:
    with pytest.raises(FrameTooLargeError, match=f"the peer speaks {name}"):
        feed(FrameAssembler(LIMIT, bytearray(64)), first_bytes, [64])


def test_a_large_length_alone_takes_no_memory() -> None:
    assembler = FrameAssembler(64 * 1024 * 1024, bytearray(64))
    feed(assembler, (64 * 1024 * 1024).to_bytes(4, "big") + b"x", [64])
    assert assembler.is_mid_frame
    assert len(assembler.buffer()) <= 1024 * 1024


def test_half_a_length_counts_as_a_begun_frame() -> None:
    assembler = FrameAssembler(LIMIT, bytearray(64))
    assert feed(assembler, b"\0\0", [64]) == []
    assert assembler.is_mid_frame
