"""Keeps protected clusters from mistakes: looks at a command's effect before the command runs.

`read-only`: commands that change the cluster are refused before anything connects. `protected`: those that
destroy want the cluster's name, typed on a terminal or given as `--yes-i-mean NAME`; their own `--force` does
not replace it. Protection follows the address: `-c ADDR`, or another profile's cluster, is held to what is
said about any cluster of the profile file with that address, the strictest word counts.

Plugins and other programs are not held to it: see `fluvio_profiles.protection`.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from fluvio_profiles.errors import ConfigBrokenError, ConfigMissingError
from fluvio_profiles.protection import PROTECTED, READ_ONLY, clusters_at, level_of
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluvio_cli.context import CliContext
    from fluvio_cli.effect import Effect
    from fluvio_profiles.model import Config


class ReadOnlyClusterError(FluvioError):
    """The command would change a cluster that the user has marked read-only."""

    def __init__(self, path: str, cluster: str) -> None:
        super().__init__(f"cluster `{cluster}` is read-only for you: `{path}` was not run")
        self.cluster = cluster
        self.hint = "`fluvio profile set NAME --normal` lifts it for a profile of this cluster"


class ProtectedClusterError(FluvioError):
    """The command would destroy something on a protected cluster, and nobody has confirmed it."""

    def __init__(self, path: str, cluster: str, reason: str) -> None:
        super().__init__(f"cluster `{cluster}` is protected: `{path}` was not run, {reason}")
        self.cluster = cluster
        after = path.removeprefix("fluvio ")
        self.hint = f"if that is the cluster you mean: `fluvio --yes-i-mean {cluster} {after} ...`"


class OtherClusterError(FluvioError):
    """`--yes-i-mean` names another cluster than the one the command would act on."""

    def __init__(self, path: str, cluster: str, given: str) -> None:
        super().__init__(f"`{path}` acts on cluster `{cluster}`, not on `{given}`: it was not run")
        self.cluster, self.given = cluster, given
        self.hint = "`fluvio profile` tells which profile is used; `-P NAME` takes another for one call"


class _Meant(NamedTuple):
    """What a command acts on; `name` is a key of `[cluster]`, None when only the address is known."""

    name: str | None
    endpoint: str | None  # None: only the entry in the profile file
    chosen_by: str | None = None


def check(path: str, effect: "Effect", values: dict[str, Any], cli: "CliContext") -> None:
    """Let `path` run with `values`, or raise `ReadOnlyClusterError`, `ProtectedClusterError`.

    A target that cannot be told is left to the command, which says why. With an unreadable profile file what
    destroys is refused (`ConfigBrokenError`). May ask on the terminal; the answer sets the flag that
    answers the command's own question.
    """
    if not _counts(effect, values):
        return
    try:
        config = cli.load_config()
    except ConfigMissingError:
        return
    except ConfigBrokenError:
        if effect.destroys:
            raise
        return
    meant = _meant(effect, values, cli, config)
    if meant is None:
        return
    if meant.chosen_by is not None and "/" in meant.chosen_by:
        cli.printer.hint(f"cluster `{meant.name}`, chosen by {meant.chosen_by}")
    levels = _levels(meant, config)
    if READ_ONLY in levels.values() and meant.endpoint is not None:
        raise ReadOnlyClusterError(path, _first(levels, READ_ONLY, meant.name))
    if not effect.destroys:
        return
    if PROTECTED in levels.values():
        _confirm(path, _first(levels, PROTECTED, meant.name), meant, cli)
        if effect.answers is not None:
            values[effect.answers] = True
    elif (given := cli.target_options.yes_i_mean) is not None and given not in levels:
        raise OtherClusterError(path, meant.name or str(meant.endpoint), given)


def _counts(effect: "Effect", values: "Mapping[str, Any]") -> bool:
    def given(name: str) -> bool:
        return values.get(name) not in (None, False, "", [], ())

    if effect.told_later:
        return False
    if effect.only_with and not any(map(given, effect.only_with)):
        return False
    return not any(map(given, effect.not_with))


def _meant(
    effect: "Effect", values: "Mapping[str, Any]", cli: "CliContext", config: "Config"
) -> _Meant | None:
    if effect.on == "cluster_name":
        name = values["cluster_name"]
        return _Meant(name, None) if name in config.clusters else None
    try:
        data_dir, name = values.get("data_dir"), values.get("name")
        if effect.on == "local" and (data_dir is not None or name is not None):
            from fluvio_cli.commands.cluster.local import meant_cluster
            from fluvio_local_cluster.lifecycle.places import endpoint_of

            return _Meant(None, endpoint_of(meant_cluster(cli, data_dir, "", name)))
        if effect.on == "snapshot":
            return _meant_by_snapshot(values, cli)
        if effect.on == "destination":
            from fluvio_cli.transfer.places import parse_place

            cli = parse_place(values["destination"]).context(cli)
        target = cli.target()
    except FluvioError:
        return None
    return _Meant(target.cluster_name, target.endpoint, target.chosen_by)


def _meant_by_snapshot(values: "Mapping[str, Any]", cli: "CliContext") -> _Meant | None:
    from fluvio_cli.commands.cluster.local import places
    from fluvio_cli.commands.cluster.snapshot import snapshot_directory
    from fluvio_local_cluster.lifecycle.places import endpoint_of
    from fluvio_local_cluster.lifecycle.snapshots import cluster_of, load_manifest

    path = snapshot_directory(cli, values["source"]) / values["snapshot_name"]
    state = cluster_of(load_manifest(path), places(cli))
    return None if state is None else _Meant(None, endpoint_of(state))


def _levels(meant: _Meant, config: "Config") -> dict[str, str]:
    """Protection of the cluster meant, and of those that have its address, by name."""
    names = [] if meant.name is None else [meant.name]
    if meant.endpoint is not None:
        names += [name for name, _ in clusters_at(config, meant.endpoint)]
    return {name: level_of(config.clusters[name].metadata) for name in names}


def _first(levels: "Mapping[str, str]", level: str, preferred: str | None) -> str:
    if preferred is not None and levels.get(preferred) == level:
        return preferred
    return next(name for name, found in levels.items() if found == level)


def _confirm(path: str, cluster: str, meant: _Meant, cli: "CliContext") -> None:
    given = cli.target_options.yes_i_mean
    if given is not None:
        if given != cluster:
            raise OtherClusterError(path, cluster, given)
        return
    if not (cli.stdin.isatty() and cli.printer.stderr_is_terminal):
        raise ProtectedClusterError(path, cluster, "nobody can be asked for its name here")
    place = "" if meant.endpoint is None else f" at {meant.endpoint}"
    cli.printer.error(f"cluster `{cluster}`{place} is protected, and `{path}` destroys what is there")
    cli.printer.stderr.write("type the cluster's name to go on: ")
    cli.printer.stderr.flush()
    if cli.stdin.readline().strip() != cluster:
        raise ProtectedClusterError(path, cluster, "since its name was not typed")
