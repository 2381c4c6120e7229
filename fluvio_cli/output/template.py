"""`consume -F`: templates in the part of Handlebars that single records need.

`{{name}}` and `{{{name}}}` insert without escaping, names that do not exist are empty, `{{! ... }}` is a
comment, `{{#if name}} ... {{else}} ... {{/if}}` and `{{#unless name}}` choose; `~` inside the braces eats
the white space on that side. `{{helper field "argument"}}` calls a helper, see `template_helpers`. Anything
else is refused when the template is read, not while records pass.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fluvio_cli.output.template_helpers import Helper, HelperError, RawFields, read_call
from fluvio_types.errors import FluvioError

_TAG = re.compile(r"\{\{\{(?P<raw>.*?)\}\}\}|\{\{!--(?P<long>.*?)--\}\}|\{\{(?P<tag>.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class TemplateError(FluvioError):
    """A template that cannot be read."""

    def __init__(self, reason: str, text: str, position: int) -> None:
        super().__init__(
            f"Template error: invalid handlebars syntax: {reason} at column {position + 1}",
            hint="for example: -F '{{partition}}:{{offset}} {{key}}={{value}}'",
        )
        self.text, self.position = text, position


@dataclass(slots=True)
class _Block:
    """A chosen part: `name` decides between the two lists, the other way round with `inverted`."""

    name: str
    inverted: bool
    word: str
    position: int
    then: "list[_Part]" = field(default_factory=list)
    otherwise: "list[_Part]" = field(default_factory=list)
    in_else: bool = False

    @property
    def open_part(self) -> "list[_Part]":
        return self.otherwise if self.in_else else self.then


@dataclass(slots=True, frozen=True)
class _Name:
    name: str


@dataclass(slots=True, frozen=True)
class _Call:
    helper: Helper


_Part = str | _Name | _Call | _Block


class Template:
    """A template, read once."""

    def __init__(self, text: str) -> None:
        """Raises `TemplateError`."""
        self._parts = _read(text)

    @property
    def pieces(self) -> list[tuple[str, bool]] | None:
        """(text, False) and (name, True) in order, for a caller that fills many records.

        None with blocks or helpers.
        """
        pieces = []
        for part in self._parts:
            if isinstance(part, _Block | _Call):
                return None
            pieces.append((part, False) if isinstance(part, str) else (part.name, True))
        return pieces

    def render(self, values: Mapping[str, str], raw: RawFields) -> str:
        """The template with `values` in it; helpers work on `raw`."""
        out: list[str] = []
        _render(self._parts, values, raw, out)
        return "".join(out)


def _render(parts: "list[_Part]", values: Mapping[str, str], raw: RawFields, out: list[str]) -> None:
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, _Name):
            out.append(values.get(part.name, ""))
        elif isinstance(part, _Call):
            out.append(part.helper(raw))
        else:
            holds = bool(values.get(part.name)) is not part.inverted
            _render(part.then if holds else part.otherwise, values, raw, out)


def _read(text: str) -> "list[_Part]":
    root = _Block("", False, "", 0)
    stack = [root]
    position, eat_left = 0, False
    for match in _TAG.finditer(text):
        literal = text[position : match.start()]
        inside = match["raw"] if match["raw"] is not None else match["tag"] or ""
        inside_position = match.start("raw" if match["raw"] is not None else "tag")
        if inside.startswith("~"):
            literal, inside, inside_position = literal.rstrip(), inside[1:], inside_position + 1
        _add_literal(stack[-1], literal.lstrip() if eat_left else literal, text, position)
        eat_left = inside.endswith("~")
        inside_position += len(inside) - len(inside.lstrip())
        inside = inside.removesuffix("~").strip()
        position = match.end()
        if match["long"] is not None or (match["tag"] is not None and inside.startswith("!")):
            continue
        _add_tag(stack, inside, text, match.start(), inside_position)
    rest = text[position:]
    _add_literal(stack[-1], rest.lstrip() if eat_left else rest, text, position)
    if len(stack) > 1:
        raise TemplateError(f"`{{{{#{stack[-1].word}}}}}` is not closed", text, stack[-1].position)
    return root.then


def _add_literal(block: _Block, literal: str, text: str, position: int) -> None:
    opened = literal.find("{{")
    if opened >= 0:
        raise TemplateError("a tag is not closed", text, position + opened)
    if literal:
        block.open_part.append(literal)


def _add_tag(stack: list[_Block], inside: str, text: str, position: int, inside_position: int) -> None:
    words = inside.split()
    first = words[0] if words else ""
    if first in ("#if", "#unless") and len(words) == 2 and _NAME.fullmatch(words[1]):
        block = _Block(words[1], first == "#unless", first[1:], position)
        stack[-1].open_part.append(block)
        stack.append(block)
    elif first in ("else", "^") and len(words) == 1 and len(stack) > 1 and not stack[-1].in_else:
        stack[-1].in_else = True
    elif first.startswith("/") and len(stack) > 1 and first[1:] == stack[-1].word and len(words) == 1:
        stack.pop()
    elif len(words) == 1 and _NAME.fullmatch(first) and first != "else":
        stack[-1].open_part.append(_Name(first))
    elif len(words) > 1 and _NAME.fullmatch(first) and first != "else":
        try:
            stack[-1].open_part.append(_Call(read_call(inside)))
        except HelperError as exc:
            raise TemplateError(exc.reason, text, inside_position + exc.position) from None
    else:
        raise TemplateError(f"unexpected `{{{{{inside}}}}}`", text, position)
