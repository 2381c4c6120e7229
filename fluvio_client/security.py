"""How the connections of one client are protected: TLS by Python's `ssl`, loaded only when it is wanted.

Source: docs/protocol.md, "TLS". A *verified* cluster has a domain: the controller shows a certificate for it
and an SPU one for `<its name>.<domain>`, both signed by the profile's CA, and this side shows the profile's
client certificate. With *anonymous* the bytes are encrypted and whoever answers is believed.
"""

import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fluvio_client.errors import CONNECT_HINT, CertificateError, ConnectionFailedError, describe_os_error

if TYPE_CHECKING:
    from fluvio_client.target import Endpoint

_ANONYMOUS, _FILES = "anonymous", "files"
_EXPIRED, _NOT_YET_VALID, _WRONG_NAME = 10, 9, 62  # OpenSSL's X509_V_ERR_...
_STRANGE_CA = frozenset({2, 18, 19, 20, 21})
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST"})


class Certificates(Protocol):
    """PEM texts, or paths of files with them."""

    @property
    def domain(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def cert(self) -> str: ...
    @property
    def ca_cert(self) -> str: ...


@dataclass(slots=True, frozen=True)
class Security:
    """What a client needs to open protected connections to servers of one cluster."""

    context: ssl.SSLContext
    domain: str | None  # None: servers are not verified

    def server_name(self, endpoint: "Endpoint") -> str:
        """What the server's certificate must be for; with *anonymous* it is only sent along."""
        if self.domain is None:
            return endpoint.host
        return f"{endpoint.name}.{self.domain}" if endpoint.name else self.domain

    def failure(self, endpoint: "Endpoint", exc: OSError) -> ConnectionFailedError:
        """What went wrong in the TLS handshake."""
        reason, hint = _explain(exc, self.server_name(endpoint))
        return ConnectionFailedError(str(endpoint), reason, hint=hint)

    def refusal(self, endpoint: "Endpoint", exc: BaseException | None) -> ConnectionFailedError:
        """The server has ended the connection before its first answer: only then it refuses certificates."""
        if isinstance(exc, ssl.SSLError) and "ALERT" in (exc.reason or ""):
            return self.failure(endpoint, exc)
        mine = "wants a client certificate" if self.domain is None else "does not accept this certificate"
        reason = f"the server closed the connection after the TLS handshake: it may be that it {mine}"
        hint = "the server's output says why; `--enable-client-cert` or a `verified` profile shows one"
        return ConnectionFailedError(str(endpoint), reason, hint=hint)


def security_of(tls: Any) -> Security:
    """From settings as `fluvio_profiles.model.Tls` has them, whose policy is not `disabled`.

    Raises `CertificateError` when a certificate or the key cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.policy.value == _ANONYMOUS:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return Security(context, None)
    certs: Certificates = tls.certs
    if tls.source.value == _FILES:
        _checked(certs.ca_cert, lambda: context.load_verify_locations(certs.ca_cert))
        _load_pair(context, certs.cert, certs.key)
    else:
        what = "the CA in the profile"
        _checked(what, lambda: context.load_verify_locations(cadata=certs.ca_cert))
        _load_inline_pair(context, certs)
    return Security(context, certs.domain)


def _load_pair(context: ssl.SSLContext, cert: str, key: str) -> None:
    for path in (cert, key):
        _checked(path, lambda path=path: Path(path).read_bytes())  # type: ignore[misc]
    _checked(f"{cert} with {key}", lambda: context.load_cert_chain(cert, key, _no_password))


def _load_inline_pair(context: ssl.SSLContext, certs: Certificates) -> None:
    # `ssl` takes a key from a file only: it is there, for its owner alone, as long as that takes
    with tempfile.TemporaryDirectory(prefix="fluvio-") as directory:
        paths = []
        for name, text in (("cert", certs.cert), ("key", certs.key)):
            paths.append(os.path.join(directory, name))
            descriptor = os.open(paths[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        what = "the client certificate and key in the profile"
        _checked(what, lambda: context.load_cert_chain(paths[0], paths[1], _no_password))


def _no_password() -> str:
    raise CertificateError("the client's key", "it is encrypted; write it without a pass phrase")


def _checked(what: str, load: Callable[[], object]) -> None:
    try:
        load()
    except ssl.SSLError as exc:
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise CertificateError(what, "the key belongs to another certificate") from exc
        raise CertificateError(what, f"this is no PEM of a certificate or key ({exc.reason or exc})") from exc
    except OSError as exc:
        hint = "relative paths are looked for in the working directory"
        raise CertificateError(what, exc.strerror or str(exc), hint=hint) from exc


def _explain(exc: OSError, name: str) -> tuple[str, str]:
    """Reason and next step."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _explain_certificate(exc, name)
    reason = exc.reason if isinstance(exc, ssl.SSLError) else None
    if reason is not None and "ALERT" in reason:
        words = reason.partition("ALERT_")[2].replace("_", " ").lower()
        return (
            f"the server refused this client's certificate ({words})",
            "use a client certificate that the cluster's CA has signed and that is valid today",
        )
    if reason in _NO_TLS or isinstance(exc, ssl.SSLEOFError | ConnectionResetError | ConnectionAbortedError):
        return (
            "the server does not speak TLS, or broke off",
            "if the cluster has no TLS, use a profile without it",
        )
    if reason is not None:
        return f"TLS failed: {reason.replace('_', ' ').lower()}", CONNECT_HINT
    return describe_os_error(exc), CONNECT_HINT


def _explain_certificate(exc: ssl.SSLCertVerificationError, name: str) -> tuple[str, str]:
    code = exc.verify_code
    if code == _EXPIRED:
        return f"the certificate of {name} has expired", "give the server a new one, or set this clock right"
    if code == _NOT_YET_VALID:
        return f"the certificate of {name} is not valid yet", "is the clock of this machine right?"
    if code == _WRONG_NAME:
        return (
            f"the server's certificate is not for {name}",
            "the profile's domain, or the names in the certificate, are others; an SPU needs `*.DOMAIN`",
        )
    if code in _STRANGE_CA:
        return (
            f"the certificate of {name} is not signed by the profile's CA",
            "name the CA that signed it, or ask whose server this is",
        )
    return f"the certificate of {name} is not accepted: {exc.verify_message}", CONNECT_HINT
