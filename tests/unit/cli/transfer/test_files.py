"""Whole files of each form and container: they come back, and each cut or damage is noticed and placed."""

import gzip
from collections.abc import Iterable

import pytest

from fluvio_cli.transfer.containers import BadContainerError, Container, Unpacker, pack
from fluvio_cli.transfer.files import (
    DamagedExportError,
    FileMaker,
    FileReader,
    Form,
    form_of,
    highest_partition,
)
from fluvio_cli.transfer.pieces import Columns, Piece
from fluvio_cli.transfer.settings import topic_document

DOCUMENT = topic_document("orders", {"partitions": 2})
KINDS = [(form, container) for form in Form for container in Container]
Rows = list[tuple[int, int, bytes]]


def piece(partition: int, first: int, values: list[bytes]) -> Piece:
    columns = Columns([1000 + first] * len(values), [None] * len(values), values)
    return Piece(partition, range(first, first + len(values)), columns)


PIECES = [piece(0, 0, [b"a", b"b"]), piece(1, 5, [b"c" * 5000]), piece(0, 2, [b'{"d":1}'])]
ROWS = [(0, 0, b"a"), (0, 1, b"b"), (1, 5, b"c" * 5000), (0, 2, b'{"d":1}')]


def made(form: Form, container: Container, pieces: Iterable[Piece] = PIECES) -> bytes:
    """A file whose every piece is a unit."""
    maker = FileMaker(form, "orders", DOCUMENT)
    units = []
    for each in pieces:
        unit = maker.add(each)
        units += [unit] if unit is not None else []
        units.append(maker.rest())
    units.append(maker.end())
    return b"".join(bytes(pack(container, unit)) for unit in units if unit)


def read(data: bytes, reader: FileReader, step: int = 1 << 20) -> Rows:
    rows: Rows = []
    for start in range(0, len(data), step):
        for each in reader.feed(data[start : start + step]):
            rows += list(zip([each.partition] * each.count, each.offsets, each.columns().values, strict=True))
    for each in reader.end():
        rows += list(zip([each.partition] * each.count, each.offsets, each.columns().values, strict=True))
    return rows


@pytest.mark.parametrize(("form", "container"), KINDS)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_file_comes_back_in_any_portions(form: Form, container: Container, step: int) -> None:
    data = made(form, container)
    reader = FileReader("file")
    assert sorted(read(data, reader, step)) == sorted(ROWS)
    assert (reader.form, reader.container, reader.topic) == (form, container, "orders")
    assert reader.counts.total == 4
    assert reader.counts.next_offsets == {0: 3, 1: 6}


@pytest.mark.parametrize(("form", "container"), KINDS)
def test_a_cut_is_noticed_and_what_is_good_is_known(form: Form, container: Container) -> None:
    data = made(form, container)
    unnoticed = []
    for cut in range(1, len(data), 11):
        reader = FileReader("file")
        try:
            rows = read(data[:cut], reader)
        except DamagedExportError as exc:
            good = exc.good_bytes
            assert good <= cut
            again = FileReader("file")
            for each in again.feed(data[:good]):
                assert each.count
            assert again.good_bytes == good
        else:
            unnoticed.append(cut)
            assert form is Form.JSONL
            assert rows == ROWS[: len(rows)]
    if form is Form.BINARY:
        assert unnoticed == []


@pytest.mark.parametrize("container", Container)
def test_a_binary_file_goes_on_where_its_records_end(container: Container) -> None:
    whole = made(Form.BINARY, container)
    reader = FileReader("file")
    read(whole, reader)
    maker = FileMaker(Form.BINARY, "orders", DOCUMENT, reader.counts)
    added = [unit for unit in (maker.add(piece(1, 6, [b"new"])), maker.rest(), maker.end()) if unit]
    longer = whole[: reader.good_bytes] + b"".join(bytes(pack(container, unit)) for unit in added)
    assert sorted(read(longer, FileReader("file"))) == sorted([*ROWS, (1, 6, b"new")])


def test_each_changed_byte_of_a_binary_file_is_noticed() -> None:
    data = made(Form.BINARY, Container.PLAIN)
    for place in range(0, len(data), 13):
        damaged = bytearray(data)
        damaged[place] ^= 0x40
        with pytest.raises(DamagedExportError):
            read(bytes(damaged), FileReader("file"))


def test_damage_is_told_with_the_records_before_it() -> None:
    data = bytearray(made(Form.BINARY, Container.PLAIN))
    data[data.rindex(b'{"d":1}')] ^= 1
    reader = FileReader("orders.flt")
    found = reader.feed(bytes(data))
    rows = [offset for _ in range(2) for offset in next(found).offsets]
    with pytest.raises(DamagedExportError, match=r"orders.flt is damaged: .*checksum") as caught:
        next(found)
    assert rows == [0, 1, 5]
    assert caught.value.records == 3
    assert "0: 1, 1: 5" in str(caught.value)
    assert 0 < caught.value.good_bytes < len(data)


def test_offsets_with_gaps_are_kept() -> None:
    sparse = Piece(0, [1, 2, 5, 9], Columns([1] * 4, [None] * 4, [b"w", b"x", b"y", b"z"]))
    rows = read(made(Form.BINARY, Container.PLAIN, [sparse]), FileReader("file"))
    assert rows == [(0, 1, b"w"), (0, 2, b"x"), (0, 5, b"y"), (0, 9, b"z")]


def test_very_many_gaps_take_several_blocks() -> None:
    offsets = list(range(0, 140_000, 2))
    sparse = Piece(0, offsets, Columns([1] * 70_000, [None] * 70_000, [b"v"] * 70_000))
    rows = read(made(Form.BINARY, Container.PLAIN, [sparse]), FileReader("file"))
    assert [offset for _, offset, _ in rows] == offsets


def test_gzip_files_of_other_programs_are_read() -> None:
    text = made(Form.JSONL, Container.PLAIN)
    reader = FileReader("file")
    assert read(gzip.compress(text), reader, 50) == ROWS


def test_a_last_line_needs_no_end_of_its_own() -> None:
    text = made(Form.JSONL, Container.PLAIN)
    reader = FileReader("file")
    assert read(text[:-1], reader) == ROWS
    assert reader.good_bytes == text[:-1].rindex(b"\n") + 1


def test_an_empty_file_has_no_records() -> None:
    reader = FileReader("file")
    assert read(b"", reader) == []
    assert reader.topic is None


def test_a_newer_version_of_the_form_is_refused() -> None:
    data = made(Form.BINARY, Container.PLAIN).replace(b'{"version":1', b'{"version":9')
    with pytest.raises(DamagedExportError, match="checksum"):
        read(data, FileReader("file"))


@pytest.mark.parametrize(
    ("name", "form", "container"),
    [
        ("a.jsonl", Form.JSONL, Container.PLAIN),
        ("a.flt", Form.BINARY, Container.PLAIN),
        ("a.b.FLT.gz", Form.BINARY, Container.GZIP),
        ("dir.flt/a.json.zst", Form.JSONL, Container.ZSTD),
        ("-", Form.JSONL, Container.PLAIN),
    ],
)
def test_the_name_says_the_form(name: str, form: Form, container: Container) -> None:
    assert form_of(name) == (form, container)


def test_the_highest_partition_is_found_in_compressed_lines() -> None:
    data = made(Form.JSONL, Container.GZIP)
    assert highest_partition(iter([data[:20], data[20:]])) == 1
    assert highest_partition(iter([])) == 0


def test_frames_to_be_skipped_are() -> None:
    skipped = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    frame = bytes(pack(Container.ZSTD, b"text"))
    unpacker = Unpacker(Container.ZSTD)
    data = frame + skipped + frame
    assert b"".join(part.data for part in unpacker.feed(data)) == b"texttext"
    assert not unpacker.is_inside


@pytest.mark.parametrize("container", [Container.GZIP, Container.ZSTD])
def test_damaged_compression_is_no_crash(container: Container) -> None:
    data = bytearray(bytes(pack(container, b"some text " * 100)))
    data += b"garbage that is no unit"
    with pytest.raises(BadContainerError):
        list(Unpacker(container).feed(bytes(data)))
