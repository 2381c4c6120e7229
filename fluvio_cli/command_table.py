"""Every command by name, with the help line the groups show, and where its module is.

Help and errors of groups come from this table alone, so they import no command module. A leaf names
`module:attribute`, imported when the command runs. Names and help lines follow the official command line.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Leaf(NamedTuple):
    """A command: what its group's help says, and the function that runs it."""

    help: str
    target: str  # module:attribute
    hidden: bool = False
    parameterless: bool = False  # a plain function of the context, which runs without Typer


class Group(NamedTuple):
    """A word with commands below it; `default` is the member that runs when none is named."""

    help: str
    members: Mapping[str, "Leaf | Group"]
    default: str | None = None


_COMMANDS = "fluvio_cli.commands"

_TOPIC: dict[str, Leaf | Group] = {
    "create": Leaf("Create a topic with the given name", f"{_COMMANDS}.topic.create:command"),
    "delete": Leaf("Delete one or more topics with the given names", f"{_COMMANDS}.topic.delete:command"),
    "describe": Leaf("Print detailed information about a topic", f"{_COMMANDS}.topic.describe:command"),
    "list": Leaf("List all topics of the cluster", f"{_COMMANDS}.topic.list:command"),
    "add-partition": Leaf("Add partitions to a topic", f"{_COMMANDS}.topic.add_partition:command"),
}
_PARTITION: dict[str, Leaf | Group] = {
    "list": Leaf("List all partitions of the cluster", f"{_COMMANDS}.partition.list:command"),
}
_CONSUMER: dict[str, Leaf | Group] = {
    "list": Leaf("List all consumers whose offsets the cluster keeps", f"{_COMMANDS}.consumer.list:command"),
    "delete": Leaf(
        "Delete the offsets that the cluster keeps for a consumer", f"{_COMMANDS}.consumer.delete:command"
    ),
}
_SYNC: dict[str, Leaf | Group] = {
    "local": Leaf("Point profile local at an address", f"{_COMMANDS}.profile.sync_local:command"),
}
_PROFILE: dict[str, Leaf | Group] = {
    "current": Leaf(
        "Print the name of the current profile", f"{_COMMANDS}.profile.current:command", parameterless=True
    ),
    "list": Leaf("List all profiles", f"{_COMMANDS}.profile.list:command"),
    "switch": Leaf("Make another profile the current one", f"{_COMMANDS}.profile.switch:command"),
    "add": Leaf("Add a profile for a cluster and switch to it", f"{_COMMANDS}.profile.add:command"),
    "rename": Leaf("Rename a profile", f"{_COMMANDS}.profile.rename:command"),
    "delete": Leaf("Delete a profile, and keep its cluster", f"{_COMMANDS}.profile.delete:command"),
    "delete-profile": Leaf(
        "Delete a profile, and keep its cluster", f"{_COMMANDS}.profile.delete:command", hidden=True
    ),
    "delete-cluster": Leaf("Delete a cluster", f"{_COMMANDS}.profile.delete_cluster:command"),
    "export": Leaf("Print a profile for use elsewhere", f"{_COMMANDS}.profile.export:command"),
    "sync": Group("Derive a profile from a running cluster", _SYNC),
    "copy": Leaf("Copy a profile together with its cluster", f"{_COMMANDS}.profile.copy:command"),
    "set": Leaf("Protect the cluster of a profile, or describe it", f"{_COMMANDS}.profile.set:command"),
    "edit": Leaf("Change the profile file in an editor", f"{_COMMANDS}.profile.edit:command"),
    "validate": Leaf("Check that profiles lead to clusters", f"{_COMMANDS}.profile.validate:command"),
    "prompt": Leaf("Print the chosen profile for the shell's prompt", f"{_COMMANDS}.profile.prompt:command"),
}
_SPU: dict[str, Leaf | Group] = {
    "register": Leaf("Register a custom SPU with the cluster", f"{_COMMANDS}.cluster.spu.register:command"),
    "unregister": Leaf(
        "Unregister a custom SPU from the cluster", f"{_COMMANDS}.cluster.spu.unregister:command"
    ),
    "list": Leaf("List all SPUs known by the cluster", f"{_COMMANDS}.cluster.spu.list:command"),
}
_CLUSTER: dict[str, Leaf | Group] = {
    "start": Leaf("Start a cluster on this machine", f"{_COMMANDS}.cluster.start:command"),
    "resume": Leaf(
        "Start a cluster that was shut down, with its data", f"{_COMMANDS}.cluster.resume:command"
    ),
    "delete": Leaf("Delete a cluster and its data", f"{_COMMANDS}.cluster.delete:command"),
    "spu": Group("Manage and view streaming processing units (SPUs)", _SPU),
    "status": Leaf("Check the status of a cluster", f"{_COMMANDS}.cluster.status:command"),
    "shutdown": Leaf("Stop a cluster and keep its data", f"{_COMMANDS}.cluster.shutdown:command"),
    "stop": Leaf("Stop a cluster and keep its data", f"{_COMMANDS}.cluster.shutdown:command", hidden=True),
}

ROOT = Group(
    "Fluvio Command Line Interface",
    {
        "consume": Leaf("Read messages from a topic/partition", f"{_COMMANDS}.consume:command"),
        "produce": Leaf("Write messages to a topic/partition", f"{_COMMANDS}.produce:command"),
        "topic": Group("Manage and view topics", _TOPIC),
        "partition": Group("Manage and view partitions", _PARTITION),
        "consumer": Group("Manage and view consumers", _CONSUMER),
        "profile": Group("Manage profiles, which describe known clusters", _PROFILE, default="current"),
        "cluster": Group("Start, stop and look after clusters", _CLUSTER),
        "explain": Leaf("Explain why a command failed, and what to do", f"{_COMMANDS}.explain:command"),
        "version": Leaf("Print version information", f"{_COMMANDS}.version:command"),
    },
)
