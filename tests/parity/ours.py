"""Our command line as the command table and the commands' signatures declare it."""

from collections.abc import Iterator
from dataclasses import dataclass

from fluvio_cli import app, usage
from fluvio_cli.command import Command
from fluvio_cli.command_table import ROOT, Group, Leaf
from fluvio_cli.grammar import Parameter, Rules


@dataclass(slots=True, frozen=True)
class OurCommand:
    """One command or group; `path` begins with `fluvio`."""

    path: str
    entry: Leaf | Group
    about: str
    parameters: tuple[Parameter, ...]
    rules: Rules

    @property
    def hidden(self) -> bool:
        """Whether the group's help leaves it out."""
        return isinstance(self.entry, Leaf) and self.entry.hidden

    @property
    def default(self) -> str | None:
        """The member that runs when none is named."""
        return self.entry.default if isinstance(self.entry, Group) else None

    def help_page(self) -> str:
        """What `--help` prints, without installed extensions."""
        if isinstance(self.entry, Group):
            return usage.group_help(self.path, self.entry, self.parameters, {})
        return usage.command_help(self.path, self.about, self.parameters, self.rules, long=True)


def read_tree() -> dict[str, OurCommand]:
    """Every command of the table by its path, hidden ones included."""
    return {command.path: command for command in _walk(app.PROGRAM, ROOT)}


def _walk(path: str, entry: Leaf | Group) -> Iterator[OurCommand]:
    if isinstance(entry, Leaf):
        yield _leaf(path, entry)
        return
    options = app.ROOT_OPTIONS if entry is ROOT else ()
    yield OurCommand(path, entry, entry.help, tuple(options), Rules())
    for name, member in entry.members.items():
        yield from _walk(f"{path} {name}", member)


def _leaf(path: str, leaf: Leaf) -> OurCommand:
    if leaf.parameterless:
        return OurCommand(path, leaf, leaf.help, (), Rules())
    command = Command(path, app.imported(leaf.target))
    return OurCommand(path, leaf, command.about, command.parameters, command.rules)
