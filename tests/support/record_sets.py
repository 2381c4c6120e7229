"""Record sets as clients send them, and what a log answers, record for record."""

from fluvio_local_cluster.storage import ReplicaLog
from fluvio_protocol.batch import BatchBuilder, Record, decode_records, split
from fluvio_protocol.compression import Codec

FIRST_TIMESTAMP = 1_700_000_000_000


def one_batch(*values: bytes, codec: Codec = Codec.NONE) -> bytearray:
    """A batch with these values."""
    builder = BatchBuilder(FIRST_TIMESTAMP)
    for i, value in enumerate(values):
        builder.append(None, value, FIRST_TIMESTAMP + i)
    return builder.build(codec)


def append(log: ReplicaLog, *values: bytes) -> int:
    """Append one batch; returns its base offset."""
    records = one_batch(*values)
    return log.append(records, split(records), -1).base_offset


def append_each(log: ReplicaLog, count: int, first: int = 0) -> None:
    """Append `count` batches of one record each: `record 000`, `record 001`, ..."""
    for i in range(first, first + count):
        append(log, b"record %03d" % i)


def read_all(
    log: ReplicaLog, start: int | None = None, *, max_bytes: int = 1 << 20, upper: int | None = None
) -> list[Record]:
    """Every record from `start` on, slice after slice; checks what every slice promises."""
    position = log.log_start if start is None else start
    upper = log.leo if upper is None else upper
    found: list[Record] = []
    while (piece := log.read(position, max_bytes, upper)) is not None:
        with piece:
            data = memoryview(piece.read_bytes())
        headers = split(data)
        assert len(data) == piece.size_bytes == sum(header.size_bytes for header in headers)
        assert headers[0].base_offset == piece.first_offset <= position
        assert headers[-1].next_offset == piece.next_offset <= upper
        assert piece.size_bytes <= max_bytes or len(headers) == 1
        records = [record for header in headers for record in decode_records(data, header)]
        found += [record for record in records if record.offset >= position]
        position = piece.next_offset
    return found


def values_of(log: ReplicaLog, start: int | None = None) -> list[bytes]:
    """The values of `read_all`, after a check that their offsets are dense."""
    records = read_all(log, start)
    first = log.log_start if start is None else start
    assert [record.offset for record in records] == list(range(first, first + len(records)))
    return [record.value for record in records]
