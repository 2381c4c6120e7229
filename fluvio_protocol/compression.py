"""Codecs of a batch's records area. Source: docs/protocol.md, "Codecs".

The numbers are those in a batch's attributes. A topic's `CompressionAlgorithm` numbers zstd differently
(`api.topic`). The native codecs come from `cramjam`, loaded when a codec is first used.
"""

import enum
from typing import Any

from fluvio_protocol.wire import DecodeError
from fluvio_types.errors import FluvioError


class Codec(enum.IntEnum):
    """How a records area is packed: gzip member, snappy stream, LZ4 frame or zstd frame."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


class UnknownCodecError(FluvioError):
    """A codec name or number that Fluvio does not have."""


class UnpackedSizeError(DecodeError):
    """The data are larger, unpacked, than was allowed; nothing says that they are damaged."""


_ZSTD_LEVEL = 1  # as the Rust client writes
_FIRST_GUESS = 8  # most areas shrink by less than this, so one attempt is enough


def codec_named(name: str) -> Codec:
    """`none`, `gzip`, `snappy`, `lz4` or `zstd`, in any case; raises `UnknownCodecError`."""
    try:
        return Codec[name.upper()]
    except KeyError:
        raise UnknownCodecError(f"unknown compression `{name}`") from None


def _module(codec: Codec) -> Any:
    import cramjam

    return getattr(cramjam, codec.name.lower())


def compress(codec: Codec, area: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
    """Pack a records area; `Codec.NONE` returns it as it is."""
    if codec is Codec.NONE:
        return area
    module = _module(codec)
    packed = module.compress(area, level=_ZSTD_LEVEL) if codec is Codec.ZSTD else module.compress(area)
    return memoryview(packed)


def decompress(codec: Codec, data: bytes | bytearray | memoryview, max_bytes: int) -> memoryview:
    """Unpack a records area of at most `max_bytes`.

    Never allocates more than twice `max_bytes`, whatever the data claim: the output goes into a buffer
    of our size, which is enlarged only while the codec really fills it. Raises `DecodeError` when the
    data are damaged, `UnpackedSizeError` when they would become larger than `max_bytes`.
    """
    if codec is Codec.NONE:
        return memoryview(data)
    import cramjam

    unpack = _module(codec).decompress_into
    size = min(max(len(data) * _FIRST_GUESS, 4096), max_bytes)
    while True:
        target = bytearray(size)
        try:
            return memoryview(target)[: unpack(data, target)]
        except cramjam.DecompressionError as exc:
            if "whole buffer" not in str(exc) or "fill" in str(exc):
                raise DecodeError(f"{codec.name.lower()} data are damaged: {exc}") from exc
            if size >= max_bytes:
                raise UnpackedSizeError(
                    f"{codec.name.lower()} data unpack to more than {max_bytes} bytes"
                ) from exc
        size = min(size * 8, max_bytes)
