"""`-O json|yaml|toml`: plain data as text, in the forms of the official command line (serde's).

Data are dicts with text or number keys, lists, text, numbers, booleans and None, and `Tagged` for a sum type.
JSON is indented by two; YAML puts list items flush with their key and ends in an empty line.
"""

import re
from typing import Any, NamedTuple

from fluvio_types.errors import FluvioError

FORMATS = ("table", "yaml", "json", "toml")


class Tagged(NamedTuple):
    """A variant that carries data: `!tag value` in YAML, `{"tag": value}` in JSON and TOML."""

    tag: str
    value: Any


class NoFormError(FluvioError):
    """The data cannot be written in the format asked for."""


def render_structured(data: Any, form: str) -> str:
    """Return `data` as `json`, `yaml` or `toml`, with all line ends; raises `NoFormError`."""
    if form == "json":
        return render_json(data)
    if form == "yaml":
        return render_yaml(data)
    return render_toml(data)


def render_json(data: Any) -> str:
    """JSON, two spaces deep, one line end."""
    import json

    return json.dumps(_untagged(data), indent=2, ensure_ascii=False) + "\n"


def render_toml(data: Any) -> str:
    """TOML without the keys that are None, and an empty line at the end; a list has no TOML form."""
    if not isinstance(data, dict):
        raise NoFormError("a list cannot be shown as toml", hint="use `-O json` or `-O yaml`")
    import tomli_w

    return tomli_w.dumps(_without_none(_untagged(data))) + "\n"


def render_yaml(data: Any) -> str:
    """YAML in serde's style, with its extra empty line at the end."""
    return "\n".join(_yaml_lines(data)) + "\n\n"


def _untagged(data: Any) -> Any:
    if isinstance(data, Tagged):
        return {data.tag: _untagged(data.value)}
    if isinstance(data, dict):
        return {key: _untagged(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_untagged(item) for item in data]
    return data


def _without_none(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_none(value) for key, value in data.items() if value is not None}
    if isinstance(data, list):
        return [_without_none(item) for item in data if item is not None]
    return data


def _yaml_lines(data: Any) -> list[str]:
    """The lines of one node, unindented."""
    if isinstance(data, Tagged):
        first, *rest = _yaml_entry(f"!{data.tag}", data.value)
        return [first, *rest]
    if isinstance(data, dict) and data:
        return [line for key, value in data.items() for line in _yaml_entry(f"{_yaml_scalar(key)}:", value)]
    if isinstance(data, list) and data:
        lines: list[str] = []
        for item in data:
            first, *rest = _yaml_lines(item)
            lines.append(f"- {first}")
            lines += [f"  {line}" if line else line for line in rest]
        return lines
    return [_yaml_scalar(data)]


def _yaml_entry(head: str, value: Any) -> list[str]:
    """The lines of `head` (a key or a tag) with its value."""
    if isinstance(value, Tagged):
        first, *rest = _yaml_lines(value)
        return [f"{head} {first}", *_rest_indented(rest, value)]
    if isinstance(value, dict) and value:
        indent = "" if head.startswith("!") else "  "
        return [head, *(f"{indent}{line}" if line else line for line in _yaml_lines(value))]
    if isinstance(value, list) and value:
        return [head, *_yaml_lines(value)]
    if isinstance(value, str) and _fits_block(value):
        sign = "|" if value.endswith("\n") else "|-"
        lines = value.removesuffix("\n").split("\n")
        return [f"{head} {sign}", *(f"  {line}" if line else line for line in lines)]
    return [f"{head} {_yaml_scalar(value)}"]


def _rest_indented(lines: list[str], value: Tagged) -> list[str]:
    """Lines below `key: !tag`: a mapping stands one level in, a list flush with the key."""
    if isinstance(value.value, list):
        return lines
    return [f"  {line}" if line else line for line in lines]


def _fits_block(text: str) -> bool:
    """Whether `text` can stand as a block of lines; first and last line decide how a block is read."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and text.replace("\n", "").isprintable()
        and not (lines[0][:1].isspace() or not lines[0])
        and bool(lines[-1])
    )


def _yaml_scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return _yaml_text(value) if isinstance(value, str) else str(value)


# Line breaks, and what no YAML text may have as it is.
_YAML_ESCAPED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_YAML_WORDS = frozenset({"", "<<", "~", "null", "true", "false", "y", "n", "yes", "no", "on", "off"})
_YAML_STARTS = frozenset("!&*-?|>@`%{}[],#:\"'")


def _yaml_text(text: str) -> str:
    """`text` plain where a YAML reader takes it for the same text, else in quotes."""
    if _YAML_ESCAPED.search(text):
        import json

        quoted = json.dumps(text, ensure_ascii=False)
        return _YAML_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    plain = (
        text.lower() not in _YAML_WORDS
        and text[0] not in _YAML_STARTS
        and text == text.strip()
        and ": " not in text
        and " #" not in text
        and not text.endswith(":")
        and not _looks_like_number(text)
    )
    return text if plain else "'" + text.replace("'", "''") + "'"


def _looks_like_number(text: str) -> bool:
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        return True
    try:
        int(text.replace("_", "x"), 0)
    except ValueError:
        try:
            float(text.replace("_", "x"))
        except ValueError:
            return text.isdigit()
        return text.lower().lstrip("+-") not in ("inf", "infinity", "nan")
    return True
