"""The records of `consume` as one table (`-O full-table`).

On a terminal the table is a screen. Elsewhere it is printed when the stream ends: before that nothing can be,
since later records may replace rows.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fluvio_cli.output.full_table import Layout, TableRows, harmless, layout_of, objects_in
from fluvio_cli.output.full_table_view import TableView
from fluvio_cli.streaming.table_screen import TableScreen
from fluvio_protocol.error_code import ErrorKind, code, exception_for

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio
    from fluvio_client.consumer.positions import ConsumerRecord, RecordBatch

_AT_ONCE = 50  # records; then keys and signals have their turn
_MOST_TOLD = 20  # remarks that are kept for the end
_REMARK_S = 5.0  # how long one stays on the screen at least; then records take it away


async def find_layout(client: "Fluvio", name: str) -> Layout:
    """The stored table format of that name. Raises `ApiError` when there is none, and as `Admin` does."""
    for stored in await client.admin.list_table_formats((name,)):
        if stored.name == name:  # the filter takes parts of names
            return layout_of(stored.spec)
    error = exception_for(code(ErrorKind.TABLE_FORMAT_NOT_FOUND), f"TableFormat not found: {name}")
    error.hint = "`fluvio table-format list` shows which there are"
    raise error


class FullTable:
    """The records as rows of one table.

    It is printed at the end: on a terminal unless a person has left the screen, elsewhere in any case,
    because a consumer's stored offset says that those records were seen.
    """

    def __init__(self, cli: "CliContext", layout: Layout | None, *, suppress_unknown: bool) -> None:
        self._printer = cli.printer
        self._rows = TableRows(layout or Layout(), tells_unknown=not suppress_unknown)
        self._told: deque[str] = deque(maxlen=_MOST_TOLD)
        self._leave: Callable[[], None] = _nothing
        self._has_left = False
        self._remarked_at = 0.0
        self._view: TableView | None = None
        self._screen: TableScreen | None = None
        self.leaves_out, self.draws = suppress_unknown, cli.printer.takes_screen
        if self.draws:
            self._make_screen(cli)

    def _make_screen(self, cli: "CliContext") -> None:
        encoding = cli.printer.stdout.encoding
        is_typed = not cli.stdin.closed and cli.stdin.isatty()
        self._view = TableView(
            self._rows,
            colours=cli.printer.shows_colours,
            has_boxes=encoding.lower().startswith("utf"),
            has_keys=is_typed,
        )
        keyboard = cli.stdin.fileno() if is_typed else None
        self._screen = TableScreen(self._view, cli.printer.stdout.buffer, keyboard, self._left, encoding)

    def is_shown(self, record: "ConsumerRecord", topic: str) -> bool:
        """Whether it makes a row."""
        return bool(objects_in(record.value)[0])

    async def draw(self) -> None:
        """Keep the screen up to date."""
        if self._screen is not None:
            await self._screen.run()

    def open(self, leave: Callable[[], None]) -> None:
        """Take the terminal, if there is one."""
        self._leave = leave
        if self._screen is not None:
            self._screen.open()
        else:
            self.hint("standard output is no terminal: the table is printed when the stream ends")

    async def show(self, batch: "RecordBatch", records: "Sequence[ConsumerRecord] | None") -> None:
        """Make rows of them, some at a time."""
        if records is None:
            records = batch.records()
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            for record in some:
                self._rows.add(record.value)
            self._show_rows()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                batch.stop_offset = min(batch.stop_offset, some[-1].offset + 1)
                raise

    def tell(self, text: str) -> None:
        """Say it on the screen, and on standard error when that is free."""
        if self._screen is None or self._view is None:
            self._note(text)
            return
        self._view.remark, self._remarked_at = harmless(text), _now()
        self._screen.changed()
        if self._printer.stderr_is_terminal:
            self._told.append(self._view.remark)
        else:
            self._note(text)

    def _note(self, text: str) -> None:
        self._printer.note(text)
        self._printer.stderr.flush()

    def _show_rows(self) -> None:
        if self._screen is not None and self._view is not None:
            if self._view.remark and _now() - self._remarked_at > _REMARK_S:
                self._view.remark = ""
            self._screen.changed()

    def hint(self, text: str) -> None:
        """The same, if standard error is a terminal."""
        if self._printer.stderr_is_terminal:
            self.tell(text)

    def close(self, *, was_stopped: bool) -> None:
        """Give the terminal back, print the table, and what was said meanwhile."""
        if self._screen is not None:
            self._screen.close()
        if self._screen is None or not (was_stopped or self._has_left):
            out = self._printer.stdout.buffer
            for line in self._rows.as_text():
                out.write(line.encode())
            out.flush()
        for text in self._told:
            self._printer.note(text)
        for text in self._rows.remarks():
            self._printer.note(text)

    def _left(self) -> None:
        self._has_left = True
        self._leave()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _nothing() -> None:
    pass
