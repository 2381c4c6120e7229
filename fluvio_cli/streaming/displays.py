"""What becomes of the records that `consume` reads: lines that are printed as they come, or something else.

The other one is `table_display`.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from fluvio_cli.output.records import RecordOptions, RecordRenderer

if TYPE_CHECKING:
    from fluvio_cli.output.printer import Printer
    from fluvio_client.consumer.positions import ConsumerRecord, RecordBatch


class Display(Protocol):
    """Where records go: `open` it, `show` them, `close` it. With `draws`, `draw` runs as a task meanwhile."""

    leaves_out: bool  # nothing is to be seen of some records: `is_shown` says of which
    draws: bool

    def is_shown(self, record: "ConsumerRecord", topic: str) -> bool:
        """Whether anything of the record is to be seen."""

    async def draw(self) -> None:
        """Keep up what moves, until cancelled."""

    def open(self, leave: Callable[[], None]) -> None:
        """Records will come. `leave` is called when a person has enough."""

    async def show(self, batch: "RecordBatch", records: "Sequence[ConsumerRecord] | None") -> None:
        """Show records of a batch, None: all. Lowers its `stop_offset` when it is cancelled between two."""

    def tell(self, text: str) -> None:
        """Say something beside the records."""

    def hint(self, text: str) -> None:
        """The same, if a person watches."""

    def close(self, *, was_stopped: bool) -> None:
        """No more records come. `was_stopped`: a signal ended it, not the stream."""


class Lines:
    """Each record printed as it comes; while none does, a person sees that they are waited for."""

    def __init__(self, printer: "Printer", options: RecordOptions, *, shows_waiting: bool) -> None:
        self._printer = printer
        self._renderer = RecordRenderer(options)
        self.leaves_out, self.draws = self._renderer.leaves_out, shows_waiting

    def is_shown(self, record: "ConsumerRecord", topic: str) -> bool:
        """Whether anything of the record is printed."""
        return bool(self._renderer.render([record], topic))

    async def draw(self) -> None:
        """Show that records are waited for."""
        with self._printer.busy("waiting for records"):
            await asyncio.get_running_loop().create_future()

    def open(self, leave: Callable[[], None]) -> None:
        """Nothing to do."""

    async def show(self, batch: "RecordBatch", records: "Sequence[ConsumerRecord] | None") -> None:
        """Print them, at once."""
        renderer = self._renderer
        if renderer.wants_values_only:
            values = batch.values() if records is None else [record.value for record in records]
            text = renderer.render_values(values)
        else:
            text = renderer.render(batch.records() if records is None else records, batch.topic)
        out = self._printer.stdout.buffer
        with self._printer.still():
            out.write(text)
            out.flush()

    def tell(self, text: str) -> None:
        """Print a line to standard error."""
        self._printer.note(text)
        self._printer.stderr.flush()

    def hint(self, text: str) -> None:
        """The same, if standard error is a terminal."""
        self._printer.hint(text)

    def close(self, *, was_stopped: bool) -> None:
        """Nothing to do."""
