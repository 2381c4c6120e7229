"""Asks running SPUs to close their large active segments, so that a copy can share them.

It only saves work: an SPU that does not know the request, or does not answer, leaves more to be copied.
Layout: docs/protocol.md, "Closing segments".
"""

import socket

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.settings import dialled
from fluvio_local_cluster.lifecycle.state import ClusterState
from fluvio_protocol.api.replication import CloseSegmentsRequest, CloseSegmentsResponse
from fluvio_protocol.frame import FrameSplitter, encode_request, read_correlation_id
from fluvio_protocol.wire import DecodeError, Reader, decode

MIN_BYTES = 16 * 1024 * 1024  # less than this is copied faster than a disk is synced
_CONNECT_S = 2.0
_ANSWER_S = 60.0  # a gigabyte may have to be written to the disk
_READ_BYTES = 4096
_CORRELATION_ID = 1


def close_segments(state: ClusterState) -> int:
    """Ask all SPUs, one after the other; returns how many segments were closed."""
    return sum(_ask(server.plan.private) for server in state.spus)


def _ask(endpoint: Endpoint) -> int:
    where = dialled(endpoint)
    try:
        with socket.create_connection((where.host, where.port), timeout=_CONNECT_S) as connection:
            connection.settimeout(_ANSWER_S)
            request = CloseSegmentsRequest(min_bytes=MIN_BYTES)
            connection.sendall(encode_request(request, 0, _CORRELATION_ID))
            splitter = FrameSplitter(_READ_BYTES)
            while data := connection.recv(_READ_BYTES):
                for payload in splitter.feed(data):
                    reader = Reader(payload)
                    read_correlation_id(reader)
                    return decode(CloseSegmentsResponse, reader, 0).closed
    except (OSError, DecodeError):
        pass
    return 0
