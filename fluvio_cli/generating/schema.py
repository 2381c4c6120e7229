"""A schema, from a file or built in, as a function that makes values. Every key: docs/generate.md.

A key that is unknown, a bound that is above another: every mistake is an error that says where it is.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from fluvio_cli.generating import fields
from fluvio_cli.generating.builtin import BUILT_IN
from fluvio_cli.generating.fields import Make
from fluvio_cli.values import parse_duration_ns
from fluvio_cli.yaml_files import load_yaml
from fluvio_types.errors import FluvioError

MOST_DEPTH = 20
MOST_TEXT, MOST_LIST = 1_000_000, 10_000
_I64 = 2**63 - 1


class GenerateSchemaError(FluvioError):
    """A file does not describe records; the text says what is wrong, and where."""

    hint = "docs/generate.md has all types of fields and their settings"


class Schema(NamedTuple):
    """`make` makes the value of a record; `key` names the field that is its key, or is None."""

    make: Make
    key: str | None


def read_schema(name: str, rng: Random, directory: Path) -> Schema:
    """A built-in schema, or that of a file. Raises `GenerateSchemaError`, `OSError`."""
    document = BUILT_IN.get(name)
    if document is None:
        path = directory / name
        if not path.exists() and not path.suffix:
            known = ", ".join(f"`{each}`" for each in BUILT_IN)
            raise GenerateSchemaError(f"`{name}` is neither a file nor a schema that is built in: {known}")
        document = load_yaml(path, "schema", GenerateSchemaError)
    return schema_of(document, rng)


def schema_of(document: Any, rng: Random) -> Schema:
    """What a document describes. Raises `GenerateSchemaError`."""
    settings = _Settings("", document)
    members = settings.members(rng, 0)
    key = settings.take("key", _word, None)
    settings.end()
    if key is not None and key not in members:
        raise GenerateSchemaError(f"key: there is no field `{key}`")
    return Schema(fields.mapping(members), key)


class _Settings:
    """A mapping of a document, from which keys are taken; `end` refuses what is left."""

    def __init__(self, place: str, content: Any) -> None:
        if not isinstance(content, Mapping):
            raise GenerateSchemaError(f"{place or 'the schema'}: keys and their values are expected")
        # In YAML a bare `null` is no text, also as a key.
        self.place = place
        self._left = {"null" if key is None else key: value for key, value in content.items()}

    def at(self, key: str) -> str:
        """Where a key is, for messages."""
        return f"{self.place}.{key}" if self.place else key

    def fault(self, key: str, reason: str) -> GenerateSchemaError:
        """Something is wrong with the value of `key`."""
        return GenerateSchemaError(f"{self.at(key)}: {reason}")

    def take(self, key: str, read: Callable[[Any], Any], default: Any) -> Any:
        """The value of `key` as `read` makes it; `default` when it is absent."""
        if key not in self._left:
            return default
        try:
            return read(self._left.pop(key))
        except ValueError as exc:
            raise self.fault(key, str(exc)) from None

    def need(self, key: str, read: Callable[[Any], Any]) -> Any:
        """The same of a key that must be there."""
        if key not in self._left:
            raise self.fault(key, "it is missing")
        return self.take(key, read, None)

    def bounds(
        self, read: Callable[[Any], Any], least: Any, most: Any, limits: tuple[float, float] | None = None
    ) -> tuple[Any, Any]:
        """`min` and `max`, the first not above the second, both within `limits`."""
        found = self.take("min", read, least), self.take("max", read, most)
        if None not in found and found[0] > found[1]:
            raise self.fault("min", f"{found[0]} is above the maximum, {found[1]}")
        for key, value in zip(("min", "max"), found, strict=True):
            if limits is not None and not limits[0] <= value <= limits[1]:
                raise self.fault(key, f"{value} is not in {limits[0]} to {limits[1]}")
        return found

    def members(self, rng: Random, depth: int) -> dict[str, Make]:
        """The fields of an object."""
        described = self.need("fields", _mapping)
        return {
            str(name): _field(self.at(f"fields.{name}"), description, rng, depth)
            for name, description in described.items()
        }

    def end(self) -> None:
        """Refuse what nobody has taken."""
        if self._left:
            unknown = ", ".join(f"`{self.at(str(key))}`" for key in self._left)
            raise GenerateSchemaError(f"unknown key {unknown}")


def _field(place: str, description: Any, rng: Random, depth: int) -> Make:
    if depth > MOST_DEPTH:
        raise GenerateSchemaError(f"{place}: more than {MOST_DEPTH} levels")
    if isinstance(description, str):
        description = {"type": description}
    settings = _Settings(place, description)
    kind = settings.need("type", _word)
    make_type = _TYPES.get(kind)
    if make_type is None:
        raise settings.fault("type", f"`{kind}` is none of {', '.join(sorted(_TYPES))}")
    null = settings.take("null", _share, 0.0)
    make = make_type(settings, rng, depth)
    settings.end()
    return fields.sometimes_null(rng, make, null) if null else make


# --- readers of single settings: ValueError says what is expected -------------------------------------------


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a word is expected, not `{value}`")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_I64 <= value <= _I64:
        raise ValueError(f"a whole number is expected, not `{value}`")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a number is expected, not `{value}`")
    return float(value)


def _positive(value: Any) -> float:
    if (found := _number(value)) < 0:
        raise ValueError(f"a number of 0 or more is expected, not `{value}`")
    return found


def _share(value: Any) -> float:
    if not 0 <= (found := _number(value)) <= 1:
        raise ValueError(f"a probability from 0 to 1 is expected, not `{value}`")
    return found


def _digits(value: Any) -> int:
    if not 0 <= (found := _whole(value)) <= 15:
        raise ValueError(f"0 to 15 digits are possible, not `{value}`")
    return found


def _mapping(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("fields and their types are expected")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list with at least one value is expected")
    return value


def _plain(value: Any) -> Any:
    """A value that JSON has; YAML has dates and others beside."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_word(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"JSON has no `{value}`")
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError(f"put `{value}` in quotes: JSON has no such value")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"`{value}` is none of {', '.join(words)}")
        return str(value)

    return read


def _duration_ms(value: Any) -> int:
    return parse_duration_ns(str(value)) // 10**6


# --- types --------------------------------------------------------------------------------------------------

_distribution = _one_of("uniform", "normal", "exponential")


def _drawn(settings: _Settings, rng: Random, kind: str) -> Callable[[], float]:
    if kind == "normal":
        return fields.normal(rng, settings.need("mean", _number), settings.need("deviation", _positive))
    return fields.exponential(rng, settings.need("mean", _positive))


def _int(settings: _Settings, rng: Random, depth: int) -> Make:
    kind = settings.take("distribution", _distribution, "uniform")
    if kind == "uniform":
        return fields.integer(rng, *settings.bounds(_whole, 0, 100))
    return fields.number(_drawn(settings, rng, kind), None, *settings.bounds(_whole, None, None))


def _float(settings: _Settings, rng: Random, depth: int) -> Make:
    kind = settings.take("distribution", _distribution, "uniform")
    digits = settings.take("digits", _digits, 2)
    if kind == "uniform":
        least, most = settings.bounds(_number, 0.0, 1.0)
        return fields.number(fields.uniform(rng, least, most), digits, least, most)
    return fields.number(_drawn(settings, rng, kind), digits, *settings.bounds(_number, None, None))


def _choice(settings: _Settings, rng: Random, depth: int) -> Make:
    values = settings.need("values", lambda value: _plain(_list(value)))
    weights = settings.take("weights", lambda value: [_positive(item) for item in _list(value)], None)
    if weights is not None and (len(weights) != len(values) or not 0 < sum(weights) < math.inf):
        raise settings.fault("weights", f"{len(values)} weights are expected, and not all of them 0")
    return fields.choice(rng, values, weights)


def _text(settings: _Settings, rng: Random, depth: int) -> Make:
    return fields.text(rng, *settings.bounds(_whole, 10, 100, (0, MOST_TEXT)))


def _timestamp(settings: _Settings, rng: Random, depth: int) -> Make:
    form = settings.take("format", _one_of("iso", "ms", "s"), "iso")
    return fields.timestamp(rng, form, settings.take("jitter", _duration_ms, 0))


def _object(settings: _Settings, rng: Random, depth: int) -> Make:
    return fields.mapping(settings.members(rng, depth + 1))


def _several(settings: _Settings, rng: Random, depth: int) -> Make:
    of = settings.need("of", lambda value: _field(settings.at("of"), value, rng, depth + 1))
    return fields.several(rng, of, *settings.bounds(_whole, 0, 5, (0, MOST_LIST)))


_TYPES: dict[str, Callable[[_Settings, Random, int], Make]] = {
    "int": _int,
    "float": _float,
    "choice": _choice,
    "bool": lambda settings, rng, depth: fields.flag(rng, settings.take("probability", _share, 0.5)),
    "word": lambda settings, rng, depth: fields.word(rng),
    "name": lambda settings, rng, depth: fields.name(rng),
    "text": _text,
    "uuid": lambda settings, rng, depth: fields.uuid(rng),
    "sequence": lambda settings, rng, depth: fields.sequence(
        settings.take("start", _whole, 1), settings.take("step", _whole, 1)
    ),
    "timestamp": _timestamp,
    "constant": lambda settings, rng, depth: fields.constant(settings.need("value", _plain)),
    "object": _object,
    "list": _several,
}
