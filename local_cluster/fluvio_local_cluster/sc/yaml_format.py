"""YAML text of metadata documents, read and written so that the official controller agrees.

Reading knows the types of YAML 1.2 only: in YAML 1.1, which PyYAML speaks by itself, a topic named `on` is
true and `2024-01-01` a date. Writing quotes whatever either of the two would take for something else. The
parser in C is used where PyYAML has it (the reader in Python is 10 times slower and reads the same).
"""

import re
from typing import Any

import yaml

from fluvio_local_cluster.sc.model.tree import Tagged, Tree
from fluvio_types.errors import FluvioError

_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_WIDTH = 1 << 30  # long texts (a SmartModule's payload) stay on one line


class YamlError(FluvioError):
    """A text is no YAML, or not one document."""


class _Loader(_BaseLoader):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - filled below, never shared with the base


class _Dumper(_BaseDumper):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


_CORE_TYPES = {  # of YAML 1.2, and the characters that such a scalar may begin with
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
_NOT_TEXT = re.compile("|".join(f"(?:{pattern})" for pattern, _ in _CORE_TYPES.values()))
for _tag, (_pattern, _first) in _CORE_TYPES.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def _construct_int(loader: Any, node: Any) -> int:
    text: str = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _construct_tagged(loader: Any, suffix: str, node: Any) -> Tagged:
    value: Tree
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)
    return Tagged(suffix, value)


def _represent_tagged(dumper: Any, tagged: Tagged) -> Any:
    node = dumper.represent_data(tagged.value)
    node.tag = f"!{tagged.tag}"
    if isinstance(node, yaml.ScalarNode):
        node.style = "'"  # after a tag of our own a plain word would do, but not every plain text
    return node


def _represent_text(dumper: Any, text: str) -> Any:
    style = "'" if _NOT_TEXT.fullmatch(text) else None  # what YAML 1.1 mistakes is quoted without us
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_multi_constructor("!", _construct_tagged)
_Dumper.add_representer(Tagged, _represent_tagged)
_Dumper.add_representer(str, _represent_text)


def parse(text: bytes | str) -> Tree:
    """The one document of a text; None for an empty text. Raises `YamlError`."""
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as exc:
        raise YamlError(f"no valid YAML: {' '.join(str(exc).split())}") from exc


def render(tree: Tree) -> bytes:
    """The text of a tree, keys in their order."""
    text: bytes = yaml.dump(
        tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, encoding="utf-8"
    )
    return text
