"""A transport without a socket: keeps what is written, and whether its protocol reads."""

import asyncio
from typing import Any


class MemoryTransport(asyncio.Transport):
    """Feed the protocol with `deliver`; `written` is what it wrote."""

    def __init__(self, protocol: asyncio.BufferedProtocol, *, is_encrypted: bool = False) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = bytearray()
        self.is_paused = False
        self.is_ended = False
        self.is_encrypted = is_encrypted
        self._protocol = protocol
        protocol.connection_made(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "sslcontext" and self.is_encrypted:
            return self
        return super().get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self.is_ended

    def deliver(self, data: bytes) -> int:
        """Hand bytes to the protocol as a socket would, until it pauses; returns how many."""
        position = 0
        while position < len(data) and not self.is_paused and not self.is_ended:
            view: Any = self._protocol.get_buffer(-1)
            count = min(len(view), len(data) - position)
            view[:count] = data[position : position + count]
            del view
            self._protocol.buffer_updated(count)
            position += count
        return position

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def close(self) -> None:
        self.is_ended = True

    def abort(self) -> None:
        self.is_ended = True
