"""The compact form of a file: blocks with checksums, in which batches stand as they are on the wire. Pure.

Layout: docs/topic-files.md, "The binary form". Whoever reads it can go from block to block without
decoding, and knows of every byte whether it is what was written.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fluvio_cli.transfer.pieces import Piece, checked_batch
from fluvio_protocol.checksum import crc32c
from fluvio_protocol.wire import DecodeError

MAGIC = b"\x89FLT\r\n\x1a\n"  # as PNG: a transfer that takes it for text breaks it at once
VERSION = 1
BLOCK = struct.Struct(">BII")  # kind, bytes of the content, CRC-32C of kind, length and content
_START = struct.Struct(">BI")
HEADER, RECORDS, FOOTER = 1, 2, 3
_RUN_HEAD = struct.Struct(">IH")  # partition, number of runs
_RUN = struct.Struct(">QI")  # first offset, records
_MOST_RUNS = 0xFFFF
MOST_BLOCK_BYTES = 128 * 1024 * 1024


class BadBlockError(ValueError):
    """Bytes that are no block of this form."""


@dataclass(slots=True)
class Counts:
    """What a file holds, by partition."""

    records: dict[int, int] = field(default_factory=dict)
    next_offsets: dict[int, int] = field(default_factory=dict)  # after the last one

    def add(self, piece: Piece) -> None:
        """Count a piece."""
        if piece.count:
            self.records[piece.partition] = self.records.get(piece.partition, 0) + piece.count
            self.next_offsets[piece.partition] = piece.offsets[-1] + 1

    @property
    def total(self) -> int:
        """Records of all partitions."""
        return sum(self.records.values())


def header_block(document: dict[str, Any]) -> bytes:
    """The beginning of a file, magic included. `document`: `settings.topic_document`."""
    return MAGIC + _block(HEADER, _json({"version": VERSION, **document}))


def footer_block(counts: Counts) -> bytes:
    """The end of a file that is complete."""
    rows = [
        {"partition": number, "records": counts.records[number], "next_offset": counts.next_offsets[number]}
        for number in sorted(counts.records)
    ]
    return _block(FOOTER, _json({"records": counts.total, "partitions": rows}))


def record_blocks(piece: Piece) -> bytes:
    """The block of a piece with a batch; several where its offsets have very many gaps."""
    assert piece.batch is not None
    runs = _runs(piece.offsets)
    if len(runs) > _MOST_RUNS:
        half = piece.count // 2
        from fluvio_cli.transfer.pieces import Packer

        parts = []
        for part in (piece.part(0, half), piece.part(half, piece.count)):
            packer = Packer()
            parts += [record_blocks(each) for each in (*packer.add(part), *packer.flush())]
        return b"".join(parts)
    head = _RUN_HEAD.pack(piece.partition, len(runs)) + b"".join([_RUN.pack(*run) for run in runs])
    return _block(RECORDS, head, piece.batch)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _block(kind: int, *parts: bytes | bytearray | memoryview) -> bytes:
    size = sum(map(len, parts))
    crc = crc32c(_START.pack(kind, size))
    for part in parts:
        crc = crc32c(part, crc)
    return b"".join([BLOCK.pack(kind, size, crc), *parts])


def _runs(offsets: Sequence[int]) -> list[tuple[int, int]]:
    if isinstance(offsets, range):
        return [(offsets.start, len(offsets))]
    runs: list[tuple[int, int]] = []
    first = following = offsets[0]
    for offset in offsets:
        if offset != following:
            runs.append((first, following - first))
            first = offset
        following = offset + 1
    runs.append((first, following - first))
    return runs


class BlockReader:
    """Blocks out of bytes that come in any portions."""

    def __init__(self) -> None:
        self.document: dict[str, Any] | None = None  # of the header
        self.counts = Counts()
        self.is_complete = False  # the footer was read
        self.behind_records = 0  # bytes taken since the last block that is not the footer
        self._has_magic = False

    def read(self, data: memoryview) -> tuple[list[Piece], int]:
        """The records of the whole blocks at the start of `data`, and how many bytes were used.

        Raises `BadBlockError` where a block is not what was written; good ones before it are returned first.
        """
        pieces: list[Piece] = []
        position = 0
        if not self._has_magic:
            if len(data) < len(MAGIC):
                return pieces, 0
            if data[: len(MAGIC)] != MAGIC:
                raise BadBlockError("it does not begin as a file of this form does")
            self._has_magic, position = True, len(MAGIC)
        try:
            while len(data) - position >= BLOCK.size:
                kind, size, crc = BLOCK.unpack_from(data, position)
                if size > MOST_BLOCK_BYTES or self.is_complete:
                    raise BadBlockError("what follows is no block")
                start = position + BLOCK.size
                if start + size > len(data):
                    break
                content = data[start : start + size]
                if crc32c(content, crc32c(_START.pack(kind, size))) != crc:
                    raise BadBlockError("a checksum does not match")
                self._take(kind, content, pieces)
                position = start + size
        except BadBlockError:
            if not pieces:
                raise
        return pieces, position

    def _take(self, kind: int, content: memoryview, pieces: list[Piece]) -> None:
        if self.document is None and kind != HEADER:
            raise BadBlockError("the header is missing")
        if kind == HEADER:
            self._read_header(content)
        elif kind == RECORDS:
            piece = _read_records(content)
            self.counts.add(piece)
            pieces.append(piece)
        elif kind == FOOTER:
            self._check_footer(content)
            self.behind_records = BLOCK.size + len(content)
        else:
            raise BadBlockError(f"blocks of kind {kind} are not known")

    def _read_header(self, content: memoryview) -> None:
        if self.document is not None:
            raise BadBlockError("there is a second header")
        document = _parsed(content)
        if document.get("version") != VERSION:
            raise BadBlockError(
                f"version {document.get('version')} of the form is not known: a newer fluvio may read it"
            )
        self.document = document

    def _check_footer(self, content: memoryview) -> None:
        document = _parsed(content)
        if document.get("records") != self.counts.total:
            raise BadBlockError(
                f"the file says that it has {document.get('records')} records, it has {self.counts.total}"
            )
        self.is_complete = True


def _parsed(content: memoryview) -> dict[str, Any]:
    try:
        document = json.loads(bytes(content))
    except ValueError:
        raise BadBlockError("a block is no JSON") from None
    if not isinstance(document, dict):
        raise BadBlockError("a block is no JSON object")
    return document


def _read_records(content: memoryview) -> Piece:
    try:
        partition, count = _RUN_HEAD.unpack_from(content)
        position = _RUN_HEAD.size
        runs = [_RUN.unpack_from(content, position + _RUN.size * number) for number in range(count)]
        batch = content[position + _RUN.size * count :]
        header = checked_batch(batch)
    except (struct.error, DecodeError) as exc:
        raise BadBlockError(f"a block of records cannot be read: {exc}") from None
    offsets: Sequence[int] = range(0)
    if len(runs) == 1:
        offsets = range(runs[0][0], runs[0][0] + runs[0][1])
    elif runs:
        offsets = [offset for first, length in runs for offset in range(first, first + length)]
    if len(offsets) != header.record_count:
        raise BadBlockError(f"a block names {len(offsets)} offsets for {header.record_count} records")
    return Piece(partition, offsets, None, batch)
