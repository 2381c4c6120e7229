"""One run of `fluvio tap`: a proxy until Ctrl-C, or a recording from its begin to its end."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.tap.events import Event, Shown
from fluvio_cli.tap.lines import json_line, text_lines
from fluvio_cli.tap.log import Log
from fluvio_cli.tap.observing import Observer
from fluvio_cli.tap.recording import events_of, first_line, line_of
from fluvio_cli.tap.relay import Relay

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.target import Address, Endpoint

_WRITE_BYTES = 64 * 1024
_PRINT_PATIENCE_S, _RECORD_PATIENCE_S = 2.0, 60.0  # at the end, for what waits to be written


@dataclass(slots=True, frozen=True)
class Look:
    """What is shown, and how."""

    output: str = "text"
    with_records: bool = False
    names: frozenset[str] | None = None  # of APIs; None: all

    def line(self, event: Shown) -> str:
        """What is printed for an event, with its line end."""
        render = json_line if self.output == "json" else text_lines
        return render(event, with_records=self.with_records)


@dataclass(slots=True, frozen=True)
class TapJob:
    """Where to listen, whom to pass on to, and where to keep the frames."""

    listen: "Endpoint"
    target: "Address"
    record: Path | None = None
    only_sc: bool = False


class _Lines:
    """Collects lines and writes them to a descriptor: when many wait, and when no more do."""

    def __init__(self, descriptor: int, line_of_event: Callable[[Any], str]) -> None:
        self._descriptor, self._line = descriptor, line_of_event
        self._waiting: list[bytes] = []
        self._size = 0

    def take(self, event: Any) -> None:
        self.add(self._line(event))

    def add(self, line: str) -> None:
        data = line.encode(errors="backslashreplace")
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _WRITE_BYTES:
            self.flush()

    def flush(self) -> None:
        rest = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        self._size = 0
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


async def tap(cli: "CliContext", job: TapJob, look: Look, interrupt: Interruptible) -> None:
    """Serve until Ctrl-C. Raises `TapAddressError`, and `OSError` when nothing can be written any more."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def fail(error: BaseException) -> None:
        loop.call_soon_threadsafe(partial(_set_exception, failed, error))

    cli.printer.flush()
    shown = _Lines(cli.printer.stdout.fileno(), look.line)
    observer = Observer(look.names)
    recording = _open_recording(job.record)
    printing = Log(shown.take, fail, name="tap output", on_idle=shown.flush)
    keeping = None
    if recording is not None:
        kept = _Lines(recording, line_of)
        kept.add(first_line(_version()))
        keeping = Log(kept.take, fail, name="tap recording", on_idle=kept.flush)

    def tell(event: Event) -> None:
        if keeping is not None:
            keeping.put(event)
        to_show = observer.take(event)
        if to_show is not None:
            printing.put(to_show)

    relay = Relay(job.listen, job.target, observer, tell, only_sc=job.only_sc)
    try:
        async with relay.running():
            interrupt.listen()
            cli.printer.hint("Ctrl-C ends the tap")
            with interrupt:
                await failed
    finally:
        is_shown = printing.close(_PRINT_PATIENCE_S)
        is_kept = keeping is None or keeping.close(_RECORD_PATIENCE_S)
        if recording is not None and is_kept:
            os.close(recording)
    _finish(cli, observer)
    if not is_shown:
        cli.printer.note("what was shown last is missing: nobody takes the output")
    if not is_kept:
        cli.printer.note(f"what was recorded last is missing: {job.record} takes too long to write")


def _set_exception(future: "asyncio.Future[None]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _open_recording(path: Path | None) -> int | None:
    # For its owner alone: records and certificates may be in it.
    return None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _version() -> str:
    from importlib.metadata import version

    return version("fluvio-cli")


def read(cli: "CliContext", path: Path, look: Look) -> None:
    """Print a recording. Raises `RecordingError`, `OSError`."""
    observer = Observer(look.names)
    with path.open("rb") as lines:
        for event in events_of(lines, str(path)):
            shown = observer.take(event)
            if shown is not None:
                cli.printer.data(look.line(shown))
    cli.printer.flush()
    _finish(cli, observer)


def _finish(cli: "CliContext", observer: Observer) -> None:
    table = observer.totals.table()
    if table:
        cli.printer.note(table.rstrip("\n"))
