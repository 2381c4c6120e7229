"""Asks a cluster for its version over one short blocking connection: no event loop for one question."""

from typing import TYPE_CHECKING

from fluvio_client.blocking import BlockingConnection
from fluvio_client.target import resolve_address

if TYPE_CHECKING:
    from fluvio_profiles.resolve import Target


def ask_platform_version(target: "Target", client_id: str, timeout_s: float) -> str:
    """The cluster's version, however old it is.

    Raises as `BlockingConnection.open`, whose steps may each take `timeout_s`, and `CertificateError`.
    """
    address = resolve_address(target)
    with BlockingConnection.open(
        address.endpoint, security=address.security, client_id=client_id, timeout_s=timeout_s
    ) as connection:
        return connection.platform_version
