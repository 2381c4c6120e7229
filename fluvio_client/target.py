"""Where a cluster is: the address of its controller, and how to talk to it.

A client is given an address as text, or anything that looks like `ClusterTarget`. The profiles' own target
does, without either package knowing the other: whoever knows both hands one over.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from fluvio_client.errors import ConnectionFailedError

if TYPE_CHECKING:
    from fluvio_client.security import Security
    from fluvio_protocol.api.spu import SpuSpec

_NO_TLS = "disabled"


class TlsSettings(Protocol):
    """How a connection is protected; `policy.value` is `disabled`, `anonymous` or `verified`."""

    @property
    def policy(self) -> Enum: ...


class ClusterTarget(Protocol):
    """A resolved profile: `endpoint` is host:port of the controller."""

    @property
    def endpoint(self) -> str: ...

    @property
    def use_spu_local_address(self) -> bool: ...

    @property
    def tls(self) -> Any: ...  # a TlsSettings; Any, because protocols do not nest across packages' own types


@dataclass(slots=True, frozen=True)
class Endpoint:
    """A host and a port, and by which name the server there is known to TLS."""

    host: str
    port: int
    name: str = field(default="", compare=False)  # of an SPU; nothing for a controller

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True, frozen=True)
class Address:
    """What a client needs of a target: where the controller is, which address of SPUs to use, and TLS."""

    endpoint: Endpoint
    use_spu_local_address: bool = False
    security: "Security | None" = None  # None: nothing is encrypted


def parse_endpoint(text: str) -> Endpoint:
    """Read `host:port` or `[v6]:port`. Raises `ConnectionFailedError` for anything else."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ConnectionFailedError(
            text, "invalid socket address", hint="write an address as host:port, for example 127.0.0.1:9003"
        )
    return Endpoint(host, int(port))


def resolve_address(target: "str | ClusterTarget") -> Address:
    """Read a target. Raises `ConnectionFailedError` (bad address), `CertificateError` (TLS)."""
    if isinstance(target, str):
        return Address(parse_endpoint(target))
    endpoint, use_local = parse_endpoint(target.endpoint), target.use_spu_local_address
    if target.tls.policy.value == _NO_TLS:
        return Address(endpoint, use_local)
    from fluvio_client.security import security_of

    return Address(endpoint, use_local, security_of(target.tls))


def spu_endpoint(name: str, spec: "SpuSpec", *, use_local_address: bool) -> Endpoint:
    """Where clients reach the SPU `name`; at its local address if wanted and if it has one."""
    local = spec.public_endpoint_local
    if use_local_address and local is not None:
        return Endpoint(local.host, local.port, name)
    return Endpoint(spec.public_endpoint.host, spec.public_endpoint.port, name)
