"""Which partition a record goes to. Source: docs/protocol.md, "Produce", step 1. Pure.

A key decides by its hash, exactly as in official clients, so that a key's records stay together whoever
produces them; an empty key is a key. Records without key take turns over the partitions.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

_MASK = 0xFFFF_FFFF_FFFF_FFFF
# The four words of SipHash's state for a key of zeros.
_INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_CACHED_KEYS = 65_536
_State = tuple[int, int, int, int]


def _round(v0: int, v1: int, v2: int, v3: int) -> _State:
    v0 = (v0 + v1) & _MASK
    v1 = ((v1 << 13) & _MASK | v1 >> 51) ^ v0
    v0 = (v0 << 32) & _MASK | v0 >> 32
    v2 = (v2 + v3) & _MASK
    v3 = ((v3 << 16) & _MASK | v3 >> 48) ^ v2
    v0 = (v0 + v3) & _MASK
    v3 = ((v3 << 21) & _MASK | v3 >> 43) ^ v0
    v2 = (v2 + v1) & _MASK
    v1 = ((v1 << 17) & _MASK | v1 >> 47) ^ v2
    v2 = (v2 << 32) & _MASK | v2 >> 32
    return v0, v1, v2, v3


def _absorb(state: _State, word: int) -> _State:
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3 ^ word))
    return v0 ^ word, v1, v2, v3


_after_length: dict[int, _State] = {}  # the state once the length of a key is absorbed


def siphash_2_4(key: bytes) -> int:
    """64 bit SipHash-2-4 with a zero key, over the key's length (8 bytes, little-endian) and its bytes."""
    size = len(key)
    state = _after_length.get(size)
    if state is None:
        state = _absorb(_INITIAL, size)
        if size < 256:
            _after_length[size] = state
    whole = size & ~7
    for (word,) in struct.iter_unpack("<Q", memoryview(key)[:whole]):
        state = _absorb(state, word)
    last = ((size + 8) & 0xFF) << 56 | int.from_bytes(key[whole:], "little")
    v0, v1, v2, v3 = _absorb(state, last)
    v2 ^= 0xFF
    v0, v1, v2, v3 = _round(*_round(*_round(*_round(v0, v1, v2, v3))))
    return v0 ^ v1 ^ v2 ^ v3


class Partitioner(Protocol):
    """Picks partitions of one topic for one producer; may keep state between calls."""

    def partition_of(self, key: bytes | None, count: int, online: Sequence[int]) -> int:
        """The partition for a record; the topic has `count`, those in `online` (never empty) take records."""
        ...

    def spread(self, online: Sequence[int], records: int) -> list[tuple[int, int, int]]:
        """Where the next `records` without key go, as (partition, first, step): every step-th from first on.

        The same partitions as so many calls of `partition_of`, for records that come in bulk.
        """
        ...


class DefaultPartitioner:
    """By hash of the key; without key in turns over the online partitions, from the first one on."""

    __slots__ = ("_cached", "_cached_count", "_turn")

    def __init__(self) -> None:
        self._turn = 0
        self._cached: dict[bytes, int] = {}  # hashing costs microseconds, and keys come again
        self._cached_count = 0

    def partition_of(self, key: bytes | None, count: int, online: Sequence[int]) -> int:
        if key is None:
            turn = self._turn
            self._turn = turn + 1
            return online[turn % len(online)]
        if count != self._cached_count or len(self._cached) >= _CACHED_KEYS:
            self._cached.clear()
            self._cached_count = count
        found = self._cached.get(key)
        if found is None:
            found = self._cached[key] = siphash_2_4(key) % count
        return found

    def spread(self, online: Sequence[int], records: int) -> list[tuple[int, int, int]]:
        step = len(online)
        first_turn = self._turn
        self._turn += records
        return [(online[(first_turn + i) % step], i, step) for i in range(min(step, records))]


class FixedPartitioner:
    """Everything to one partition."""

    __slots__ = ("partition",)

    def __init__(self, partition: int) -> None:
        self.partition = partition

    def partition_of(self, key: bytes | None, count: int, online: Sequence[int]) -> int:
        return self.partition

    def spread(self, online: Sequence[int], records: int) -> list[tuple[int, int, int]]:
        return [(self.partition, 0, 1)] if records else []
