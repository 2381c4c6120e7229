"""`fluvio profile copy`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(examples=(("Try other settings for a cluster", "fluvio profile copy prod prod-test"),))
def command(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="Profile to copy")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Name of the new profile and of its cluster")],
) -> None:
    """Copy a profile together with its cluster.

    The copy has the same address, TLS settings and protection, and is not switched to.
    """
    from copy import deepcopy
    from dataclasses import replace

    from fluvio_profiles.errors import ProfileError, ProfileExistsError, ProfileNotFoundError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    def copy(config: Config) -> None:
        profile = config.profiles.get(source)
        if profile is None:
            raise ProfileNotFoundError(source)
        cluster = config.clusters.get(profile.cluster)
        if cluster is None:
            raise ProfileError(f"Cluster not found in config: {profile.cluster}")
        if target in config.profiles:
            raise ProfileExistsError("profile", target)
        if target in config.clusters:
            raise ProfileExistsError("cluster", target)
        config.profiles[target] = replace(deepcopy(profile), cluster=target)
        config.clusters[target] = deepcopy(cluster)

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, copy)
    cli.printer.message(f"profile {source} copied to {target}")
