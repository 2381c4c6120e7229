"""A record of the soak: who sent it, its number, when, and a checksum over all of it, key included. Pure.

Value: CRC-32C (u32), producer (u16), sequence (u32), nanoseconds of the monotonic clock when it was given
to the producer (u64), all big-endian, then filler. That clock is the same in all processes of a machine.
"""

import struct
from typing import NamedTuple

from crc32c import crc32c

_CRC = struct.Struct(">I")
_HEAD = struct.Struct(">HIQ")
LEAST_BYTES = _CRC.size + _HEAD.size


class Stamp(NamedTuple):
    """What a value says of itself."""

    producer: int
    sequence: int
    given_ns: int


class DamagedValueError(Exception):
    """A value is not what any producer made."""


def make_value(stamp: Stamp, key: bytes | None, filler: bytes) -> bytes:
    """The value for `stamp` and `key`, `LEAST_BYTES` longer than its filler."""
    body = _HEAD.pack(*stamp) + filler
    return _CRC.pack(crc32c(body, crc32c(key or b""))) + body


def read_value(value: bytes, key: bytes | None) -> Stamp:
    """Who made it, and when. Raises `DamagedValueError` when key or value is not as it was made."""
    if len(value) < LEAST_BYTES:
        raise DamagedValueError(f"a value of {len(value)} bytes")
    body = memoryview(value)[_CRC.size :]
    if _CRC.unpack_from(value)[0] != crc32c(body, crc32c(key or b"")):
        raise DamagedValueError(f"wrong checksum in a value of {len(value)} bytes")
    return Stamp(*_HEAD.unpack_from(body))
