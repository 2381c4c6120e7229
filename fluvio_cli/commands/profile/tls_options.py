"""The options that say how a cluster of the profile file is talked to, and what becomes of them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fluvio_profiles.model import Tls as TlsSettings

Tls = Annotated[bool, typer.Option("--tls", help="Talk TLS; alone it means encrypted but unverified")]
EnableClientCert = Annotated[
    bool,
    typer.Option("--enable-client-cert", help="Mutual TLS; then domain, CA, cert and key are all needed"),
]
Domain = Annotated[str | None, typer.Option("--domain", metavar="DOMAIN", help="Server name to verify")]
CaCert = Annotated[str | None, typer.Option("--ca-cert", metavar="CA_CERT", help="CA certificate (PEM file)")]
ClientCert = Annotated[
    str | None, typer.Option("--client-cert", metavar="CLIENT_CERT", help="Client certificate (PEM file)")
]
ClientKey = Annotated[
    str | None, typer.Option("--client-key", metavar="CLIENT_KEY", help="Client private key (PEM file)")
]


def tls_settings(
    *,
    tls: bool,
    enable_client_cert: bool,
    domain: str | None,
    ca_cert: str | None,
    client_cert: str | None,
    client_key: str | None,
) -> "TlsSettings":
    """What goes into the profile file, with absolute paths. Raises what `tls_from_options` does."""
    import os

    from fluvio_profiles.resolve import TargetOptions, tls_from_options

    def absolute(path: str | None) -> str | None:
        return None if path is None else os.path.abspath(path)

    return tls_from_options(
        TargetOptions(
            tls=tls,
            enable_client_cert=enable_client_cert,
            domain=domain,
            ca_cert=absolute(ca_cert),
            client_cert=absolute(client_cert),
            client_key=absolute(client_key),
        )
    )
