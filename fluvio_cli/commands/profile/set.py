"""`fluvio profile set`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(
    conflicts=(("protected", "read_only", "normal"),),
    one_of=(("protected", "read_only", "normal", "description"),),
    examples=(
        ("Be asked before something is destroyed", "fluvio profile set prod --protected"),
        ("Only look", 'fluvio profile set prod --read-only --description "orders, Frankfurt"'),
        ("As before", "fluvio profile set prod --normal"),
    ),
)
def command(
    ctx: typer.Context,
    profile_name: Annotated[str, typer.Argument(metavar="PROFILE_NAME", help="Profile of the cluster")],
    protected: Annotated[
        bool,
        typer.Option(
            "--protected", help="Commands that destroy want the cluster's name, whatever `--force` says"
        ),
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse commands that change the cluster")
    ] = False,
    normal: Annotated[bool, typer.Option("--normal", help="Lift protection")] = False,
    description: Annotated[
        str | None,
        typer.Option("--description", metavar="TEXT", help="What the cluster is; an empty text removes it"),
    ] = None,
) -> None:
    """Protect the cluster of a profile, or describe it.

    Both are kept with the cluster in the profile file, for all profiles that name it. They guard the
    commands of this program against mistakes; other programs do not know them.
    """
    from fluvio_profiles import protection
    from fluvio_profiles.errors import ProfileError, ProfileNotFoundError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    level = None
    if protected or read_only or normal:
        level = (
            protection.PROTECTED if protected else protection.READ_ONLY if read_only else protection.NORMAL
        )
    if description is not None and not description.isprintable():
        raise ProfileError("a description is one line of printable text")
    said: list[str] = []

    def change(config: Config) -> None:
        profile = config.profiles.get(profile_name)
        if profile is None:
            raise ProfileNotFoundError(profile_name)
        cluster = config.clusters.get(profile.cluster)
        if cluster is None:
            raise ProfileError(f"Cluster not found in config: {profile.cluster}")
        protection.keep(cluster, level=level, description=description)
        others = [name for name in config.profiles_of(profile.cluster) if name != profile_name]
        if level is not None:
            said.append(f"cluster {profile.cluster} is {level}")
        if description is not None:
            said.append(f"cluster {profile.cluster} is {'' if description else 'not '}described")
        if others:
            said.append(f"this also holds for: {', '.join(others)}")

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, change)
    for line in said:
        cli.printer.message(line)
