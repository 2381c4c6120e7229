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
    hidden: bool = False


_COMMANDS = "fluvio_cli.commands"

_TOPIC: dict[str, Leaf | Group] = {
    "create": Leaf("Create a topic with the given name", f"{_COMMANDS}.topic.create:command"),
    "delete": Leaf("Delete one or more topics with the given names", f"{_COMMANDS}.topic.delete:command"),
    "describe": Leaf("Print detailed information about a topic", f"{_COMMANDS}.topic.describe:command"),
    "list": Leaf("List all topics of the cluster", f"{_COMMANDS}.topic.list:command"),
    "add-partition": Leaf("Add partitions to a topic", f"{_COMMANDS}.topic.add_partition:command"),
    "export": Leaf("Write a topic to a file", f"{_COMMANDS}.topic.export:command"),
    "import": Leaf("Read a file into a topic", f"{_COMMANDS}.topic.import_topic:command"),
    "replay": Leaf("Send a file's records at their pace", f"{_COMMANDS}.topic.replay:command"),
    "copy": Leaf("Copy a topic's records to another topic or cluster", f"{_COMMANDS}.topic.copy:command"),
    "diff": Leaf("Compare two topics, of one cluster or two", f"{_COMMANDS}.topic.diff:command"),
}
_PARTITION: dict[str, Leaf | Group] = {
    "list": Leaf("List all partitions of the cluster", f"{_COMMANDS}.partition.list:command"),
}
_TABLE_FORMAT: dict[str, Leaf | Group] = {
    "create": Leaf("Store a layout from a file", f"{_COMMANDS}.table_format.create:command"),
    "delete": Leaf("Delete a table format", f"{_COMMANDS}.table_format.delete:command"),
    "list": Leaf("List all table formats of the cluster", f"{_COMMANDS}.table_format.list:command"),
}
_CONSUMER: dict[str, Leaf | Group] = {
    "list": Leaf("List all consumers whose offsets the cluster keeps", f"{_COMMANDS}.consumer.list:command"),
    "describe": Leaf("Show how far a consumer is", f"{_COMMANDS}.consumer.describe:command"),
    "reset": Leaf("Let a consumer go on somewhere else", f"{_COMMANDS}.consumer.reset:command"),
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
    "run": Leaf("Run a command on a cluster of its own", f"{_COMMANDS}.cluster.run:command"),
    "upgrade": Leaf(
        "Bring a cluster to this program's version, or change its settings",
        f"{_COMMANDS}.cluster.upgrade:command",
    ),
    "delete": Leaf("Delete a cluster and its data", f"{_COMMANDS}.cluster.delete:command"),
    "list": Leaf("List the clusters of this machine", f"{_COMMANDS}.cluster.list:command"),
    "snapshot": Leaf("Keep a cluster's data as they are now", f"{_COMMANDS}.cluster.snapshot:command"),
    "restore": Leaf("Put the data of a snapshot back", f"{_COMMANDS}.cluster.restore:command"),
    "fork": Leaf("Start a new cluster with the data of another one", f"{_COMMANDS}.cluster.fork:command"),
    "spu": Group("Manage and view streaming processing units (SPUs)", _SPU),
    "diagnostics": Leaf(
        "Collect server output, metadata and state in one archive", f"{_COMMANDS}.cluster.diagnostics:command"
    ),
    "status": Leaf("Check the status of a cluster", f"{_COMMANDS}.cluster.status:command"),
    "check": Leaf("Run the checks that come before a start", f"{_COMMANDS}.cluster.check:command"),
    "health": Leaf("Try a cluster: a record to each SPU and back", f"{_COMMANDS}.cluster.health:command"),
    "shutdown": Leaf("Stop a cluster and keep its data", f"{_COMMANDS}.cluster.shutdown:command"),
    "stop": Leaf("Stop a cluster and keep its data", f"{_COMMANDS}.cluster.shutdown:command", hidden=True),
}

_BENCHMARK: dict[str, Leaf | Group] = {
    "matrix": Leaf("Run a series of benchmarks", f"{_COMMANDS}.benchmark.matrix:command"),
    "producer": Leaf("Measure how fast records are stored", f"{_COMMANDS}.benchmark.producer:command"),
    "consumer": Leaf("Measure how fast records are read", f"{_COMMANDS}.benchmark.consumer:command"),
    "end-to-end": Leaf(
        "Measure how long records take from a producer to a consumer",
        f"{_COMMANDS}.benchmark.end_to_end:command",
    ),
}
_SHOW, _INSTALL = f"{_COMMANDS}.completions.show", f"{_COMMANDS}.completions.install"
_COMPLETIONS: dict[str, Leaf | Group] = {
    "bash": Leaf("Print the completion script for bash", f"{_SHOW}:bash"),
    "zsh": Leaf("Print the completion script for zsh", f"{_SHOW}:zsh"),
    "fish": Leaf("Print the completion script for fish", f"{_SHOW}:fish"),
    "powershell": Leaf("Print the completion script for PowerShell", f"{_SHOW}:powershell"),
    "install": Leaf("Install the completion script for a shell", f"{_INSTALL}:install"),
    "uninstall": Leaf("Remove the completion script of a shell", f"{_INSTALL}:uninstall"),
}

ROOT = Group(
    "Fluvio Command Line Interface",
    {
        "consume": Leaf("Read messages from a topic/partition", f"{_COMMANDS}.consume:command"),
        "produce": Leaf("Write messages to a topic/partition", f"{_COMMANDS}.produce:command"),
        "topic": Group("Manage and view topics", _TOPIC),
        "partition": Group("Manage and view partitions", _PARTITION),
        "table-format": Group("Manage stored layouts of tables", _TABLE_FORMAT),
        "tf": Group("Manage stored layouts of tables", _TABLE_FORMAT, hidden=True),
        "consumer": Group("Manage and view consumers", _CONSUMER),
        "profile": Group("Manage profiles, which describe known clusters", _PROFILE, default="current"),
        "cluster": Group("Start, stop and look after clusters", _CLUSTER),
        "plan": Leaf("Show how things differ from what files declare", f"{_COMMANDS}.plan:command"),
        "apply": Leaf("Make things as files declare them", f"{_COMMANDS}.apply:command"),
        "export": Leaf("Print what is there as a declaration", f"{_COMMANDS}.export:command"),
        "benchmark": Group("Measure how fast a cluster is", _BENCHMARK, default="matrix"),
        "bench": Group("Measure how fast a cluster is", _BENCHMARK, default="matrix", hidden=True),
        "generate": Leaf("Write records that look like real ones", f"{_COMMANDS}.generate:command"),
        "tap": Leaf("Show what clients and servers say to each other", f"{_COMMANDS}.tap:command"),
        "top": Leaf("Watch a cluster: topics, rates, consumers' lag", f"{_COMMANDS}.top:command"),
        "explain": Leaf("Explain why a command failed, and what to do", f"{_COMMANDS}.explain:command"),
        "doctor": Leaf("Look for known failures on this machine", f"{_COMMANDS}.doctor:command"),
        "version": Leaf("Print version information", f"{_COMMANDS}.version:command"),
        "completions": Group("Complete commands, options and names in a shell", _COMPLETIONS),
        "metadata": Leaf(
            "Describe commands and plugins as JSON",
            f"{_COMMANDS}.metadata:command",
            hidden=True,
            parameterless=True,
        ),
        "__refresh": Leaf(
            "Renew the names that completions offer",
            f"{_COMMANDS}.refresh:command",
            hidden=True,
            parameterless=True,
        ),
    },
)
