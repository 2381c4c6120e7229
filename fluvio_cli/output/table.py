"""Tables of text: without borders as the official lists are, with borders as `consume -O table` has them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

Alignment = Literal["left", "right", "center"]
CUT = "…"  # stands for what was cut off


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
        max((text_width(line[column]) for line in lines if column < len(line)), default=0)
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


def bordered(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[int],
    alignments: Sequence[Alignment] = (),
    *,
    with_top: bool = True,
) -> Iterator[str]:
    """The lines of a table between borders, each with its line end, one after the other.

    What is longer than its column is cut. A row may be shorter than the header. Columns without an
    alignment stand left.
    """
    sides = [alignments[place] if place < len(alignments) else "left" for place in range(len(headers))]

    def line(cells: Sequence[str]) -> str:
        texts = [*cells, *[""] * (len(headers) - len(cells))]
        return f"|{'|'.join(f' {fit(*cell)} ' for cell in zip(texts, widths, sides, strict=True))}|\n"

    edge = f"+{'+'.join('-' * (width + 2) for width in widths)}+\n"
    if with_top:
        yield edge
    yield line(headers)
    yield f"+{'=' * (sum(widths) + 3 * len(widths) - 1)}+\n"
    for row in rows:
        yield line(row)
    yield edge


def fit(text: str, width: int, alignment: Alignment = "left") -> str:
    """`text` in exactly so many terminal columns: padded, or cut with a mark at its end."""
    spare = width - text_width(text)
    if spare < 0:
        return _cut(text, width)
    if alignment == "left":
        return text + " " * spare
    before = spare if alignment == "right" else spare // 2
    return " " * before + text + " " * (spare - before)


def text_width(text: str) -> int:
    """Terminal columns that `text` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    if width <= 0:
        return ""
    if text.isascii():
        return text[: width - 1] + CUT
    from rich.cells import set_cell_size

    return set_cell_size(text, width - 1) + CUT


def _cell(text: str, width: int, right: bool) -> str:
    padding = " " * (width - text_width(text))
    return f" {padding}{text} " if right else f" {text}{padding} "
