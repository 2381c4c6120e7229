"""Frames: cutting a stream into payloads, and building requests and answers."""

import random
import time

import pytest

from fluvio_protocol import frame
from fluvio_protocol.api.api_versions import ApiVersionKey, ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.frame import FrameSplitter, FrameTooLargeError
from fluvio_protocol.wire import DecodeError, EncodeError, Reader


def framed(*payloads: bytes) -> bytes:
    return b"".join(len(payload).to_bytes(4, "big") + payload for payload in payloads)


@pytest.mark.parametrize("seed", range(40))
def test_any_chunking_gives_the_same_frames(seed):
    chance = random.Random(seed)
    payloads = [chance.randbytes(chance.choice((1, 2, 5, 30, 3000))) for _ in range(chance.randrange(1, 30))]
    stream, splitter, found, at = framed(*payloads), FrameSplitter(), [], 0
    while at < len(stream):
        size = chance.choice((1, 2, 3, 4, 7, 100, 5000))
        found += [bytes(payload) for payload in splitter.feed(stream[at : at + size])]
        at += size
    assert found == payloads
    assert splitter.pending_bytes == 0


def test_frames_stay_valid_after_more_is_fed():
    splitter = FrameSplitter()
    stream = framed(b"first", b"second")
    assert list(splitter.feed(stream[:7])) == []
    (first,) = splitter.feed(stream[7:12])
    (second,) = splitter.feed(stream[12:])
    list(splitter.feed(framed(b"third")))
    assert (bytes(first), bytes(second)) == (b"first", b"second")


@pytest.mark.parametrize("length", [0, -1, -(1 << 31), 1001, (1 << 31) - 1])
def test_a_length_that_is_no_length_is_refused_before_anything_is_kept(length):
    splitter = FrameSplitter(max_bytes=1000)
    prefix = length.to_bytes(4, "big", signed=True)
    with pytest.raises(FrameTooLargeError, match=f"a frame of {length} bytes .*, the limit is 1000"):
        list(splitter.feed(prefix))


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_bad_length_is_seen_with_its_last_byte(cut):
    splitter, prefix = FrameSplitter(), (0x7FFF_FFFF).to_bytes(4, "big")
    assert list(splitter.feed(prefix[:cut])) == []
    with pytest.raises(FrameTooLargeError):
        list(splitter.feed(prefix[cut:] + bytes(100)))


def test_frames_before_a_bad_length_are_still_delivered():
    frames = FrameSplitter().feed(framed(b"good") + bytes(4))
    assert bytes(next(frames)) == b"good"
    with pytest.raises(FrameTooLargeError):
        next(frames)


def test_a_frame_of_the_limit_passes():
    splitter = FrameSplitter(max_bytes=10)
    assert [bytes(payload) for payload in splitter.feed(framed(bytes(10)))] == [bytes(10)]


def seconds_to_feed(size: int, chunk: int) -> float:
    splitter, piece = FrameSplitter(), bytes(chunk)
    list(splitter.feed(size.to_bytes(4, "big")))
    started = time.thread_time()
    fed, found = 0, []
    while fed < size:
        found += splitter.feed(piece)
        fed += chunk
    took_s = time.thread_time() - started
    assert [len(payload) for payload in found] == [size]
    return took_s


def test_a_large_frame_in_small_chunks_is_copied_once():
    # Copying what is there at each of the 512 chunks would move 8 GiB: seconds, not a twentieth of one.
    assert min(seconds_to_feed(32 << 20, 1 << 16) for _ in range(3)) < 0.5


def test_a_frame_fed_byte_by_byte_takes_time_in_proportion_to_its_size():
    small = min(seconds_to_feed(20_000, 1) for _ in range(3))
    large = min(seconds_to_feed(160_000, 1) for _ in range(3))
    assert large < 8 * 4 * max(small, 0.001)


REQUEST = ApiVersionsRequest(client_version="0.15.2", client_os="linux", client_arch="x86_64")


def test_a_request_is_header_and_body_in_one_frame():
    data = frame.encode_request(REQUEST, 2, 1)
    assert data.hex() == (
        "00000027" "0012" "0002" "00000001" "0006666c7576696f" "0006302e31352e32" "00056c696e7578"
        "00067838365f3634"
    )  # fmt: skip
    reader = Reader(data[4:])
    header = frame.read_request_header(reader)
    assert (header.api_key, header.api_version, header.correlation_id) == (18, 2, 1)
    assert header.client_id == "fluvio"
    assert reader.position == 16


def test_an_answer_is_correlation_id_and_body_in_one_frame():
    key = ApiVersionKey(api_key=0, min_version=0, max_version=25)
    data = frame.encode_response(ApiVersionsResponse(api_keys=[key], platform_version="0.0.0"), 2, -7)
    assert data.hex() == "00000017fffffff90000000000010000000000190005302e302e30"
    assert frame.read_correlation_id(Reader(data[4:])) == -7


@pytest.mark.parametrize(
    "hexadecimal", ["", "0012 0002 00000001 00", "0012 0002 00000001 0003 6161", "0012 0002 00000001 0001 ff"]
)
def test_a_damaged_header_raises_a_decode_error(hexadecimal):
    with pytest.raises(DecodeError):
        frame.read_request_header(Reader(bytes.fromhex(hexadecimal)))


def test_a_negative_client_id_length_reads_as_no_client_id():
    header = frame.read_request_header(Reader(bytes.fromhex("0012 0002 00000001 ffff 6161")))
    assert header.client_id == ""


def test_a_client_id_that_readers_would_drop_is_refused():
    with pytest.raises(EncodeError, match="a client id of 40000 bytes"):
        frame.encode_request(REQUEST, 2, 1, "x" * 40_000)
