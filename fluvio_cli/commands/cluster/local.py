"""What the commands for local clusters share: progress lines, places, and which cluster a command means."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.output.printer import Printer
    from fluvio_cli.reports.judging import Verdict
    from fluvio_local_cluster.lifecycle.places import Places
    from fluvio_local_cluster.lifecycle.settings import ClusterSettings
    from fluvio_local_cluster.lifecycle.start import Surroundings
    from fluvio_local_cluster.lifecycle.state import ClusterState

_CHANNEL_VARIABLE = "FLUVIO_RELEASE_CHANNEL"
_PROVISION_VARIABLE = "FLV_CLUSTER_PROVISION_TIMEOUT"
DATA_DIR_HELP = "Act on the cluster in this directory, whatever the profile says"
NAME_HELP = "Act on the cluster that was started with this name, whatever the profile says"


def parse_name(text: str) -> str:
    """A parser for the name of a local cluster or of a snapshot."""
    from fluvio_local_cluster.lifecycle.naming import RULE, is_name

    if not is_name(text):
        raise ValueError(RULE)
    return text


DataDir = Annotated[str | None, typer.Option("--data-dir", metavar="DATA_DIR", help=DATA_DIR_HELP)]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", parser=parse_name, help=NAME_HELP)]
ONE_CLUSTER = (("data_dir", "name"),)  # options that exclude each other


class NotLocalError(FluvioError):
    """The command is for clusters on this machine and the profile's is not."""

    def __init__(self, what: str, profile: str) -> None:
        super().__init__(f"❌ {what} is only implemented for local clusters.")
        self.hint = f"profile `{profile}` leads to a cluster that was not started by `fluvio cluster start`"


class ProgressLines:
    """Shows an operation's progress as the official command line does."""

    def __init__(self, printer: "Printer", verdict: "Verdict | None" = None) -> None:
        self._printer, self._verdict = printer, verdict

    def headline(self, text: str) -> None:
        """Show a line on standard error."""
        self._printer.note(text)
        self._printer.stderr.flush()

    def step(self, text: str) -> None:
        """Show a line on a terminal, or where `CI` is set."""
        self._printer.progress(text)

    def checked(self, name: str, problem: str | None) -> None:
        """Note a case of the report."""
        if self._verdict is not None:
            self._verdict.add(name, problem)


def announce_channel(cli: "CliContext") -> None:
    """Print the release channel, where one is set."""
    channel = cli.environment.get(_CHANNEL_VARIABLE)
    if channel:
        cli.printer.message(f"Current channel: {channel}")


def places(cli: "CliContext") -> "Places":
    """Files of the user that the lifecycle touches."""
    from fluvio_local_cluster.lifecycle.places import Places

    return Places(cli.home / ".fluvio", cli.profile_path)


def surroundings(cli: "CliContext") -> "Surroundings":
    """What a start or a resume takes from this process."""
    from fluvio_local_cluster.lifecycle.settings import PROVISION_TIMEOUT_S
    from fluvio_local_cluster.lifecycle.start import Surroundings

    named = cli.environment.get(_PROVISION_VARIABLE, "")
    timeout_s = float(named) if named.isascii() and named.isdigit() and int(named) else PROVISION_TIMEOUT_S
    return Surroundings(places(cli), dict(cli.environment), cli.client_id, timeout_s)


def absolute(path: str) -> Path:
    """`path` without links resolved, as servers that run in another directory have to be told it."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def default_settings(cli: "CliContext", name: str | None = None) -> "ClusterSettings":
    """What `cluster start` would start without further options, or with `--name` only."""
    from fluvio_client.target import Endpoint
    from fluvio_local_cluster.lifecycle.naming import data_dir_of, log_dir_of
    from fluvio_local_cluster.lifecycle.settings import LOOPBACK, PROFILE_NAME, ClusterSettings

    fluvio_dir = places(cli).fluvio_dir
    if name is None:
        return ClusterSettings(data_dir_of(fluvio_dir, PROFILE_NAME), cli.fluvio_directory / "log")
    free = Endpoint(LOOPBACK, 0)
    return ClusterSettings(
        data_dir=data_dir_of(fluvio_dir, name),
        log_dir=log_dir_of(fluvio_dir, name),
        sc_public=free,
        sc_private=free,
        spu_port_base=0,
        name=name,
    )


def meant_cluster(
    cli: "CliContext", data_dir: str | None, what: str, name: str | None = None
) -> "ClusterState":
    """The local cluster that a command means: that in `data_dir`, that called `name`, or the profile's.

    Raises `NoLocalClusterError`, `NotLocalError` (`what` begins its text), `ProfileError`s.
    """
    from fluvio_local_cluster.lifecycle.errors import NoLocalClusterError
    from fluvio_local_cluster.lifecycle.known import find_named
    from fluvio_local_cluster.lifecycle.places import find_state, state_in

    if data_dir is not None:
        return state_in(absolute(data_dir))
    if name is not None:
        return find_named(places(cli), name)
    target = cli.target()
    try:
        return find_state(places(cli), target.endpoint)
    except NoLocalClusterError:
        if target.profile_name is not None and target.cluster_name is not None:
            from fluvio_profiles.model import Installation

            cluster = cli.load_config().clusters[target.cluster_name]
            if cluster.installation not in (Installation.LOCAL, Installation.READ_ONLY):
                raise NotLocalError(what, target.profile_name) from None
        raise


def aimed_at(cli: "CliContext", name: str | None) -> "CliContext":
    """`cli` with the local cluster `name` as its target; as it is without a name.

    A profile that leads to the cluster is used, else its address. Raises `NoLocalClusterError`,
    `ConfigBrokenError`.
    """
    if name is None:
        return cli
    from dataclasses import replace

    from fluvio_local_cluster.lifecycle.known import find_named
    from fluvio_local_cluster.lifecycle.places import endpoint_of
    from fluvio_local_cluster.lifecycle.profile_entries import load_or_none, profiles_of

    state = find_named(places(cli), name)
    config = load_or_none(places(cli))
    leading = [] if config is None else profiles_of(state, config)
    tls = state.settings.tls
    options = replace(
        cli.target_options,
        profile=leading[0] if leading else None,
        cluster=None if leading else endpoint_of(state),
        **({} if leading or tls is None else tls.target_options()),
    )
    return replace(cli, target_options=options)
