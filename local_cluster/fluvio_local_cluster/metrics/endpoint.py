"""The HTTP answer to a scrape: GET /metrics and GET /healthz, nothing else. Format of requests: RFC 9112.

Our own server on the event loop, not that of `prometheus_client`: that one answers in threads, as many as
there are connections, with no limit of time, and its collector would read dictionaries while the event loop
changes them. Here figures are copied on the loop, between two requests, and only text is made of them in a
thread; connections, bytes and times are bounded, and one scrape is made at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from fluvio_local_cluster.metrics.families import Family
from fluvio_local_cluster.metrics.text import CONTENT_TYPE, Renderer

_logger = logging.getLogger(__name__)

_MAX_CONNECTIONS = 16
_MAX_HEAD_BYTES = 8 * 1024
_TIMEOUT_S = 10.0  # from the connection to the last byte of its answer
_PLAIN = "text/plain; charset=utf-8"
_STATUS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}
_HEAD_END = b"\r\n\r\n"


class MetricsEndpoint:
    """Listens at an address; `port` is the one really bound. `open`, then `start`, in the end `close`."""

    def __init__(self, read: Callable[[], Callable[[], Sequence[Family]]], render: Renderer) -> None:
        """`read` copies the figures, on the loop; what it returns and `render` make text, in a thread."""
        self.host, self.port = "", 0
        self._read, self._render = read, render
        self._listener: asyncio.Server | None = None
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def open(self, host: str, port: int) -> None:
        """Bind; nobody is answered yet. Raises `OSError`."""
        self._listener = await asyncio.start_server(
            self._accepted, host, port, limit=_MAX_HEAD_BYTES, start_serving=False
        )
        self.host, self.port = self._listener.sockets[0].getsockname()[:2]

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Answer from now on, by tasks of `group`."""
        assert self._listener is not None
        self._group = group
        await self._listener.start_serving()
        _logger.info("metrics are told at http://%s/metrics", _shown(self.host, self.port))

    def close(self) -> None:
        """Listen no more and end what is being answered."""
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._group is not None
        if len(self._tasks) >= _MAX_CONNECTIONS:
            writer.transport.abort()
            return
        task = self._group.create_task(self._serve(reader, writer), name="metrics connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                writer.write(await self._answer_to(reader))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError) as exc:
            _logger.debug("a scrape was not finished cause=%r", exc)
        finally:
            writer.transport.abort()  # of what a peer does not take nothing is kept

    async def _answer_to(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(_HEAD_END)
        except asyncio.IncompleteReadError:
            return _answer(400, b"this is no whole request\n")
        except asyncio.LimitOverrunError:
            return _answer(400, b"the head of a request has 8 KiB at most\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _answer(400, b"this is no request of HTTP/1.1\n")
        method, path = words[0], words[1].partition(b"?")[0]
        if path not in (b"/metrics", b"/healthz"):
            return _answer(404, b"there are /metrics and /healthz\n")
        if method not in (b"GET", b"HEAD"):
            return _answer(405, b"only GET is possible\n", "Allow: GET, HEAD\r\n")
        is_head = method == b"HEAD"
        if path == b"/healthz":
            return _answer(200, b"ok\n", is_head=is_head)
        try:
            text = await self._text()
        except Exception:  # `_group` is the server's own: what a scrape fails of must not end the server
            _logger.exception("figures could not be told")
            return _answer(500, b"figures could not be told; the log says why\n", is_head=is_head)
        return _answer(200, text, content_type=CONTENT_TYPE, is_head=is_head)

    async def _text(self) -> bytes:
        async with self._turn:
            describe = self._read()
            return await asyncio.to_thread(lambda: self._render(describe()))


def _answer(
    status: int, body: bytes, more: str = "", *, content_type: str = _PLAIN, is_head: bool = False
) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if is_head else body)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
