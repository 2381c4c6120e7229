"""Writes completions/fluvio_completions/tree.py: the command tree as completions need it.

    python docs/generate_completion_tree.py [--check]

`--check` changes nothing and exits with 1 when the table is out of date. Every command module is loaded here,
so that none is while somebody waits for a key.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
TABLE = REPOSITORY / "completions" / "fluvio_completions" / "tree.py"

if __name__ == "__main__":
    sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "completions")]

from fluvio_cli import manners  # noqa: E402
from fluvio_cli.app import ROOT_OPTIONS, imported  # noqa: E402
from fluvio_cli.command import Command  # noqa: E402
from fluvio_cli.command_table import ROOT, Group, Leaf  # noqa: E402
from fluvio_cli.grammar import Parameter  # noqa: E402

_HEAD = '''"""The command tree, for completions.

Written by `python docs/generate_completion_tree.py`: do not edit.
"""

from collections.abc import Mapping

from fluvio_completions.engine import Node, Option

'''
# What a positional or an option names, where its own name does not say so.
_KINDS = {
    ("topic describe", "name"): "topic",
    ("topic delete", "names"): "topic",
    ("topic copy", "source"): "topic",
    ("topic copy", "destination"): "topic",
    ("topic diff", "left"): "topic",
    ("topic diff", "right"): "topic",
    ("profile rename", "old"): "profile",
    ("profile add", "profile_name"): "",
    ("profile copy", "source"): "profile",
    ("cluster spu unregister", "id_"): "spu",
    ("cluster start", "data_dir"): "directory",
}
_BY_NAME = {
    "topic": "topic",
    "topics": "topic",
    "profile": "profile",
    "profile_name": "profile",
    "source": "profile",
    "cluster_name": "cluster",
    "consumer": "consumer",
    "file": "file",
    "config": "file",
    "replica_assignment": "file",
    "ca_cert": "file",
    "client_cert": "file",
    "client_key": "file",
    "server_cert": "file",
    "server_key": "file",
    "compare": "file",
    "mask_secret": "file",
    "data_dir": "directory",
    "log_dir": "directory",
}
_WORDS = {
    "compression": ("none", "gzip", "snappy", "zstd", "lz4"),
    "compression_type": ("any", "none", "gzip", "snappy", "lz4", "zstd"),
    "isolation": ("read_committed", "read_uncommitted"),
    "delivery_semantic": ("at-least-once", "at-most-once"),
    "installation_type": ("local", "k8", "local-k8", "docker", "cloud", "read-only"),
}


def _values(path: str, parameter: Parameter) -> object:
    if parameter.choices:
        return parameter.choices
    if (path, parameter.name) in _KINDS:
        return _KINDS[path, parameter.name]
    if parameter.name in _WORDS:
        return _WORDS[parameter.name]
    return _BY_NAME.get(parameter.name, "")


def _options(path: str, parameters: tuple[Parameter, ...]) -> Iterator[str]:
    """One line for each; `*COMMON` for those that nearly every command takes."""
    ends_so = path and parameters[-len(manners.OPTIONS) :] == manners.OPTIONS
    for parameter in parameters[: -len(manners.OPTIONS)] if ends_so else parameters:
        if parameter.is_positional or parameter.hidden:
            continue
        values = _values(path, parameter) if parameter.takes_value else None
        text = parameter.help.strip().split("\n")[0]
        yield f"            Option({tuple(parameter.flags)!r}, {values!r}, {text!r}),\n"
    if ends_so:
        yield "            *COMMON,\n"


def _node(path: str, parameters: tuple[Parameter, ...], commands: dict[str, str]) -> str:
    positionals = [parameter for parameter in parameters if parameter.is_positional]
    lines = [f"    {path!r}: Node(\n", "        options=(\n", *_options(path, parameters), "        ),\n"]
    if positionals:
        words = tuple(_values(path, parameter) for parameter in positionals)
        lines.append(f"        words={words!r},\n")
        if positionals[-1].repeatable:
            lines.append("        repeats=True,\n")
    if commands:
        lines += ["        commands={\n"]
        lines += [f"            {name!r}: {text!r},\n" for name, text in commands.items()]
        lines += ["        },\n"]
    return "".join([*lines, "    ),\n"])


def _nodes(path: str, member: Group | Leaf, parameters: tuple[Parameter, ...] = ()) -> Iterator[str]:
    if isinstance(member, Leaf):
        if not member.parameterless:
            own = Command(path, imported(member.target)).parameters
            parameters = (*own, *manners.beside(own))
        yield _node(path, parameters or manners.OPTIONS, {})
        return
    shown = {name: each.help for name, each in member.members.items() if not getattr(each, "hidden", False)}
    yield _node(path, parameters or manners.OPTIONS, shown)
    for name, each in member.members.items():
        if name not in _aliases():
            yield from _nodes(f"{path} {name}".strip(), each)


def _aliases() -> dict[str, str]:
    """Hidden names of groups of the root, and the names that stand for the same."""
    named = {
        id(group.members): name
        for name, group in ROOT.members.items()
        if isinstance(group, Group) and not group.hidden
    }
    return {
        name: named[id(group.members)]
        for name, group in ROOT.members.items()
        if isinstance(group, Group) and group.hidden
    }


def table() -> str:
    """The text of the module, formatted as the rest of the code is not: nobody reads it."""
    common = "".join(_options("", manners.OPTIONS)).replace("            ", "    ")
    return (
        f"# ruff: noqa: E501\n# fmt: off\n{_HEAD}COMMON = (\n{common})\n"
        f"_NODES: dict[str, Node] = {{\n{''.join(_nodes('', ROOT, ROOT_OPTIONS))}}}\n"
        f"_ALIASES = {_aliases()!r}\n"
        "TREE: Mapping[str, Node] = _NODES | {\n"
        "    alias + path.removeprefix(name): node\n"
        "    for alias, name in _ALIASES.items()\n"
        "    for path, node in _NODES.items()\n"
        '    if f"{path} ".startswith(f"{name} ")\n'
        "}\n"
    )


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(TABLE.read_text(encoding="utf-8") != table())
    TABLE.write_text(table(), encoding="utf-8")
