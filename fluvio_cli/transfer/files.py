"""A whole file: a form (JSON lines or blocks) in a container. Pure.

`FileReader` finds out by itself what a file is. It also knows up to which byte the file is whole, which is
where a file that was cut is good to, and where an export goes on.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from fluvio_cli.transfer.blocks import (
    MAGIC,
    BadBlockError,
    BlockReader,
    Counts,
    footer_block,
    header_block,
    record_blocks,
)
from fluvio_cli.transfer.containers import (
    MAGIC_BYTES,
    UNIT_BYTES,
    BadContainerError,
    Container,
    Portion,
    Unpacker,
    container_of,
    detect,
)
from fluvio_cli.transfer.lines import BadLineError, LineReader, LineWriter, highest_in_lines
from fluvio_cli.transfer.pieces import Packer, Piece
from fluvio_types.errors import FluvioError


class Form(StrEnum):
    """How records stand in a file."""

    JSONL = "jsonl"
    BINARY = "binary"


_BINARY_SUFFIX = ".flt"
_SPAN_MS = 1000  # small batches of so long a time become one; by no more a replay can be out of step


def form_of(name: str) -> tuple[Form, Container]:
    """What a file's name says: `.flt` is the binary form, all else JSON lines."""
    container, inner = container_of(name)
    return (Form.BINARY if inner.lower().endswith(_BINARY_SUFFIX) else Form.JSONL), container


class DamagedExportError(FluvioError):
    """A file of records is cut or damaged; up to `good_bytes` it is what was written."""

    def __init__(self, name: str, reason: str, good_bytes: int, counts: Counts) -> None:
        ends = ", ".join(f"{number}: {offset - 1}" for number, offset in sorted(counts.next_offsets.items()))
        upto = f" (last offset by partition: {ends})" if ends else ""
        super().__init__(
            f"{name} {reason}; it is good up to byte {good_bytes}, with {counts.total} records{upto}",
            hint="`fluvio topic export --resume` completes a file that was cut, while the topic is there",
        )
        self.name, self.good_bytes, self.records = name, good_bytes, counts.total


class FileReader:
    """`feed` the bytes of a file in order, then `end`. Each raises `DamagedExportError`, behind the good."""

    def __init__(self, name: str) -> None:
        """`name` is for messages."""
        self.name = name
        self.form: Form | None = None  # None: not known yet
        self.container = Container.PLAIN
        self.counts = Counts()
        self.good_bytes = 0  # of the file; without a footer, which an export takes away before it goes on
        self._start = b""
        self._unpacker: Unpacker | None = None
        self._rest = b""
        self._lines = LineReader()
        self._blocks = BlockReader()

    @property
    def document(self) -> dict[str, Any] | None:
        """What the header says of the topic; JSON lines have none."""
        return self._blocks.document

    @property
    def topic(self) -> str | None:
        """The name of the topic that the records came from, if the file tells."""
        document = self._blocks.document
        return self._lines.topic if document is None else str(document.get("topic"))

    @property
    def is_complete(self) -> bool:
        """Whether the footer was read."""
        return self._blocks.is_complete

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The records that these bytes complete."""
        if self._unpacker is None:
            self._start += data
            if len(self._start) < MAGIC_BYTES:
                return
            data, self._start = self._start, b""
            self.container = detect(data)
            self._unpacker = Unpacker(self.container)
        yield from self._unpack(data)

    def _unpack(self, data: bytes) -> Iterator[Piece]:
        assert self._unpacker is not None
        portions = self._unpacker.feed(data)
        while True:
            try:
                portion = next(portions, None)
            except BadContainerError as exc:
                raise self._damaged(str(exc)) from exc
            if portion is None:
                return
            yield from self._read(portion)

    def _read(self, portion: Portion) -> Iterator[Piece]:
        if self.form is None:
            self._rest += portion.data
            if len(self._rest) < len(MAGIC) and MAGIC.startswith(self._rest):
                return
            self.form = Form.BINARY if self._rest.startswith(MAGIC) else Form.JSONL
            text, self._rest = self._rest, b""
        else:
            text = portion.data
        if self.form is Form.BINARY:
            yield from self._read_blocks(text, portion.end)
        else:
            yield from self._read_lines(text)
        if portion.end is not None:
            self._note_good(portion.end)

    def _note_good(self, end: int) -> None:
        behind = len(self._rest)
        if self._blocks.is_complete:
            behind += self._blocks.behind_records
        if self.container is Container.PLAIN:
            self.good_bytes = end - behind
        elif not behind:
            self.good_bytes = end

    def _read_lines(self, text: bytes) -> Iterator[Piece]:
        cut = text.rfind(b"\n") + 1
        if not cut:
            self._rest += text
            return
        whole, self._rest = self._rest + text[:cut], text[cut:]
        try:
            pieces = self._lines.pieces(whole)
        except BadLineError as exc:
            raise self._damaged(f"cannot be read: {exc}") from exc
        for piece in pieces:
            self.counts.add(piece)
            yield piece

    def _read_blocks(self, text: bytes, end: int | None) -> Iterator[Piece]:
        data = memoryview(self._rest + text)
        self.counts = self._blocks.counts
        try:
            while True:
                pieces, used = self._blocks.read(data)
                yield from pieces
                data = data[used:]
                if not used or not data:
                    break
        except BadBlockError as exc:
            self._rest = bytes(data)
            if end is not None:
                self._note_good(end)
            raise self._damaged(f"is damaged: {exc}") from exc
        self._rest = bytes(data)

    def end(self) -> Iterator[Piece]:
        """The end of the file: the last line, if it has no line break of its own."""
        if self._unpacker is None and self._start:
            self._unpacker, start, self._start = Unpacker(Container.PLAIN), self._start, b""
            yield from self._unpack(start)
        if self._unpacker is not None and self._unpacker.is_inside:
            raise self._damaged("is cut inside of its compressed data")
        if self.form is Form.BINARY:
            if self._rest or not self._blocks.is_complete:
                raise self._damaged("is cut: its end is missing")
            return
        if self._rest:
            rest, self._rest = self._rest, b""
            try:
                pieces = self._lines.pieces(rest + b"\n")
            except BadLineError as exc:
                raise self._damaged(f"is cut, or cannot be read: {exc}") from exc
            for piece in pieces:
                self.counts.add(piece)
                yield piece

    def _damaged(self, reason: str) -> DamagedExportError:
        return DamagedExportError(self.name, reason, self.good_bytes, self.counts)


def highest_partition(blocks: Iterator[bytes]) -> int:
    """The highest number of a partition in a file of JSON lines, as far as it is good; 0 without any."""
    unpacker: Unpacker | None = None
    highest, rest = 0, b""
    try:
        for block in blocks:
            unpacker = unpacker or Unpacker(detect(block))
            for portion in unpacker.feed(block):
                whole, newline, rest = (rest + portion.data).rpartition(b"\n")
                highest = max(highest, highest_in_lines(whole + newline))
        highest = max(highest, highest_in_lines(rest + b"\n"))
    except (BadContainerError, BadLineError):
        pass  # whoever reads it all says it
    return highest


class FileMaker:
    """Pieces in, units of a file out: the bytes of each are to be packed by the container, as one."""

    def __init__(
        self, form: Form, topic: str, document: dict[str, Any], counts: Counts | None = None
    ) -> None:
        """`counts`: of what the file has already, when an export goes on; then it gets no header."""
        self.form = form
        self.counts = Counts() if counts is None else counts
        self._lines = LineWriter(topic)
        self._packer = Packer(span_ms=_SPAN_MS)
        self._parts: list[bytes] = []
        self._bytes = 0
        if form is Form.BINARY and counts is None:
            self._put(header_block(document))

    def add(self, piece: Piece) -> bytes | None:
        """A unit that is full now, or None. Raises `DecodeError` for a batch that is damaged inside."""
        if self.form is Form.JSONL:
            self.counts.add(piece)
            self._put(self._lines.lines(piece))
        else:
            self._put_blocks(self._packer.add(piece))
        return self.flush() if self._bytes >= UNIT_BYTES else None

    def rest(self) -> bytes:
        """The last unit of records; may be empty."""
        self._put_blocks(self._packer.flush())
        return self.flush()

    def flush(self) -> bytes:
        """What is there, as a unit."""
        unit = b"".join(self._parts)
        self._parts, self._bytes = [], 0
        return unit

    def end(self) -> bytes:
        """The unit that says that the file is complete; empty where the form has none."""
        return footer_block(self.counts) if self.form is Form.BINARY else b""

    def _put_blocks(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self.counts.add(piece)
            self._put(record_blocks(piece))

    def _put(self, part: bytes) -> None:
        self._parts.append(part)
        self._bytes += len(part)
