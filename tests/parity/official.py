"""The official command line as recorded in tests/data/cli.json: commands and what they take, as values.

The recording was read from the source of 0.18.2 and checked against a binary of that version. Its legend
says what each key means. Help texts in it tell the meaning in other words than the official ones.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDING = Path(__file__).parent.parent / "data" / "cli.json"
# Checked by a parser too, as the text of its usage error shows, which the recording does not say.
_ALSO_PARSED = frozenset({"installation_type"})


@dataclass(slots=True, frozen=True)
class OfficialParameter:
    """One option or positional; `conflicts` and `requires` hold names, groups already resolved."""

    name: str
    flags: tuple[str, ...]  # short one first; empty: a positional
    takes_value: bool
    kind: str  # u32, duration, enum, ...
    value_name: str
    default: str | None
    choices: tuple[str, ...]
    choices_in_help: bool
    ignore_case: bool
    repeatable: bool
    required: bool
    hidden: bool
    help: str
    conflicts: frozenset[str]
    requires: frozenset[str]

    @property
    def subject(self) -> str:
        """How tables name it: `--partition`, or `<topic>`."""
        return self.flags[-1] if self.flags else f"<{self.value_name}>"


@dataclass(slots=True, frozen=True)
class OfficialCommand:
    """One command or group; `path` begins with the name of the binary."""

    path: str
    about: str
    status: str  # current, removed, external, ...
    hidden: bool
    aliases: tuple[str, ...]
    default: str | None  # the subcommand that runs when none is given
    parameters: tuple[OfficialParameter, ...]  # positionals first
    one_of: tuple[frozenset[str], ...]  # of each group of names one must be given
    subcommands: tuple["OfficialCommand", ...]

    def walk(self) -> Iterator["OfficialCommand"]:
        """The command and all below it, in the order of the recording."""
        yield self
        for subcommand in self.subcommands:
            yield from subcommand.walk()


def read_binaries() -> dict[str, OfficialCommand]:
    """The tree of each executable, by its name."""
    recording = json.loads(RECORDING.read_text(encoding="utf-8"))
    return {name: _command(tree) for name, tree in recording["binaries"].items()}


def _command(raw: dict[str, Any]) -> OfficialCommand:
    groups = {group["id"]: frozenset(group["members"]) for group in raw["groups"]}
    return OfficialCommand(
        path=raw["path"],
        about=raw["about"],
        status=raw["status"],
        hidden=raw["hidden"],
        aliases=tuple(alias["name"] for alias in raw["aliases"]),
        default=raw.get("default_subcommand"),
        parameters=tuple(_parameter(each, groups) for each in [*raw["args"], *raw["options"]]),
        one_of=tuple(groups[group["id"]] for group in raw["groups"] if group["required"]),
        subcommands=tuple(map(_command, raw["subcommands"])),
    )


def _parameter(raw: dict[str, Any], groups: dict[str, frozenset[str]]) -> OfficialParameter:
    def resolved(names: list[str]) -> frozenset[str]:
        return frozenset().union(*(groups.get(name, frozenset({name})) for name in names)) - {raw["name"]}

    return OfficialParameter(
        name=raw["name"],
        flags=tuple(raw.get("flags", ())),
        takes_value=raw.get("takes_value", True),
        kind=raw["type"],
        value_name=raw["value_name"] or "",
        default=raw["default"],
        choices=tuple(raw["choices"] or ()),
        choices_in_help=bool(raw["choices"])
        and "not listed in help" not in raw.get("note", "")
        and raw["name"] not in _ALSO_PARSED,
        ignore_case=raw.get("ignore_case", False),
        repeatable=raw["repeatable"],
        required=raw["required"],
        hidden=raw.get("hidden", False),
        help=raw["help"],
        conflicts=resolved(raw.get("conflicts_with", [])),
        requires=resolved(raw.get("requires", [])),
    )
