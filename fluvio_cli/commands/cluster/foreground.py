"""`fluvio cluster start --foreground`."""

import os
import signal
from dataclasses import fields
from typing import TYPE_CHECKING

from fluvio_cli.commands.cluster.local import ProgressLines
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_cli.reports.judging import Verdict
    from fluvio_local_cluster.lifecycle.foreground import Asked, Relay
    from fluvio_local_cluster.lifecycle.settings import ClusterSettings
    from fluvio_local_cluster.lifecycle.start import Surroundings
    from fluvio_local_cluster.lifecycle.state import ClusterState

_OPTIONS = {  # whose names are not those of the settings
    "sc_public": "--sc-pub-addr",
    "sc_private": "--sc-priv-addr",
    "spu_count": "--spu",
    "log_filter": "--rust-log",
    "consumer_offset_ttl_s": "--consumer-offset-ttl",
}
_MAY_DIFFER = ("data_dir", "log_dir", "skip_checks", "save_profile")


def stay(cli: CliContext, settings: "ClusterSettings", around: "Surroundings", verdict: "Verdict") -> int:
    """Start the cluster of `settings`, or go on with it, and watch it to its end; returns the exit code.

    Raises as `start`, `resume` and `Watch.run` do, and `KeyboardInterrupt` after Ctrl-C.
    """
    from fluvio_local_cluster.lifecycle.foreground import Asked, Ending, Relay, Watch
    from fluvio_local_cluster.lifecycle.state import load_state

    with Asked() as asked:
        state = load_state(settings.data_dir)
        relay = Relay(_Teller(cli), (settings if state is None else state.settings).log_dir)
        try:
            _bring_up(cli, settings, state, around, verdict, relay)
        except KeyboardInterrupt:
            return _exit_code(asked)
        verdict.add("cluster starts", seconds=verdict.seconds)
        cli.printer.note("the cluster runs; SIGTERM or Ctrl-C stops it and keeps its data")
        cli.printer.flush()
        progress = ProgressLines(cli.printer)
        ending = Watch(settings.data_dir, asked, relay, progress, cli.environment).run()
        if ending is not Ending.ASKED:
            cli.printer.note(f"the cluster was {ending.value} by another command")
            return 0
        cli.printer.note("the cluster is stopped, its data are kept")
        return _exit_code(asked)


def _exit_code(asked: "Asked") -> int:
    """0 for SIGTERM, which is how services are ended. Raises `KeyboardInterrupt` for Ctrl-C."""
    if asked.signal in (None, signal.SIGINT):
        raise KeyboardInterrupt
    return 0


def _bring_up(
    cli: CliContext,
    settings: "ClusterSettings",
    state: "ClusterState | None",
    around: "Surroundings",
    verdict: "Verdict",
    relay: "Relay",
) -> None:
    from fluvio_local_cluster.lifecycle.start import resume, start
    from fluvio_local_cluster.lifecycle.state import Phase

    progress = ProgressLines(cli.printer, verdict)
    with cli.printer.busy("waiting for the servers"):
        if state is None or state.phase is Phase.STARTING:
            state = start(settings, around, progress)
        else:
            _tell_differences(cli, settings, state)
            state = resume(state, around, progress)
    assert state is not None  # it is only for a check
    for server in state.servers:
        relay.follow(server.plan.label, server.plan.log)


def _tell_differences(cli: CliContext, wished: "ClusterSettings", state: "ClusterState") -> None:
    """A cluster goes on with the settings of its start: who wishes others is told how to get them."""
    found = [
        _OPTIONS.get(field.name, f"--{field.name.replace('_', '-')}")
        for field in fields(wished)
        if field.name not in _MAY_DIFFER
        and getattr(wished, field.name) != getattr(state.settings, field.name)
    ]
    if found:
        cli.printer.note(
            f"warning: the cluster goes on with the settings of its first start, which differ in "
            f"{', '.join(f'`{option}`' for option in found)}; `fluvio cluster upgrade` changes settings"
        )


class _Teller:
    """Prints lines of servers to standard error; when nobody reads there any more, the cluster runs on."""

    def __init__(self, cli: CliContext) -> None:
        self._printer = cli.printer

    def __call__(self, line: str) -> None:
        try:
            self._printer.note(line)
            self._printer.stderr.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._printer.stderr.fileno())  # for all that is to come, too
            os.close(nowhere)
