"""`fluvio profile export`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(examples=(("Take a profile to another machine", "fluvio profile export prod > prod.toml"),))
def command(
    ctx: typer.Context,
    profile_name: Annotated[
        str | None, typer.Argument(metavar="PROFILE_NAME", help="Profile to export; default: the current one")
    ] = None,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "toml",
) -> None:
    """Print a profile for use elsewhere.

    As toml it is a profile file of its own, named by FLV_PROFILE_PATH where it is used; json and yaml hold
    the cluster alone. Private keys in it are readable.
    """
    from fluvio_cli.commands.profile.view import cluster_view
    from fluvio_cli.output.structured import render_structured
    from fluvio_profiles.errors import ProfileError
    from fluvio_profiles.model import CONFIG_VERSION, TlsSource

    cli: CliContext = ctx.obj
    config = cli.load_config()
    chosen = cli.chosen_profile(config) if profile_name is None else None
    name = profile_name if chosen is None else chosen[0]
    if name is None:
        raise ProfileError("No active profile set in config")
    profile = config.profiles.get(name)
    if profile is None:
        raise ProfileError(f"Profile not found in config: {name}")
    cluster = config.clusters.get(profile.cluster)
    if cluster is None:
        raise ProfileError(f"Cluster not found in config: {profile.cluster}")
    if cluster.tls.source is TlsSource.FILES:
        raise ProfileError(
            f"Cluster {profile.cluster} uses externals TLS certs. Only inline TLS certs are supported."
        )
    if output == "table":
        cli.printer.note("Table format is not supported, using TOML instead")
        output = "toml"
    view = cluster_view(cluster, show_keys=True)
    if output == "toml":
        view = {
            "version": CONFIG_VERSION,
            "current_profile": profile.cluster,
            "profile": {profile.cluster: {"cluster": profile.cluster}},
            "cluster": {profile.cluster: view},
        }
    cli.printer.data(render_structured(view, output))
