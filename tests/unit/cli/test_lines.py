"""Input as lines: from pipes and files, in whatever pieces it comes."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.streaming.lines import Input

SAMPLE = b"one\ntwo\r\n\nno \xff text\nlast"


async def lines_of(source: Input) -> list[bytes]:
    return [line async for lines in source.lines() for line in lines]


def with_pipe(text: bytes, use: Callable[[int], object]) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, text)
        os.close(writing)
        use(reading)
    finally:
        os.close(reading)


def test_lines_of_a_pipe_are_bytes_without_their_ends() -> None:
    def use(descriptor: int) -> None:
        source = Input(descriptor)
        assert (source.is_file, source.size_bytes) == (False, None)
        assert asyncio.run(lines_of(source)) == [b"one", b"two", b"", b"no \xff text", b"last"]
        assert (source.read_bytes, source.unfinished_bytes) == (len(SAMPLE), 0)

    with_pipe(SAMPLE, use)


def test_a_file_tells_how_much_there_is_from_where_reading_begins(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(SAMPLE)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.lseek(descriptor, 4, os.SEEK_SET)
        source = Input(descriptor)
        assert source.size_bytes == len(SAMPLE) - 4
        assert asyncio.run(lines_of(source))[0] == b"two"
        assert source.read_bytes == source.size_bytes
    finally:
        os.close(descriptor)


def test_the_whole_is_what_came_byte_for_byte() -> None:
    def use(descriptor: int) -> None:
        assert asyncio.run(Input(descriptor).whole()) == SAMPLE

    with_pipe(SAMPLE, use)


def test_what_is_read_while_a_line_has_no_end_yet_is_counted_and_a_cancelled_wait_reads_nothing() -> None:
    reading, writing = os.pipe()

    async def read() -> None:
        source = Input(reading)
        lines = source.lines()
        os.write(writing, b"whole\nhal")
        assert await anext(lines) == [b"whole"]
        assert source.unfinished_bytes == 3
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(lines)
        assert (source.read_bytes, source.unfinished_bytes) == (9, 3)

    try:
        asyncio.run(read())
    finally:
        os.close(reading)
        os.close(writing)


@given(st.lists(st.binary(max_size=5).map(lambda text: text.replace(b"x", b"\n")), max_size=8))
def test_pieces_change_nothing(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    expected = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    if not expected[-1] and not text.endswith(b"\r"):
        expected.pop()
    reading, writing = os.pipe()

    async def read() -> list[bytes]:
        found: list[bytes] = []
        source = Input(reading)
        lines = source.lines()
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)
        async for block in lines:
            found += block
        return found

    try:
        assert asyncio.run(read()) == expected
    finally:
        os.close(reading)
