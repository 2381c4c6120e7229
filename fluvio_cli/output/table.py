"""Tables as the official command line prints them: no borders, cells padded by one space each side."""

from collections.abc import Sequence


def render_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    indent: bool = True,
    right_aligned: frozenset[int] = frozenset(),
) -> str:
    """Return the lines of a table, each with its line end.

    Each column is as wide as its widest cell; trailing spaces stay. Lists begin each line with one
    more space (`indent`). `right_aligned` holds column numbers. A row may be longer than the header.
    """
    lines = [headers, *rows]
    columns = max(map(len, lines))
    widths = [
        max((_width(line[column]) for line in lines if column < len(line)), default=0)
        for column in range(columns)
    ]
    start = " " if indent else ""
    return "".join(
        start
        + "".join(
            _cell(line[column] if column < len(line) else "", widths[column], column in right_aligned)
            for column in range(columns)
        )
        + "\n"
        for line in lines
    )


def _cell(text: str, width: int, right: bool) -> str:
    padding = " " * (width - _width(text))
    return f" {padding}{text} " if right else f" {text}{padding} "


def _width(text: str) -> int:
    """Terminal columns that `text` takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
