"""The TLS options of `cluster start` and `cluster upgrade`, and the one value that they are."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli.commands.cluster.local import absolute

if TYPE_CHECKING:
    from fluvio_local_cluster.lifecycle.tls import ClusterTls

TLS_PANEL = ("tls", "domain", "ca_cert", "client_cert", "client_key", "server_cert", "server_key")
TlsFlag = Annotated[bool, typer.Option("--tls", help="Serve TLS with the six files below")]
Domain = Annotated[
    str | None,
    typer.Option(
        "--domain", metavar="DOMAIN", help="TLS: server name; SPUs are custom-spu-5001.DOMAIN and so on"
    ),
]
CaCert = Annotated[
    str | None, typer.Option("--ca-cert", metavar="CA_CERT", help="TLS: path to the CA certificate")
]
ClientCert = Annotated[
    str | None,
    typer.Option(
        "--client-cert", metavar="CLIENT_CERT", help="TLS: path to the client certificate for the profile"
    ),
]
ClientKey = Annotated[
    str | None,
    typer.Option("--client-key", metavar="CLIENT_KEY", help="TLS: path to the key of that certificate"),
]
ServerCert = Annotated[
    str | None,
    typer.Option("--server-cert", metavar="SERVER_CERT", help="TLS: path to the server certificate"),
]
ServerKey = Annotated[
    str | None,
    typer.Option("--server-key", metavar="SERVER_KEY", help="TLS: path to the server key"),
]


def cluster_tls(
    *,
    tls: bool,
    domain: str | None,
    ca_cert: str | None,
    client_cert: str | None,
    client_key: str | None,
    server_cert: str | None,
    server_key: str | None,
) -> "ClusterTls | None":
    """None without `--tls`, whatever else was given, as officially. Raises `TargetError`."""
    if not tls:
        return None
    if (
        domain is None
        or ca_cert is None
        or client_cert is None
        or client_key is None
        or server_cert is None
        or server_key is None
    ):
        from fluvio_profiles.errors import TargetError

        wanted = {
            "--domain": domain,
            "--ca-cert": ca_cert,
            "--client-cert": client_cert,
            "--client-key": client_key,
            "--server-cert": server_cert,
            "--server-key": server_key,
        }
        missing = ", ".join(flag for flag, value in wanted.items() if value is None)
        raise TargetError(f"Unknown error: Missing required args after --tls:{missing}")
    from fluvio_local_cluster.lifecycle.tls import ClusterTls

    return ClusterTls(
        domain,
        absolute(ca_cert),
        absolute(client_cert),
        absolute(client_key),
        absolute(server_cert),
        absolute(server_key),
    )
