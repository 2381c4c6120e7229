"""Codecs: what they write is what Fluvio names, what they read is bounded, damage is a `DecodeError`."""

import os
import tracemalloc

import pytest

from fluvio_protocol.compression import Codec, UnknownCodecError, codec_named, compress, decompress
from fluvio_protocol.wire import DecodeError

PACKING = [codec for codec in Codec if codec is not Codec.NONE]
FIRST_BYTES = {
    Codec.GZIP: "1f8b",
    Codec.SNAPPY: "ff060000734e61507059",
    Codec.LZ4: "04224d18",
    Codec.ZSTD: "28b52ffd",
}


@pytest.mark.parametrize("codec", PACKING)
def test_the_container_is_the_one_that_fluvio_uses(codec):
    assert bytes(compress(codec, b"text")).hex().startswith(FIRST_BYTES[codec])


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("data", [b"x", bytes(3), os.urandom(5000), b"repeat" * 50_000], ids=len)
def test_what_is_packed_unpacks(codec, data):
    assert bytes(decompress(codec, compress(codec, data), len(data))) == data


@pytest.mark.parametrize("codec", PACKING)
def test_exactly_the_limit_is_allowed_and_one_byte_more_is_not(codec):
    packed = compress(codec, os.urandom(5000))
    assert len(decompress(codec, packed, 5000)) == 5000
    with pytest.raises(DecodeError, match=f"{codec.name.lower()} data unpack to more than 4999 bytes"):
        decompress(codec, packed, 4999)


@pytest.mark.parametrize("codec", PACKING)
def test_a_bomb_stops_at_the_limit(codec):
    bomb = compress(codec, bytes(64 * 1024 * 1024))
    limit = 1 << 20
    tracemalloc.start()
    with pytest.raises(DecodeError, match="unpack to more than"):
        decompress(codec, bomb, limit)
    assert tracemalloc.get_traced_memory()[1] < 2 * limit
    tracemalloc.stop()


@pytest.mark.parametrize("codec", PACKING)
def test_little_data_does_not_reserve_the_limit(codec):
    packed = compress(codec, b"text")
    tracemalloc.start()
    decompress(codec, packed, 256 * 1024 * 1024)
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    tracemalloc.stop()


@pytest.mark.parametrize("codec", PACKING)
def test_damaged_data_raise_a_decode_error(codec):
    packed = bytes(compress(codec, b"some text" * 30))
    for damaged in (packed[:-1], b"junk" * 10, packed + b"junk"):
        with pytest.raises(DecodeError, match="are damaged"):
            decompress(codec, damaged, 1 << 20)


def test_names_are_those_of_the_command_line():
    assert [codec_named(name) for name in ("none", "GZIP", "snappy", "lz4", "zstd")] == list(Codec)
    with pytest.raises(UnknownCodecError, match="unknown compression `brotli`"):
        codec_named("brotli")
