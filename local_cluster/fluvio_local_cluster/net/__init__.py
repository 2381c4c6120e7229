"""Framed connections of the servers: accept loop, frames, dispatch by API key. Shared by SC and SPU.

`server.serve` listens and runs `dispatch.serve_requests` on each `connection.Connection`; `dial.dial` is
the other end. `framing` (pure) cuts bytes into frames, `limits` says what a peer may cost.
"""

from fluvio_local_cluster.net.connection import Connection, ConnectionClosedError
from fluvio_local_cluster.net.dial import ask, dial
from fluvio_local_cluster.net.dispatch import Route, Service, Session, serve_requests, wire_version
from fluvio_local_cluster.net.limits import NetLimits
from fluvio_local_cluster.net.server import Server, serve

__all__ = [
    "Connection",
    "ConnectionClosedError",
    "Route",
    "Service",
    "Session",
    "serve_requests",
    "wire_version",
    "NetLimits",
    "Server",
    "serve",
    "ask",
    "dial",
]
