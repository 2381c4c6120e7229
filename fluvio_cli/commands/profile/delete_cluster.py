"""`fluvio profile delete-cluster`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect


@rules(
    effect=Effect(destroys=True, on="cluster_name"),
    examples=(("Forget a cluster that no profile names", "fluvio profile delete-cluster old"),),
)
def command(
    ctx: typer.Context,
    cluster_name: Annotated[str, typer.Argument(metavar="cluster name", help="Cluster to delete")],
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Delete it even if profiles point at it")
    ] = False,
) -> None:
    """Delete a cluster from the profile file; the cluster itself is not touched."""
    from fluvio_profiles.errors import ProfileError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    def delete(config: Config) -> None:
        if cluster_name not in config.clusters:
            raise ProfileError(f"No cluster named {cluster_name} exists")
        users = config.profiles_of(cluster_name)
        if users and not force:
            raise ProfileError(
                f"The following profiles reference cluster {cluster_name}:\n"
                + "".join(f"  {name}\n" for name in users)
                + "If you would still like to delete the cluster, use --force"
            )
        del config.clusters[cluster_name]

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, delete)
    cli.printer.message(f"Cluster {cluster_name} deleted")
