"""JMESPath over JSON values: `consume --where` and the template helper `json`.

An expression is checked whole before the first record: its form, the names of its functions and how many
arguments they take. What depends on a record (a function that gets a value of the wrong type) is found later.
"""

import json
from typing import Any, NoReturn

NOT_JSON = object()  # what `parse_json` returns for bytes that are not JSON


class QueryError(ValueError):
    """An expression that cannot be used; `position` is the index of the character at fault, if known."""

    def __init__(self, reason: str, position: int | None) -> None:
        place = "" if position is None else f" at column {position + 1}"
        super().__init__(f"{reason}{place}")
        self.reason, self.position = reason, position


class Query:
    """An expression, read once. Raises `QueryError`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parsed = _parse(text)

    def search(self, data: Any) -> Any:
        """What the expression selects from JSON data; None also where a function cannot take what it got."""
        from jmespath.exceptions import JMESPathError

        try:
            return self._parsed.search(data)
        except JMESPathError:
            return None

    def holds(self, data: Any) -> bool:
        """Whether the result is true as JMESPath has it: not null, false or an empty text, list or object."""
        found = self.search(data)
        return not (found is None or found is False or found == "" or found == [] or found == {})


def parse_query(text: str) -> Query:
    """For `typer.Option(parser=...)`."""
    return Query(text)


def parse_json(value: bytes) -> Any:
    """The JSON data in UTF-8 bytes, or `NOT_JSON`."""
    try:
        return _decode(value.decode())
    except (ValueError, RecursionError):
        return NOT_JSON


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _parse(text: str) -> Any:
    import jmespath
    from jmespath.exceptions import EmptyExpressionError, IncompleteExpressionError, LexerError, ParseError

    try:
        parsed = jmespath.compile(text)
    except EmptyExpressionError:
        raise QueryError("the expression is empty", None) from None
    except LexerError as exc:
        raise QueryError(f"`{exc.token_value}` cannot be read here", exc.lexer_position) from None
    except IncompleteExpressionError:
        raise QueryError("the expression ends too early", len(text)) from None
    except ParseError as exc:
        if exc.token_type == "eof":
            raise QueryError("the expression ends too early", len(text)) from None
        raise QueryError(f"`{exc.token_value}` is not expected", exc.lex_position) from None
    except RecursionError:
        raise QueryError("the expression is nested too deeply", None) from None
    _check_functions(text, parsed.parsed)
    return parsed


def _check_functions(text: str, root: Any) -> None:
    from jmespath.functions import Functions

    known = Functions.FUNCTION_TABLE
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node["children"] if isinstance(node, dict) and "children" in node else []
        if not isinstance(node, dict) or node.get("type") != "function_expression":
            continue
        name, count = node["value"], len(node["children"])
        place = text.find(f"{name}(")
        if name not in known:
            raise QueryError(f"there is no function `{name}`", place if place >= 0 else None)
        signature = known[name]["signature"]
        is_open = bool(signature) and bool(signature[-1].get("variadic"))
        if count < len(signature) or (count > len(signature) and not is_open):
            wanted = f"{len(signature)} or more" if is_open else str(len(signature))
            raise QueryError(f"`{name}` takes {wanted} arguments, not {count}", place if place >= 0 else None)
