"""What the commands for local clusters share: progress lines, places, and which cluster a command means."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.output.printer import Printer
    from fluvio_local_cluster.lifecycle.places import Places
    from fluvio_local_cluster.lifecycle.start import Surroundings
    from fluvio_local_cluster.lifecycle.state import ClusterState

_CHANNEL_VARIABLE = "FLUVIO_RELEASE_CHANNEL"
_PROVISION_VARIABLE = "FLV_CLUSTER_PROVISION_TIMEOUT"
DATA_DIR_HELP = "Act on the cluster in this directory, whatever the profile says"


class NotLocalError(FluvioError):
    """The command is for clusters on this machine and the profile's is not."""

    def __init__(self, what: str, profile: str) -> None:
        super().__init__(f"❌ {what} is only implemented for local clusters.")
        self.hint = f"profile `{profile}` leads to a cluster that was not started by `fluvio cluster start`"


class ProgressLines:
    """Shows an operation's progress as the official command line does."""

    def __init__(self, printer: "Printer") -> None:
        self._printer = printer

    def headline(self, text: str) -> None:
        """Show a line on standard error."""
        self._printer.note(text)
        self._printer.stderr.flush()

    def step(self, text: str) -> None:
        """Show a line on a terminal, or where `CI` is set."""
        self._printer.progress(text)


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


def meant_cluster(cli: "CliContext", data_dir: str | None, what: str) -> "ClusterState":
    """The local cluster that a command means: the one in `data_dir`, else the target profile's.

    Raises `NoLocalClusterError`, `NotLocalError` (`what` begins its text), `ProfileError`s.
    """
    from fluvio_local_cluster.lifecycle.errors import NoLocalClusterError
    from fluvio_local_cluster.lifecycle.places import find_state, state_in

    if data_dir is not None:
        return state_in(absolute(data_dir))
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
