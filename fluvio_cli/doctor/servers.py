"""Checks of profiles, clusters, ports and versions."""

from collections.abc import Iterator

from fluvio_cli.doctor.facts import Facts
from fluvio_cli.doctor.model import Fix, Problem, Repair


def profile(facts: Facts) -> Iterator[Problem]:
    """The profile file is readable and its current profile leads to a cluster."""
    if facts.profile_problem is not None:
        text, hint = facts.profile_problem
        yield Problem(text, "commands cannot tell which cluster is meant", hint)


def controller(facts: Facts) -> Iterator[Problem]:
    """The controller that the profile names answers."""
    if facts.target_problem is not None:
        remedy = (
            "start it again with `fluvio cluster resume`"
            if facts.target_is_local
            else "start that cluster, or choose another with `fluvio profile switch`"
        )
        yield Problem(facts.target_problem, f"no controller answers at {facts.target}", remedy)


def state_files(facts: Facts) -> Iterator[Problem]:
    """State files of local clusters agree with the processes that are there."""
    for text in facts.broken_states:
        yield Problem(
            text, "the state file is damaged", "see whether its servers run, then remove it by hand"
        )
    for cluster in facts.clusters:
        if cluster.phase != "running" or not cluster.gone:
            continue
        seen = f"{cluster.data_dir}: state `running`, and {', '.join(cluster.gone)} ended"
        if cluster.running:
            cause = f"some servers ended by themselves; {', '.join(cluster.running)} run on"
            yield Problem(seen, cause, "start those that are missing with `fluvio cluster resume`")
        else:
            repair = Repair(Fix.NOTE_STOPPED, cluster.data_dir)
            cause = "the servers were killed, or the machine was restarted"
            yield Problem(seen, cause, "go on with its data by `fluvio cluster resume`", repair)
    for record, data_dir in facts.lost_records:
        yield Problem(
            f"{record} names {data_dir}, where no cluster is",
            "the data directory was removed by hand",
            f"remove {record}",
            Repair(Fix.REMOVE_FILE, record),
        )


def ports(facts: Facts) -> Iterator[Problem]:
    """Ports of local clusters (9003, 9004, 9010, 9011 where there is none) are not somebody else's."""
    for taken in facts.ports:
        owner = taken.owner or "a process that this user may not see"
        yield Problem(
            f"port {taken.port} is used by {owner}",
            f"{taken.label} could not listen there",
            "end that process, or choose others with `--sc-pub-addr`, `--sc-priv-addr` and `--spu-port-base`",
        )


def versions(facts: Facts) -> Iterator[Problem]:
    """Servers of local clusters that run are as new as this program."""
    for cluster in facts.clusters:
        if cluster.running and cluster.platform_version != facts.own_version:
            yield Problem(
                f"{cluster.data_dir}: runs {cluster.platform_version}, this program is {facts.own_version}",
                "the program was replaced while the servers ran",
                "`fluvio cluster shutdown`, then `fluvio cluster resume`",
            )
    known = any(cluster.running for cluster in facts.clusters) and facts.target_is_local
    if facts.target_version is None or known:
        return
    if facts.target_version.split(".")[:2] != facts.own_version.split(".")[:2]:
        yield Problem(
            f"{facts.target} is {facts.target_version}, this program speaks {facts.own_version}",
            "program and cluster are of different releases",
            "use a program of the cluster's release, or upgrade the cluster",
        )
