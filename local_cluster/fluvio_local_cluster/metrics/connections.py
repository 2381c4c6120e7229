"""Families of a server's connections, which the SC and the SPU have alike."""

from collections.abc import Sequence
from typing import Protocol

from fluvio_local_cluster.metrics.families import Family, counter, gauge


class ServerFigures(Protocol):
    """What is asked of `net.Server`."""

    @property
    def name(self) -> str:
        """`public` or `private`."""
        ...

    @property
    def connection_count(self) -> int:
        """Open connections."""
        ...

    @property
    def accepted_count(self) -> int:
        """Connections that were accepted so far."""
        ...

    @property
    def refused_count(self) -> int:
        """Connections that were refused so far because there were too many."""
        ...

    @property
    def waiting_requests(self) -> int:
        """Requests that have come and are not answered."""
        ...

    @property
    def unprocessed_bytes(self) -> int:
        """Bytes of them."""
        ...


def connection_families(prefix: str, servers: Sequence[ServerFigures]) -> list[Family]:
    """Of these servers, each by its port (`public`, `private`)."""
    opened = gauge(f"{prefix}_connections_open", "Connections that are open", "port")
    accepted = counter(f"{prefix}_connections_accepted_total", "Connections that were accepted", "port")
    refused = counter(
        f"{prefix}_connections_refused_total", "Connections refused because of `--max-connections`", "port"
    )
    requests = gauge(
        f"{prefix}_requests_in_flight", "Requests that have come and are not handled yet", "port"
    )
    size = gauge(
        f"{prefix}_inflight_bytes", "Bytes of these requests; `--max-inflight-bytes` bounds them", "port"
    )
    for server in servers:
        port = server.name.removeprefix("sc-")
        opened.add(server.connection_count, port)
        accepted.add(server.accepted_count, port)
        refused.add(server.refused_count, port)
        requests.add(server.waiting_requests, port)
        size.add(server.unprocessed_bytes, port)
    return [opened, accepted, refused, requests, size]
