"""TLS of a listening server. `ssl` is loaded only by a server that has it (`--tls`).

Source: docs/protocol.md, "TLS". The server ends TLS itself, there is no plain port behind it. With a CA a
client must show a certificate that this CA has signed; the system's own CAs do not count.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    import ssl

HANDSHAKE_TIMEOUT_S = 10.0
OPTION = "--tls"
_PLAIN = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"


class ServerCertificateError(FluvioError):
    """The certificate, key or CA of a server cannot be used."""


@dataclass(slots=True, frozen=True)
class ServerTls:
    """Paths of PEM files; `ca`: who signs clients' certificates, None: clients need none."""

    cert: Path
    key: Path
    ca: Path | None = None

    def context(self) -> "ssl.SSLContext":
        """Load the files. Raises `ServerCertificateError`."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            for path in (self.cert, self.key):
                path.read_bytes()
            context.load_cert_chain(self.cert, self.key, _no_password)
            if self.ca is not None:
                self.ca.read_bytes()
                context.load_verify_locations(self.ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except ssl.SSLError as exc:
            reason = "the key belongs to another certificate"
            if exc.reason != "KEY_VALUES_MISMATCH":
                reason = f"a file is no PEM of what it should be ({exc.reason or exc})"
            files = ", ".join(str(path) for path in (self.cert, self.key, self.ca) if path is not None)
            raise ServerCertificateError(f"cannot use {files}: {reason}") from exc
        except OSError as exc:
            raise ServerCertificateError(f"cannot use {exc.filename}: {exc.strerror or exc}") from exc
        return context


def _no_password() -> str:
    raise ServerCertificateError("the server's key is encrypted: write it without a pass phrase")


def add_tls_options(parser: argparse.ArgumentParser) -> None:
    """Options of both servers."""
    parser.add_argument(OPTION, action="store_true", help="speak TLS with clients")
    parser.add_argument("--server-cert", type=Path, metavar="FILE", help="TLS: certificate of this server")
    parser.add_argument("--server-key", type=Path, metavar="FILE", help="TLS: its key")
    parser.add_argument(
        "--enable-client-cert", action="store_true", help="TLS: clients must show a certificate"
    )
    parser.add_argument("--ca-cert", type=Path, metavar="FILE", help="TLS: the CA that signs those")


def tls_given(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> ServerTls | None:
    """What the options of `add_tls_options` said; a missing one ends the process with code 2."""
    if not parsed.tls:
        return None
    wanted = [("server cert", parsed.server_cert), ("server key", parsed.server_key)]
    if parsed.enable_client_cert:
        wanted.append(("ca cert", parsed.ca_cert))
    for name, value in wanted:
        if value is None:
            parser.error(f"missing {name}")
    return ServerTls(
        parsed.server_cert, parsed.server_key, parsed.ca_cert if parsed.enable_client_cert else None
    )


def explain_handshake(exc: OSError) -> str:
    """Why a handshake with a client failed, for the log."""
    reason = getattr(exc, "reason", None)
    if reason in _PLAIN:
        return "the client does not speak TLS"
    if reason == _NO_CERTIFICATE:
        return "the client showed no certificate"
    message = getattr(exc, "verify_message", None)
    if message:
        return f"the client's certificate is not accepted: {message}"
    return reason.replace("_", " ").lower() if isinstance(reason, str) else str(exc)
