"""`fluvio profile sync local`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(
    examples=(
        ("Point profile local at the cluster of this machine", "fluvio profile sync local"),
        ("At another port, without verification", "fluvio profile sync local localhost:9103 --tls"),
    )
)
def command(
    ctx: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="host:port", help="Address of the cluster")
    ] = "localhost:9003",
    tls: Annotated[
        bool, typer.Option("--tls", help="Talk TLS; alone it means encrypted but unverified")
    ] = False,
    enable_client_cert: Annotated[
        bool,
        typer.Option("--enable-client-cert", help="Mutual TLS; then domain, CA, cert and key are all needed"),
    ] = False,
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="DOMAIN", help="Server name to verify")
    ] = None,
    ca_cert: Annotated[
        str | None, typer.Option("--ca-cert", metavar="CA_CERT", help="CA certificate (PEM file)")
    ] = None,
    client_cert: Annotated[
        str | None, typer.Option("--client-cert", metavar="CLIENT_CERT", help="Client certificate (PEM file)")
    ] = None,
    client_key: Annotated[
        str | None, typer.Option("--client-key", metavar="CLIENT_KEY", help="Client private key (PEM file)")
    ] = None,
) -> None:
    """Point profile local at an address, and switch to it.

    Paths of certificates are kept as absolute ones. Without `--tls` the other TLS options have no effect.
    """
    import os

    from fluvio_profiles.model import Config
    from fluvio_profiles.resolve import TargetOptions, tls_from_options
    from fluvio_profiles.store import update_config

    def absolute(path: str | None) -> str | None:
        return None if path is None else os.path.abspath(path)

    settings = tls_from_options(
        TargetOptions(
            tls=tls,
            enable_client_cert=enable_client_cert,
            domain=domain,
            ca_cert=absolute(ca_cert),
            client_cert=absolute(client_cert),
            client_key=absolute(client_key),
        )
    )

    def point(config: Config) -> None:
        known = config.clusters.get("local")
        word = "local" if known is None else known.metadata.get("installation", "local")
        config.add_and_select("local", address, word)
        config.clusters["local"].tls = settings

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, point, create=True)
    cli.printer.message(f"local context is set to: {address}")
