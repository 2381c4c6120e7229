"""What a server grants its peers."""

import argparse
from dataclasses import dataclass, replace

from fluvio_types.defaults import MAX_FRAME_BYTES, MAX_REQUEST_BYTES


@dataclass(slots=True, frozen=True)
class NetLimits:
    """Bounds of one server. Times in seconds, sizes in bytes."""

    max_frame_bytes: int = MAX_FRAME_BYTES
    max_connections: int = 4096
    connections_set_by: str = "--max-connections"  # what to change for more of them
    max_unprocessed_bytes: int = MAX_REQUEST_BYTES + 1024 * 1024  # of one connection; then reading pauses
    max_unprocessed_total_bytes: int = 256 * 1024 * 1024  # of all connections of a server
    unpaused_bytes: int = 16 * 1024  # a connection that holds no more reads on, however much the others hold
    max_requests_waiting: int = 1024  # of one connection; then reading pauses
    write_buffer_bytes: int = 256 * 1024  # `Connection.send` waits above this
    first_frame_timeout_s: float = 30.0  # from the connection to its first whole frame
    frame_timeout_s: float = 30.0  # from a frame's first byte to its last
    stall_timeout_s: float = 600.0  # a peer that takes nothing of what waits for it


_OPTIONS = {  # command line option of a server -> field
    "--max-connections": "max_connections",
    "--max-inflight-bytes": "max_unprocessed_total_bytes",
    "--max-connection-bytes": "max_unprocessed_bytes",
    "--max-inflight-requests": "max_requests_waiting",
    "--first-frame-timeout-ms": "first_frame_timeout_s",
    "--frame-timeout-ms": "frame_timeout_s",
    "--stall-timeout-ms": "stall_timeout_s",
}


_DEFAULTS = NetLimits()


def add_limit_options(parser: argparse.ArgumentParser) -> None:
    """Options of both servers for what a peer may cost."""
    for option, name in _OPTIONS.items():
        default = getattr(_DEFAULTS, name)
        if option.endswith("-ms"):
            parser.add_argument(
                option, type=_milliseconds, dest=name, metavar="MS", help=f"default {default * 1000:g}"
            )
        else:
            parser.add_argument(option, type=positive, dest=name, metavar="N", help=f"default {default}")


def limits_given(parsed: argparse.Namespace, base: NetLimits) -> NetLimits:
    """`base` with what the options of `add_limit_options` said."""
    given = {name: getattr(parsed, name) for name in _OPTIONS.values()}
    return replace(base, **{name: value for name, value in given.items() if value is not None})


def positive(text: str) -> int:
    """The number that an option gives. Raises `argparse.ArgumentTypeError` unless it is 1 or more."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no positive number")
    return int(text)


def _milliseconds(text: str) -> float:
    return positive(text) / 1000
