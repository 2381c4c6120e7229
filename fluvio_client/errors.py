"""What can go wrong between this client and a cluster.

Errors that a peer reports by code are `fluvio_protocol.error_code.ApiError` and its kinds; the ones here
are found on this side. Texts that begin with `Socket io` are the official client's, programs look for them.
"""

import os

from fluvio_types.errors import FluvioError

CONNECT_HINT = "is the cluster running? `fluvio cluster status` tells"
NOT_SERVED_HINT = (
    "`fluvio cluster spu list` shows which SPUs are online; the output of one that is says why it does not "
    "serve the partition, such as a limit (`--max-partitions`)"
)


class ConnectionFailedError(FluvioError):
    """No connection could be made to `endpoint` (host:port); nothing was sent."""

    kind = "cannot-connect"

    def __init__(self, endpoint: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"Socket io {reason}, can't connect to {endpoint}", hint=hint)
        self.endpoint, self.reason = endpoint, reason


class ConnectionLostError(FluvioError):
    """The connection ended while answers were awaited; what was sent may or may not have been done."""

    kind = "cannot-connect"

    def __init__(self, endpoint: str, reason: str = "Socket closed") -> None:
        super().__init__(f"Socket io {reason}", hint=f"the connection to {endpoint} was lost")
        self.endpoint, self.reason = endpoint, reason


class HandshakeError(FluvioError):
    """Something listens at the address, but it does not answer as a Fluvio server does."""

    kind = "cannot-connect"

    def __init__(self, endpoint: str, *, was_closed: bool = False) -> None:
        """`was_closed`: it has said nothing at all."""
        hint = f"{endpoint} does not answer as a Fluvio server: does it want TLS?"
        if was_closed:
            hint = (
                f"{endpoint} closed the connection at once: it may have as many as it takes, then its output "
                "names the limit (`--max-connections` or `ulimit -n`); or it wants TLS"
            )
        super().__init__("Socket io next response", hint=hint)
        self.endpoint = endpoint


class ResponseTimeoutError(FluvioError):
    """An answer did not come within `timeout_s`; the request may or may not have been done."""

    kind = "timed-out"

    def __init__(self, timeout_s: float, api_key: int, correlation_id: int) -> None:
        super().__init__(
            f"Socket io Timed out: {timeout_s:g} secs waiting for response. "
            f"API_KEY={api_key}, CorrelationId={correlation_id}"
        )
        self.timeout_s, self.api_key, self.correlation_id = timeout_s, api_key, correlation_id


class CertificateError(FluvioError):
    """Certificates or keys that this side needs for TLS cannot be used; `what` names the file, or says it."""

    kind = "cannot-connect"

    def __init__(self, what: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot use {what}: {reason}", hint=hint)
        self.what, self.reason = what, reason


class ClientClosedError(FluvioError):
    """The client, producer or consumer was closed before or during the call."""


class PartitionNotFoundError(FluvioError):
    """The topic has no such partition."""

    kind = "not-found"

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"Partition not found: {topic}-{partition}")
        self.topic, self.partition = topic, partition


class MetadataTimeoutError(FluvioError):
    """The cluster did not tell what was needed within `timeout_s`."""

    kind = "timed-out"

    def __init__(self, what: str, timeout_s: float) -> None:
        super().__init__(f"timed out: no {what} within {timeout_s:g} s")
        self.what, self.timeout_s = what, timeout_s


class LeaderUnavailableError(FluvioError):
    """The partition exists but no SPU that leads it can be asked."""

    kind = "unhealthy"

    def __init__(self, topic: str, partition: int, reason: str) -> None:
        super().__init__(f"partition {topic}-{partition} has no leader to talk to: {reason}")
        self.topic, self.partition, self.reason = topic, partition, reason
        self.hint = NOT_SERVED_HINT


class RecordTooLargeError(FluvioError):
    """A record does not fit `max_request_size`; sizes in bytes, before compression."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"record size ({size_bytes} bytes), exceeded maximum request size ({limit_bytes} bytes)",
            hint="raise `--max-request-size`, or make the record smaller",
        )
        self.size_bytes, self.limit_bytes = size_bytes, limit_bytes


class ProducerError(FluvioError):
    """Records could not be stored; the text tells why."""


class ProducerConfigError(FluvioError):
    """Settings of a producer contradict each other or the topic."""


class ConsumerError(FluvioError):
    """A stream cannot go on; the text tells why."""


class CorruptBatchError(ConsumerError):
    """A batch's CRC does not match its bytes; records from `next_offset` on are of other batches."""

    def __init__(self, topic: str, partition: int, base_offset: int, next_offset: int) -> None:
        super().__init__(
            f"the batch at offset {base_offset} of {topic}-{partition} is damaged: wrong CRC",
            hint=f"to read what follows, use `--start {next_offset}`",
        )
        self.topic, self.partition = topic, partition
        self.base_offset, self.next_offset = base_offset, next_offset


def describe_os_error(exc: OSError) -> str:
    """`Connection refused (os error 111)`: the form in which official clients show system errors."""
    if exc.errno is None or exc.errno <= 0:
        return str(exc) or type(exc).__name__
    return f"{os.strerror(exc.errno)} (os error {exc.errno})"
