"""Settings of a client as a whole. Nothing here reads the environment: whoever starts the client does."""

from dataclasses import dataclass

from fluvio_client.session import DEFAULT_CLIENT_ID
from fluvio_types.defaults import METADATA_TIMEOUT_MS, SOCKET_WAIT_S


@dataclass(slots=True, frozen=True)
class ClientSettings:
    """What official clients take from `FLV_SOCKET_WAIT` and `FLV_METADATA_TIMEOUT`, in seconds here."""

    client_id: str = DEFAULT_CLIENT_ID
    socket_timeout_s: float = SOCKET_WAIT_S  # for connecting, and for each answer
    metadata_timeout_s: float = METADATA_TIMEOUT_MS / 1000  # for a topic or leader that is not ready yet
