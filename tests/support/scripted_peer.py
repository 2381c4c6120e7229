"""A server that says what a test tells it to, over real sockets on 127.0.0.1.

Each connection runs the test's script in a thread of its own: read a request, send bytes. Leaving the
`with` block closes everything, joins the threads and raises what went wrong in a script.

`replay` is such a script: it answers every request with the frames that the official engine sent for one
of the same API key, in the order of the capture, under the correlation id of the request.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from fluvio_protocol.frame import RequestHeader, read_request_header
from fluvio_protocol.wire import Reader

DATA = Path(__file__).parent.parent / "data"
JOIN_S = 10.0


@dataclass(slots=True)
class Received:
    """One request as it came: header and the bytes of its body."""

    header: RequestHeader
    body: bytes


class Conversation:
    """One accepted connection, used by its script only."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.socket, self.number = sock, number  # connections count from 0
        self._file = sock.makefile("rb")

    def read(self) -> Received | None:
        """The next request; None when the client closed the connection, in whatever way."""
        try:
            length = self._file.read(4)
            if len(length) < 4:
                return None
            payload = self._file.read(struct.unpack(">i", length)[0])
        except OSError:
            return None
        reader = Reader(payload)
        header = read_request_header(reader)
        return Received(header, bytes(reader.take(reader.remaining)))

    def send(self, data: bytes) -> None:
        """Send bytes as they are; a client that is gone does not matter."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def answer(self, request: Received, body: bytes) -> None:
        """Send one answer to `request`."""
        self.send(struct.pack(">ii", 4 + len(body), request.header.correlation_id) + body)

    def close(self) -> None:
        """Close the connection now."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


Script = Callable[[Conversation], None]


class ScriptedPeer:
    """Listens on a free port and runs `script` for each connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._conversations: list[Conversation] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    @property
    def endpoint(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def connection_count(self) -> int:
        """Connections accepted so far."""
        return len(self._conversations)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._threads[0].join(JOIN_S)
        self.drop_all()
        for thread in self._threads:
            thread.join(JOIN_S)
            assert not thread.is_alive(), "a script did not end"
        for conversation in self._conversations:
            conversation.socket.close()
        if self._failures and kind is None:
            raise self._failures[0]

    def drop_all(self) -> None:
        """Cut every connection that is open."""
        for conversation in list(self._conversations):
            conversation.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = Conversation(sock, len(self._conversations))
            self._conversations.append(conversation)
            self._start(self._run, conversation)

    def _run(self, conversation: Conversation) -> None:
        try:
            self._script(conversation)
        except OSError:
            pass
        except BaseException as exc:  # noqa: BLE001 - raised in __exit__
            self._failures.append(exc)
        finally:
            conversation.close()


@cache
def engine_frames() -> dict[str, dict[str, Any]]:
    """Frames captured from the official engine, by id."""
    document = json.loads((DATA / "engine-frames.json").read_text())
    return {frame["id"]: frame for frame in document["frames"]}


def engine_frame(name: str) -> bytes:
    """The bytes of one captured frame, length included."""
    return bytes.fromhex(engine_frames()[name]["hex"])


def response_body(name: str) -> bytes:
    """The body of a captured answer: without length and correlation id."""
    return engine_frame(name)[8:]


def request_body(name: str) -> bytes:
    """The body of a captured request: without length and header."""
    reader = Reader(engine_frame(name)[4:])
    read_request_header(reader)
    return bytes(reader.take(reader.remaining))


def replay(names: Iterable[str], received: list[Received]) -> Script:
    """A script that answers with these captured frames and notes what was asked in `received`."""
    names = list(names)

    def script(conversation: Conversation) -> None:
        waiting: dict[int, list[str]] = {}
        for name in names:
            waiting.setdefault(engine_frames()[name]["api_key"], []).append(name)
        while (request := conversation.read()) is not None:
            received.append(request)
            answers = waiting.get(request.header.api_key)
            assert answers, f"no captured answer is left for API {request.header.api_key}"
            conversation.answer(request, response_body(answers.pop(0)))

    return script
