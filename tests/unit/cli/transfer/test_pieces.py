"""How records become batches: none is lost, the order stays, large batches are not touched."""

from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.transfer.pieces import Columns, Packer, Piece, checked_batch
from fluvio_protocol.batch import BatchBuilder, read_header
from fluvio_protocol.compression import Codec

Rows = list[tuple[int, bytes | None, bytes]]
TIMES = st.one_of(st.just(-1), st.integers(1, 2**41))
ROWS = st.lists(
    st.tuples(TIMES, st.none() | st.binary(max_size=5), st.binary(max_size=40)), min_size=1, max_size=30
)


def piece(rows: Rows, partition: int = 0, first: int = 0) -> Piece:
    timestamps, keys, values = (list(column) for column in zip(*rows, strict=True))
    return Piece(partition, range(first, first + len(rows)), Columns(timestamps, keys, values))


def batch(values: list[bytes], codec: Codec = Codec.NONE, timestamp: int = 1000) -> Piece:
    builder = BatchBuilder(timestamp)
    for value in values:
        builder.append(None, value, timestamp)
    return Piece(0, range(len(values)), None, memoryview(builder.build(codec)))


def rows_of(pieces: list[Piece]) -> dict[int, list[tuple[int, int, bytes | None, bytes]]]:
    found: dict[int, list[tuple[int, int, bytes | None, bytes]]] = {}
    for each in pieces:
        assert each.batch is not None
        header = checked_batch(memoryview(each.batch))
        assert header.record_count == each.count
        again = Piece(each.partition, each.offsets, None, each.batch)
        timestamps, keys, values = again.columns()
        assert header.max_timestamp == max([header.first_timestamp, *timestamps])
        found.setdefault(each.partition, []).extend(zip(each.offsets, timestamps, keys, values, strict=True))
    return found


@given(
    given=st.lists(st.tuples(st.integers(0, 2), ROWS), max_size=6),
    batch_bytes=st.sampled_from([100, 300, 100_000]),
    codec=st.sampled_from([None, Codec.ZSTD]),
)
def test_every_record_comes_out_in_the_order_of_its_partition(
    given: list[tuple[int, Rows]], batch_bytes: int, codec: Codec | None
) -> None:
    packer = Packer(codec=codec, batch_bytes=batch_bytes)
    wanted: dict[int, list[tuple[int, int, bytes | None, bytes]]] = {}
    made: list[Piece] = []
    for number, (partition, rows) in enumerate(given):
        made += packer.add(piece(rows, partition, number * 100))
        wanted.setdefault(partition, []).extend((number * 100 + i, *row) for i, row in enumerate(rows))
    made += packer.flush()
    assert rows_of(made) == wanted
    if codec is not None:
        assert all(read_header(each.batch).codec_number == codec for each in made if each.batch is not None)


def test_a_large_batch_goes_through_as_it_is() -> None:
    large = batch([b"x" * 100] * 100)
    packer = Packer()
    assert packer.add(piece([(5, None, b"before")])) == []
    first, second = packer.add(large)
    assert first.columns().values == [b"before"]
    assert second is large


def test_a_batch_of_another_codec_than_the_topic_demands_is_made_anew() -> None:
    packer = Packer(codec=Codec.GZIP)
    (made,) = [*packer.add(batch([b"x" * 100] * 100)), *packer.flush()]
    assert made.batch is not None
    assert read_header(made.batch).codec_number == Codec.GZIP
    assert made.columns().values == [b"x" * 100] * 100


def test_a_new_time_is_that_of_every_record() -> None:
    packer = Packer()
    (made,) = [*packer.add(batch([b"x" * 100] * 100), 77_000), *packer.flush()]
    assert made.columns().timestamps == [77_000] * 100


def test_small_batches_become_one_and_keep_their_codec() -> None:
    packer = Packer()
    (made,) = [*packer.add(batch([b"a"], Codec.LZ4)), *packer.add(batch([b"b"], Codec.LZ4)), *packer.flush()]
    assert made.batch is not None
    assert read_header(made.batch).codec_number == Codec.LZ4
    assert made.columns().values == [b"a", b"b"]


def test_what_lies_far_apart_in_time_does_not_wait_for_each_other() -> None:
    packer = Packer(span_ms=1000)
    assert packer.add(piece([(10_000, None, b"a")], 0)) == []
    assert packer.add(piece([(10_900, None, b"b")], 1)) == []
    done = packer.add(piece([(11_500, None, b"c")], 0))
    assert [each.columns().values for each in done] == [[b"a"], [b"b"]]


def test_a_part_of_a_piece_has_its_offsets() -> None:
    part = batch([b"a", b"b", b"c"]).part(1, 3)
    assert (list(part.offsets), part.columns().values) == ([1, 2], [b"b", b"c"])
