"""The full table of `consume`: where there is no terminal, when it is drawn, what counts as seen."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fluvio_cli.context import CliContext
from fluvio_cli.output.full_table import Layout, layout_of
from fluvio_cli.output.printer import Printer
from fluvio_cli.streaming.table_display import FullTable
from fluvio_cli.streaming.table_screen import FRAME_S
from fluvio_client.consumer.positions import RecordBatch
from fluvio_profiles.resolve import TargetOptions
from fluvio_protocol.api.table_format import TableFormatColumnConfig, TableFormatSpec
from fluvio_protocol.batch import BatchBuilder, stamp
from tests.support import own_time
from tests.support.screens import Screen

NOW = 1_700_000_000_000


class Output(io.TextIOWrapper):
    """A stream that keeps bytes, and is a terminal if wanted."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def said(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()

    def shown(self) -> list[str]:
        """What a terminal of the usual size has on its screen then."""
        screen = Screen(80, 24)
        screen.feed(self.said)
        return screen.text


class Place:
    """One table, and the streams that it prints to."""

    def __init__(
        self,
        layout: Layout | None = None,
        *,
        suppress_unknown: bool = False,
        watched: bool = False,
        on_screen: bool = False,
    ) -> None:
        self.stdout, self.stderr = Output(terminal=on_screen), Output(terminal=watched)
        cli = CliContext(
            environment={},
            home=Path("/nowhere"),
            profile_path=Path("/nowhere/config"),
            target_options=TargetOptions(),
            printer=Printer(self.stdout, self.stderr, {}),
            stdin=io.StringIO(),
            executable=Path("/nowhere/fluvio"),
        )
        self.table = FullTable(cli, layout, suppress_unknown=suppress_unknown)
        if not on_screen:  # that wants a running loop
            self.table.open(lambda: None)

    def show(self, *values: bytes) -> None:
        asyncio.run(self.table.show(batch(list(values)), None))


def batch(values: list[bytes], base: int = 0) -> RecordBatch:
    builder = BatchBuilder(NOW)
    for value in values:
        builder.append(None, value, NOW)
    data = builder.build()
    stamp(data, 0, base, 0)
    return RecordBatch("t", 0, memoryview(bytes(data)), 0, base, base + len(values))


@pytest.mark.parametrize("was_stopped", [False, True])
def test_through_a_pipe_the_table_is_printed_at_the_end_however_it_comes(was_stopped: bool) -> None:
    columns = [
        TableFormatColumnConfig(key_path="id", primary_key=True),
        TableFormatColumnConfig(key_path="v"),
    ]
    place = Place(layout_of(TableFormatSpec(name="t", columns=columns)))
    place.show(b'{"id":1,"v":1}', b'{"id":2}', b"x")
    place.show(b'{"id":1,"v":2}')
    assert place.stdout.said == ""
    place.table.close(was_stopped=was_stopped)
    assert place.stdout.said == "+----+---+\n| id | v |\n+========+\n| 1  | 2 |\n| 2  |   |\n+----+---+\n"
    assert place.stderr.said == "records that are no JSON objects: 1\n"


def test_without_rows_nothing_is_printed() -> None:
    place = Place(suppress_unknown=True)
    place.show(b"x")
    place.table.close(was_stopped=False)
    assert (place.stdout.said, place.stderr.said) == ("", "")


def test_a_person_learns_when_the_table_comes_and_a_script_does_not() -> None:
    hint = "standard output is no terminal: the table is printed when the stream ends\n"
    assert (Place(watched=True).stderr.said, Place().stderr.said) == (hint, "")


def test_remarks_are_passed_on_at_once() -> None:
    place = Place()
    place.table.tell("records 0 to 1 of t-0 were removed by retention, going on at 2")
    place.table.hint("not for scripts")
    assert place.stderr.said == "records 0 to 1 of t-0 were removed by retention, going on at 2\n"


def test_of_a_batch_in_which_it_is_cancelled_only_what_made_rows_counts_as_seen() -> None:
    place = Place()
    given = batch([json.dumps({"n": number}).encode() for number in range(1000)], base=500)

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(place.table.show(given, None), name="show")
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
        assert task.cancelled()

    asyncio.run(scenario())
    assert 500 < given.stop_offset < 1500
    place.table.close(was_stopped=True)
    rows = place.stdout.said.splitlines()[3:-1]
    assert len(rows) == given.stop_offset - 500


def test_what_makes_no_row_is_left_out_only_if_that_is_not_told() -> None:
    told, left_out = Place().table, Place(suppress_unknown=True).table
    assert (told.leaves_out, left_out.leaves_out) == (False, True)
    records = batch([b"[]", b'[{"a":1}]']).records()
    assert [left_out.is_shown(record, "t") for record in records] == [False, True]


def on_screen(place: Place, scenario: Callable[[], Awaitable[None]]) -> None:
    """Run the scenario while the table is on the screen, drawn by its task."""

    async def main() -> None:
        place.table.open(lambda: None)
        async with asyncio.TaskGroup() as group:
            drawing = group.create_task(place.table.draw(), name="draw")
            try:
                await scenario()
            finally:
                drawing.cancel()
                place.table.close(was_stopped=True)

    own_time.run(main())


def test_however_fast_records_come_it_is_drawn_ten_times_a_second() -> None:
    place = Place(on_screen=True)

    async def scenario() -> None:
        for number in range(1000):
            await place.table.show(batch([b'{"n":%d}' % number]), None)
            await own_time.passed(0.001)
        await own_time.passed(FRAME_S)
        assert place.stdout.shown()[-2].strip("│").split() == ["999"]

    on_screen(place, scenario)
    titles = place.stdout.said.count("Items: ")
    assert 10 <= titles <= 12


def test_of_a_frame_only_lines_that_are_not_there_are_written() -> None:
    place = Place(on_screen=True)

    async def scenario() -> None:
        await place.table.show(batch([b'{"n":1}']), None)
        await own_time.passed(1)
        before = len(place.stdout.said)
        await place.table.show(batch([b'{"n":2}']), None)
        await own_time.passed(1)
        assert place.stdout.said[before:].count(";1H") == 2  # the title and the row
        before = len(place.stdout.said)
        await place.table.show(batch([]), None)
        await own_time.passed(1)
        assert place.stdout.said[before:] == ""

    on_screen(place, scenario)


def test_a_remark_is_on_the_screen_until_records_come_later_and_is_said_at_the_end() -> None:
    place = Place(on_screen=True, watched=True)

    async def scenario() -> None:
        table = place.table
        table.tell("lost it\x1b[2J")
        for wait_s, is_there in ((1.0, True), (3.0, True), (2.0, False)):
            await own_time.passed(wait_s)
            await table.show(batch([b"{}"]), None)
            await own_time.passed(FRAME_S)
            assert place.stdout.shown()[-1].startswith("└lost it\\u001b[2J─") is is_there
        assert place.stderr.said == ""

    on_screen(place, scenario)
    assert place.stderr.said == "lost it\\u001b[2J\n"
    assert Screen(80, 24).text == place.stdout.shown()


def test_where_errors_go_elsewhere_remarks_are_said_at_once() -> None:
    place = Place(on_screen=True)

    async def scenario() -> None:
        place.table.tell("lost it")
        assert place.stderr.said == "lost it\n"

    on_screen(place, scenario)
    assert place.stderr.said == "lost it\n"
