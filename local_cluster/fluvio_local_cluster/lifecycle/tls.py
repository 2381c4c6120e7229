"""TLS of a local cluster: the six files and the name that its servers and its profile have.

They stay where they are: the state file, the servers and the profile name them by absolute paths, so that
new certificates can be put in place. Whether they belong together is found out before a start by what clients
will do: a handshake, in memory, under each name that the servers are called by.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluvio_client.target import Endpoint
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    import ssl

    from fluvio_client.security import Security
    from fluvio_profiles.model import Tls

_ROUNDS = 10  # of messages, in a handshake that needs three
_NOWHERE = ("127.0.0.1", 0)


@dataclass(slots=True, frozen=True)
class ClusterTls:
    """`domain`: what the controller's certificate is for; SPUs are `<name>.<domain>`. PEM files."""

    domain: str
    ca_cert: Path
    client_cert: Path
    client_key: Path
    server_cert: Path
    server_key: Path

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ClusterTls":
        """From `to_document`. Raises `KeyError`, `TypeError`."""
        paths = {name: Path(document[name]) for name in cls.__slots__ if name != "domain"}
        return cls(domain=str(document["domain"]), **paths)

    def to_document(self) -> dict[str, str]:
        """For the state file."""
        return {name: str(value) for name, value in asdict(self).items()}

    def server_arguments(self) -> list[str]:
        """What both kinds of servers are started with: clients must show a certificate."""
        return [
            "--tls",
            "--enable-client-cert",
            "--server-cert",
            str(self.server_cert),
            "--server-key",
            str(self.server_key),
            "--ca-cert",
            str(self.ca_cert),
        ]

    def target_options(self) -> dict[str, Any]:
        """The options of the command line that lead to the cluster without a profile, by `TargetOptions`."""
        return {
            "tls": True,
            "enable_client_cert": True,
            "domain": self.domain,
            "ca_cert": str(self.ca_cert),
            "client_cert": str(self.client_cert),
            "client_key": str(self.client_key),
        }

    @property
    def for_clients(self) -> "Tls":
        """The settings of the profile."""
        return self._settings(self.client_cert, self.client_key)

    @property
    def for_servers(self) -> "Tls":
        """The like with the server's own certificate, for `local-config`."""
        return self._settings(self.server_cert, self.server_key)

    def _settings(self, cert: Path, key: Path) -> "Tls":
        from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource

        certs = TlsCerts(self.domain, str(key), str(cert), str(self.ca_cert))
        return Tls(TlsPolicy.VERIFIED, TlsSource.FILES, certs)

    def security(self) -> "Security":
        """To connect to the cluster's own servers. Raises `CertificateError`."""
        from fluvio_client.security import security_of

        return security_of(self.for_clients)

    def problems(self, spu_names: Sequence[str]) -> list[str]:
        """Why clients or servers would refuse each other; empty when they would not."""
        from fluvio_local_cluster.server_tls import ServerTls

        try:
            server = ServerTls(self.server_cert, self.server_key, self.ca_cert).context()
            client = self.security()
        except FluvioError as exc:
            return [str(exc)]
        found: list[str] = []
        for name in ("", *spu_names):
            problem = _try(client, server, Endpoint(*_NOWHERE, name))
            if problem is not None:
                found.append(problem)
        return list(dict.fromkeys(found))


def _try(client: "Security", server: "ssl.SSLContext", endpoint: Endpoint) -> str | None:
    """Let both sides talk to each other; what the one that refuses the other says."""
    import ssl

    from fluvio_local_cluster.server_tls import explain_handshake

    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.context.wrap_bio(to_client, to_server, server_hostname=client.server_name(endpoint)),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done = [False, False]
    for number, end in _turns(ends):
        try:
            if not done[number]:
                end.do_handshake()
                done[number] = True
        except ssl.SSLWantReadError:
            continue
        except OSError as exc:
            return explain_handshake(exc) if number else client.failure(endpoint, exc).reason
        if all(done):
            return None
    return "the handshake does not come to an end"


def _turns(ends: Sequence["ssl.SSLObject"]) -> Iterator[tuple[int, "ssl.SSLObject"]]:
    for _ in range(_ROUNDS):
        yield from enumerate(ends)
