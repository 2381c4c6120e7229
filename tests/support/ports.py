"""Free TCP ports of 127.0.0.1 for servers that must be told their port before they start.

The ports come from below the range from which systems give ports to outgoing connections (Linux: from
32768, macOS: from 49152), so a client of another test cannot take one between here and the server's
start. Where a server can bind port 0 and say what it got, that is better still.
"""

import random
import socket
from contextlib import ExitStack

_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Return `count` distinct ports that nothing listens on; raises `OSError` if there are too few."""
    ports: list[int] = []
    while len(ports) < count:
        port = free_port_block(1)
        if port not in ports:
            ports.append(port)
    return ports


def free_port_block(size: int, lowest: int = _LOWEST, highest: int = _HIGHEST) -> int:
    """Return the first of `size` successive ports that nothing listens on; raises `OSError` if none are."""
    for _ in range(_TRIES):
        first = random.SystemRandom().randrange(lowest, highest - size)
        if all(is_free(port) for port in range(first, first + size)):
            return first
    raise OSError(f"no {size} successive free ports between {lowest} and {highest}")


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
