"""Checks of files, disk, clock, names, limits and plugins."""

from collections.abc import Iterator

from fluvio_cli.doctor.facts import Facts
from fluvio_cli.doctor.model import Fix, Problem, Repair

MIN_DESCRIPTORS = 1024
EARLIEST_S = 1_735_689_600.0  # 2025-01-01: this program is younger
_MIB = 1024**2


def directories(facts: Facts) -> Iterator[Problem]:
    """`~/.fluvio`, data, log and profile file can be written."""
    for path, reason in facts.unwritable:
        yield Problem(
            f"{path}: {reason}",
            "what is kept there cannot be written",
            f"make {path} writable for this user, or choose other places with `--data-dir` and `--log-dir`",
        )


def disk_space(facts: Facts) -> Iterator[Problem]:
    """The disk of the data has more free space than SPUs keep in reserve."""
    if facts.disk is None:
        return
    place, free, reserve = facts.disk
    if free < reserve:
        yield Problem(
            f"{free // _MIB} MiB are free at {place}, {reserve // _MIB} MiB are kept in reserve",
            "the disk is full: SPUs refuse records",
            "free some space, or delete topics; SPUs go on by themselves",
        )


def clock(facts: Facts) -> Iterator[Problem]:
    """The clock is not in the past, and no file of a cluster is from the future."""
    if facts.now_s is not None and facts.now_s < EARLIEST_S:
        yield Problem(
            f"the clock shows {int(facts.now_s)} seconds since 1970", "the clock is wrong", "set the clock"
        )
    if facts.future_files:
        path, ahead_s = max(facts.future_files, key=lambda found: found[1])
        yield Problem(
            f"{path} was changed {ahead_s:.0f} s in the future ({len(facts.future_files)} such files)",
            "the clock was put back: times of records and retention by age are off",
            "set the clock",
        )


def loopback(facts: Facts) -> Iterator[Problem]:
    """`localhost`, where SPUs are found, is this machine."""
    if facts.localhost is None:
        return
    if not any(address == "::1" or address.startswith("127.") for address in facts.localhost):
        shown = ", ".join(facts.localhost) or "nothing"
        yield Problem(
            f"`localhost` leads to {shown}",
            "the name does not lead to this machine, and SPUs are advertised by it",
            "add the line `127.0.0.1 localhost` to /etc/hosts",
        )


def descriptors(facts: Facts) -> Iterator[Problem]:
    """Servers may open enough files and connections."""
    if facts.descriptors is not None and facts.descriptors < MIN_DESCRIPTORS:
        yield Problem(
            f"`ulimit -Hn` is {facts.descriptors}",
            "servers started from here take few connections and close files all the time",
            f"raise it to {MIN_DESCRIPTORS} or more before `fluvio cluster start`",
        )


def leftovers(facts: Facts) -> Iterator[Problem]:
    """No socket is left of an SPU that was killed."""
    for path in facts.dead_sockets:
        yield Problem(
            f"{path} has nobody behind it",
            "its SPU was killed",
            f"remove {path}; `fluvio cluster resume` makes it anew",
            Repair(Fix.REMOVE_FILE, path),
        )


def plugins(facts: Facts) -> Iterator[Problem]:
    """Plugins in the extensions directory can run."""
    for path, reason in facts.plugins:
        yield Problem(f"{path}: {reason}", "the plugin cannot run", f"install it again, or remove {path}")
