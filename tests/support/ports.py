"""Free TCP ports of 127.0.0.1 for servers that must be told their port before they start.

Nobody else takes such a port between here and the server's start, nor while a cluster of a test is stopped:

- They come from below 20,000, where neither systems nor `fluvio` look for ports that nobody has named
  (`lifecycle.ports`: from 20,000; ports of outgoing connections: Linux from 32,768, macOS from 49,152).
- Each test process has a region of its own: it listens on the first port of it for as long as it lives.
- Within it ports are given in turn, so that one comes again only after all others.

Where a server can bind port 0 and say what it got, that is better still.
"""

import os
import random
import socket
from contextlib import ExitStack
from functools import cache

_LOWEST, _HIGHEST = 11_000, 20_000
_REGION = 300  # ports


def free_ports(count: int) -> list[int]:
    """Return `count` distinct ports that nothing listens on; raises `OSError` if there are too few."""
    ports: list[int] = []
    while len(ports) < count:
        port = free_port_block(1)
        if port not in ports:
            ports.append(port)
    return ports


def free_port_block(size: int) -> int:
    """Return the first of `size` successive ports that nothing listens on; raises `OSError` if none are."""
    region = _own_region(os.getpid())
    for _ in range(_REGION):
        first = region.take(size)
        if all(is_free(port) for port in range(first, first + size)):
            return first
    raise OSError(f"no {size} successive free ports among {_REGION} from {region.first} on")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port`, on the loopback address and on all addresses."""
    with ExitStack() as stack:
        for address in ("127.0.0.1", ""):
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, port))
            except OSError:
                return False
            listener.close()
    return True


class _Region:
    """Successive ports that only this process gives out."""

    def __init__(self, guard: socket.socket) -> None:
        """`guard` listens on the port before the first one."""
        self._guard = guard
        self.first: int = guard.getsockname()[1] + 1
        self._next = self.first

    def take(self, size: int) -> int:
        """The first of the next `size` ports, from the beginning again when too few are left."""
        end = self.first + _REGION - 1
        first = self._next if self._next + size <= end else self.first
        self._next = first + size
        return first


@cache
def _own_region(pid: int) -> _Region:
    """The region of process `pid`, this one: a forked child looks for its own."""
    regions = list(range(_LOWEST, _HIGHEST, _REGION))
    random.SystemRandom().shuffle(regions)
    for first in regions:
        try:
            return _Region(socket.create_server(("127.0.0.1", first)))
        except OSError:
            continue
    raise OSError(f"{len(regions)} test processes hold all ports between {_LOWEST} and {_HIGHEST}")
