"""What stands around the values of records, from tables: the parts that repeat from record to record.

Layout: docs/protocol.md, "Batch". Used by `batch.BatchBuilder`, and by the reading loop, which knows most
records by the same bytes.
"""

from bisect import bisect_right
from itertools import accumulate

from fluvio_protocol.wire import encode_varint

SMALL = 1 << 13  # numbers below have their varints in a table
_small_varints: list[bytes] = []  # varint of 0 .. SMALL-1, filled at first use
NO_KEY = b"\0"
CHUNK = 512  # records that are looked at in one go
LEAST_RECORD_BYTES = 7  # of a record with an empty value


def small_varints() -> list[bytes]:
    """The table: of each number below `SMALL`."""
    if not _small_varints:
        _small_varints.extend(bytes((n << 1,)) if n < 64 else encode_varint(n) for n in range(SMALL))
    return _small_varints


def varint_of(number: int) -> bytes:
    """The zigzag varint of any number."""
    table = _small_varints or small_varints()
    return table[number] if 0 <= number < SMALL else encode_varint(number)


class _Shapes(dict[int, tuple[bytes, bytes, int]]):
    """How a record without key begins, by the size of its value, for one width of both deltas together.

    What stands before the deltas, what follows them up to the value, and the bytes of the whole record.
    Filled as sizes are met.
    """

    __slots__ = ("_delta_bytes",)

    def __init__(self, delta_bytes: int) -> None:
        self._delta_bytes = delta_bytes

    def __missing__(self, size: int) -> tuple[bytes, bytes, int]:
        value_length = varint_of(size)
        body = 1 + self._delta_bytes + 1 + len(value_length) + size + 1
        length = varint_of(body)
        shape = (b"\0" + length + b"\0", NO_KEY + value_length, len(length) + body)
        if size < SMALL:
            self[size] = shape
        return shape


keyless_shapes: list[_Shapes] = [_Shapes(delta_bytes) for delta_bytes in range(21)]  # two varints at most
_no_delta_and: list[bytes] = []  # a timestamp delta of 0 and the offset delta 0 .. SMALL-1


def fitting(shapes: _Shapes, sizes: list[int], room: int) -> tuple[list[bytes], list[bytes], int]:
    """What stands around the deltas of as many values of these `sizes` as fit, and how many bytes they take.

    There is one size at least; `room` is positive.
    """
    first = sizes[0]
    if sizes.count(first) == len(sizes):
        head, mid, size = shapes[first]
        fit = min(room // size, len(sizes))
        return [head] * fit, [mid] * fit, size * fit
    found = [shapes[size] for size in sizes]
    ends = list(accumulate([shape[2] for shape in found]))
    fit = bisect_right(ends, room)
    del found[fit:]
    return [shape[0] for shape in found], [shape[1] for shape in found], ends[fit - 1] if fit else 0


_TABLES, _ROWS = 4, 1 << 15  # of the sizes met lately, for records up to this one of a batch
_middles: dict[int, list[bytes]] = {}


def middles(size: int, first: int, count: int) -> list[bytes]:
    """What stands between timestamp delta and value of `count` keyless records, from index `first` on.

    Every value has `size` bytes. So a record of a size that repeats is three parts, and only this one differs
    from its neighbours'.
    """
    stop = first + count
    if stop > _ROWS:
        mid = NO_KEY + varint_of(size)
        return [varint_of(index) + mid for index in range(first, stop)]
    table = _middles.get(size)
    if table is None:
        if len(_middles) >= _TABLES:
            del _middles[next(iter(_middles))]
        table = _middles[size] = []
    if len(table) < stop:
        mid = NO_KEY + varint_of(size)
        table += [varint_of(index) + mid for index in range(len(table), stop)]
    return table[first:stop]


def delta_pairs(time_delta: bytes, first: int, count: int) -> list[bytes]:
    """Both deltas of `count` records in a row, of which the first has the index `first`."""
    stop = first + count
    if stop > SMALL:
        return [time_delta + varint_of(index) for index in range(first, stop)]
    if time_delta != b"\0":
        return [time_delta + varint for varint in small_varints()[first:stop]]
    if not _no_delta_and:
        _no_delta_and.extend([b"\0" + varint for varint in small_varints()])
    return _no_delta_and[first:stop]
