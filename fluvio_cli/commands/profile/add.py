"""`fluvio profile add`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.profile import tls_options as options
from fluvio_cli.context import CliContext

_INSTALLATIONS = {
    "k8": "k8",
    "local": "local",
    "local-k8": "local_k8",
    "local_k8": "local_k8",
    "localk8": "local_k8",
    "read_only": "read_only",
    "read-only": "read_only",
    "readonly": "read_only",
    "docker": "docker",
    "cloud": "cloud",
}


def parse_installation(text: str) -> str:
    """The word for the profile file of any official spelling, in any case."""
    word = _INSTALLATIONS.get(text.lower())
    if word is None:
        raise ValueError(f"unsupported installation type '{text}'")
    return word


@rules(
    requires={
        "enable_client_cert": ("tls",),
        "domain": ("enable_client_cert",),
        "ca_cert": ("enable_client_cert",),
        "client_cert": ("enable_client_cert",),
        "client_key": ("enable_client_cert",),
    },
    panels={"TLS": ("tls", "enable_client_cert", "domain", "ca_cert", "client_cert", "client_key")},
    examples=(
        ("Add a cluster of your team", "fluvio profile add staging sc.example.com:9003 docker"),
        (
            "One that both sides prove themselves to",
            "fluvio profile add secure example.com:9003 --tls --enable-client-cert --domain example.com "
            "--ca-cert ca.crt --client-cert client.crt --client-key client.key",
        ),
    ),
)
def command(
    ctx: typer.Context,
    profile_name: Annotated[
        str, typer.Argument(metavar="PROFILE_NAME", help="Name of the profile and of its cluster")
    ],
    cluster_address: Annotated[
        str, typer.Argument(metavar="CLUSTER_ADDRESS", help="Address of the cluster, host:port")
    ],
    installation_type: Annotated[
        str,
        typer.Argument(
            metavar="INSTALLATION_TYPE",
            parser=parse_installation,
            help="How the cluster was set up: k8, local, local-k8, read-only, docker or cloud",
        ),
    ] = "k8",
    tls: options.Tls = False,
    enable_client_cert: options.EnableClientCert = False,
    domain: options.Domain = None,
    ca_cert: options.CaCert = None,
    client_cert: options.ClientCert = None,
    client_key: options.ClientKey = None,
) -> None:
    """Add a profile for a cluster and switch to it.

    An existing cluster of this name is pointed to the new address, with the TLS that is asked for here. Paths
    of certificates are kept as absolute ones.
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

    def add(config: Config) -> None:
        config.add_and_select(profile_name, cluster_address, installation_type)
        config.clusters[profile_name].tls = settings

    cli: CliContext = ctx.obj
    update = update_config(cli.profile_path, add, create=True)
    if update.created:
        cli.printer.message("Creating default fluvio config file")
    cli.printer.message(f"Switched to profile {profile_name}")
