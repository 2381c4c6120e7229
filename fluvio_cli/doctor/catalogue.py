"""All checks, in the order shown. docs/doctor.md lists the same; a test compares."""

from fluvio_cli.doctor import machine, servers
from fluvio_cli.doctor.facts import Facts
from fluvio_cli.doctor.model import Check, Result

CHECKS = tuple(
    Check(name, (look.__doc__ or "").rstrip("."), look)
    for name, look in (
        ("profile", servers.profile),
        ("controller", servers.controller),
        ("state-file", servers.state_files),
        ("ports", servers.ports),
        ("versions", servers.versions),
        ("directories", machine.directories),
        ("disk-space", machine.disk_space),
        ("clock", machine.clock),
        ("loopback", machine.loopback),
        ("descriptors", machine.descriptors),
        ("leftovers", machine.leftovers),
        ("plugins", machine.plugins),
    )
)


def examine(facts: Facts) -> list[Result]:
    """Judge the facts by every check."""
    return [Result(check, list(check.look(facts))) for check in CHECKS]
