"""Asks a server whether it speaks the protocol: one ApiVersions over a blocking socket."""

import socket

from fluvio_client.errors import HandshakeError
from fluvio_client.session import Session
from fluvio_client.target import Endpoint
from fluvio_protocol.frame import FrameSplitter
from fluvio_protocol.wire import DecodeError

_READ_BYTES = 65_536


def probe(endpoint: Endpoint, client_id: str, timeout_s: float) -> None:
    """Return when the server has answered as a Fluvio server does.

    Raises `HandshakeError` when it answers differently or not within `timeout_s`, `OSError` when there is
    no connection.
    """
    session = Session(client_id=client_id, is_controller=False)
    splitter = FrameSplitter()
    with socket.create_connection((endpoint.host, endpoint.port), timeout=timeout_s) as connection:
        connection.sendall(session.handshake())
        payloads: list[memoryview] = []
        try:
            while not payloads:
                data = connection.recv(_READ_BYTES)
                if not data:
                    raise HandshakeError(str(endpoint))
                payloads.extend(splitter.feed(data))
            session.handshake_done(payloads[0])
        except (DecodeError, TimeoutError) as exc:
            raise HandshakeError(str(endpoint)) from exc
