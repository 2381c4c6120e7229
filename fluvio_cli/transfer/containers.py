"""How a file is compressed: not at all, as gzip members or as zstd frames. Pure.

What is written goes in units of about a megabyte, each a member or frame that is whole by itself: other
programs read them as one file, and of a file that was cut everything up to its last whole unit is good.
Files of other programs are read too; of zstd only with frames that fit into memory, since frames are
unpacked as a whole.
"""

import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePath
from typing import NamedTuple

from fluvio_protocol.compression import Codec, decompress
from fluvio_protocol.wire import DecodeError

UNIT_BYTES = 1024 * 1024  # of a unit that is written, before compression
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
MAGIC_BYTES = 4
_GZIP_LEVEL, _ZSTD_LEVEL = 1, 3
_MOST_FRAME_BYTES, _MOST_UNPACKED_BYTES = 64 * 1024 * 1024, 512 * 1024 * 1024
_STEP_BYTES = 4 * 1024 * 1024  # a member is unpacked in portions of at most so much


class Container(StrEnum):
    """What is around the bytes of a file."""

    PLAIN = "plain"
    GZIP = "gzip"
    ZSTD = "zstd"


class BadContainerError(ValueError):
    """Bytes that cannot be unpacked."""


_SUFFIXES = {".gz": Container.GZIP, ".gzip": Container.GZIP, ".zst": Container.ZSTD, ".zstd": Container.ZSTD}


def container_of(name: str) -> tuple[Container, str]:
    """What the suffix of a file's name says, and the name without it."""
    path = PurePath(name)
    found = _SUFFIXES.get(path.suffix.lower())
    return (Container.PLAIN, name) if found is None else (found, str(path.with_suffix("")))


def detect(start: bytes) -> Container:
    """What the first `MAGIC_BYTES` of a file say."""
    if start.startswith(_GZIP_MAGIC):
        return Container.GZIP
    return Container.ZSTD if start.startswith(_ZSTD_MAGIC) else Container.PLAIN


def pack(container: Container, data: bytes) -> bytes | memoryview:
    """One unit."""
    if container is Container.PLAIN:
        return data
    import cramjam

    if container is Container.GZIP:
        return memoryview(cramjam.gzip.compress(data, level=_GZIP_LEVEL))
    return memoryview(cramjam.zstd.compress(data, level=_ZSTD_LEVEL))


class Portion(NamedTuple):
    """Unpacked bytes; `end`: the file's bytes up to here are whole units, None: inside of one."""

    data: bytes
    end: int | None


class Unpacker:
    """Bytes of a file in, unpacked bytes out. Raises `BadContainerError`."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._position = 0  # bytes of the file that were used
        self._rest = b""
        self._member = zlib.decompressobj(31)
        self._is_begun = False  # the member has taken bytes

    @property
    def is_inside(self) -> bool:
        """Whether a unit has begun and not ended."""
        return bool(self._rest) or self._is_begun

    def feed(self, data: bytes) -> Iterator[Portion]:
        """What these bytes add, in portions that fit into memory."""
        if self._container is Container.PLAIN:
            self._position += len(data)
            yield Portion(data, self._position)
        elif self._container is Container.GZIP:
            yield from self._gunzip(data)
        else:
            yield from self._frames(self._rest + data)

    def _gunzip(self, data: bytes) -> Iterator[Portion]:
        while data:
            member, self._is_begun = self._member, True
            try:
                out = member.decompress(data, _STEP_BYTES)
            except zlib.error as exc:
                raise BadContainerError(f"gzip data are damaged: {exc}") from None
            rest = member.unused_data if member.eof else member.unconsumed_tail
            self._position += len(data) - len(rest)
            data = rest
            if member.eof:
                self._member, self._is_begun = zlib.decompressobj(31), False
            if out or member.eof:
                yield Portion(out, self._position if member.eof else None)

    def _frames(self, data: bytes) -> Iterator[Portion]:
        start = 0
        while (size := _frame_size(data, start)) is not None:
            frame = memoryview(data)[start : start + size]
            start += size
            self._position += size
            if frame[:4] == _ZSTD_MAGIC:
                try:
                    out = bytes(decompress(Codec.ZSTD, frame, _MOST_UNPACKED_BYTES))
                except DecodeError as exc:
                    raise BadContainerError(str(exc)) from None
                yield Portion(out, self._position)
        self._rest = data[start:]
        if len(self._rest) > _MOST_FRAME_BYTES:
            raise BadContainerError(
                "a zstd frame is too large to be unpacked here: unpack it by `zstd -dc`, and read from `-`"
            )


def _frame_size(data: bytes, start: int) -> int | None:
    """Bytes of the zstd frame at `start`, None when not all of it is there. Layout: RFC 8878, 3.1."""
    left = len(data) - start
    if left < 8:
        return None
    magic = int.from_bytes(data[start : start + 4], "little")
    if magic & 0xFFFF_FFF0 == 0x184D_2A50:  # a frame to be skipped
        size = 8 + int.from_bytes(data[start + 4 : start + 8], "little")
        return size if left >= size else None
    if data[start : start + 4] != _ZSTD_MAGIC:
        raise BadContainerError("zstd data are damaged: no frame begins where one should")
    descriptor = data[start + 4]
    is_single = descriptor >> 5 & 1
    position = start + 5 + (1 - is_single) + (0, 1, 2, 4)[descriptor & 3]
    position += (is_single, 2, 4, 8)[descriptor >> 6]
    while True:
        if position + 3 > len(data):
            return None
        block = int.from_bytes(data[position : position + 3], "little")
        position += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
        if block & 1:
            break
    position += 4 if descriptor >> 2 & 1 else 0
    return position - start if position <= len(data) else None
