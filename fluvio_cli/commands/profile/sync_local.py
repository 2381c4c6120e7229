"""`fluvio profile sync local`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.profile import tls_options as options
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
    tls: options.Tls = False,
    enable_client_cert: options.EnableClientCert = False,
    domain: options.Domain = None,
    ca_cert: options.CaCert = None,
    client_cert: options.ClientCert = None,
    client_key: options.ClientKey = None,
) -> None:
    """Point profile local at an address, and switch to it.

    Paths of certificates are kept as absolute ones. Without `--tls` the other TLS options have no effect.
    """
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    settings = options.tls_settings(
        tls=tls,
        enable_client_cert=enable_client_cert,
        domain=domain,
        ca_cert=ca_cert,
        client_cert=client_cert,
        client_key=client_key,
    )

    def point(config: Config) -> None:
        known = config.clusters.get("local")
        word = "local" if known is None else known.metadata.get("installation", "local")
        config.add_and_select("local", address, word)
        config.clusters["local"].tls = settings

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, point, create=True)
    cli.printer.message(f"local context is set to: {address}")
