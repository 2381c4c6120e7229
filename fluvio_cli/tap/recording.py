"""The file of `--record`: JSON lines with the frames as they went by, in base64 (docs/tap.md, "Recordings").

The first line says what the file is. `at` is in microseconds since 1970. Frames are without their length;
of one that went by in parts each has a line. An answer that was passed on with other addresses is here as
it came.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from fluvio_cli.tap.events import Closed, Event, Frame, Listening, Lost, Opened
from fluvio_types.errors import FluvioError

FORMAT = 1


class RecordingError(FluvioError):
    """A file is no recording of `fluvio tap`, or one of a newer format."""


def first_line(version: str) -> str:
    """What every recording begins with; `version` is that of this program."""
    return _line({"fluvio_tap": FORMAT, "by": f"fluvio-cli {version}"})


def line_of(event: Event) -> str:
    """The line of one event."""
    if isinstance(event, Lost):
        return _line({"event": "lost", "count": event.events, "bytes": event.size_bytes})
    found: dict[str, Any] = {"at": event.at_ns // 1000, "event": _NAMES[type(event)]}
    found |= event._asdict()
    del found["at_ns"]
    if isinstance(event, Frame):
        found["payload"] = b64encode(event.payload).decode()
        for name in ("part", "reason", "remark", "is_rewritten"):
            if found[name] in (None, "", False):
                del found[name]
    return _line(found)


_TYPES: dict[str, Any] = {"open": Opened, "close": Closed, "listen": Listening, "frame": Frame, "lost": Lost}
_NAMES = {kind: name for name, kind in _TYPES.items()}


_NUMBERS = frozenset({"at", "connection", "size", "part"})
_MOST_AT_US = 253_402_300_799_000_000  # the end of the year 9999; of the others none is larger


def _line(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def events_of(lines: Iterable[bytes], name: str) -> Iterator[Event]:
    """The events of a recording, read as they are asked for; `name` is that of the file, for errors.

    A last line that is not complete is left out: the tap that wrote it was killed, or goes on. Raises
    `RecordingError`.
    """
    number = 0
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            break
        try:
            document = json.loads(line)
            if number == 1:
                _check(document, name)
                continue
            yield _event(document)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            reason = str(exc) if isinstance(exc, ValueError) else f"{type(exc).__name__}: {exc}"
            raise RecordingError(f"{name}: line {number} is none of a recording: {reason}") from None
    if number < 1:
        raise RecordingError(f"{name} is empty: no recording")


def _check(document: Any, name: str) -> None:
    if not isinstance(document, dict) or "fluvio_tap" not in document:
        raise RecordingError(f"{name} is no recording of `fluvio tap`")
    if document["fluvio_tap"] != FORMAT:
        raise RecordingError(
            f"{name} is a recording of format {document['fluvio_tap']}, this program reads {FORMAT}",
            hint="use the program that made it, or a newer one",
        )


def _event(document: dict[str, Any]) -> Event:
    kind = _TYPES[document.pop("event")]
    if kind is Lost:
        return Lost(document["count"], document["bytes"])
    for name in _NUMBERS & set(document):
        if not isinstance(document[name], int) or not 0 <= document[name] <= _MOST_AT_US:
            raise ValueError(f"{name} `{document[name]}`")
    document["at_ns"] = document.pop("at") * 1000
    if kind is Frame:
        document["payload"] = b64decode(document["payload"], validate=True)
        if document["direction"] not in ("request", "answer"):
            raise ValueError(f"direction `{document['direction']}`")
    event: Event = kind(**document)
    return event
