"""A terminal's screen as an SVG picture, and the text of such a picture.

The picture names fonts that systems have and loads none. Each stretch of text has its place and width in
it, so columns stay columns in any font. Nothing in it depends on when or where it is made.
"""

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from tests.support.terminal import Line, Stretch, Style

CELL_WIDTH, LINE_HEIGHT, MARGIN, FONT_SIZE = 8, 19, 16, 14  # pixels, at the picture's own size
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BACKGROUND, FOREGROUND = "#1b1f27", "#d8dee9"
# Legible on the background: contrast over 4.5, which a terminal's own `blue` would not have.
COLOURS = {
    "black": "#7b8494",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#f0f3f6",
}
_SVG = "{http://www.w3.org/2000/svg}"


def picture(lines: Sequence[Line], columns: int, title: str) -> str:
    """The SVG text of a screen so many cells wide; `title` is what a reader without eyes is told first."""
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>text {{ font: {FONT_SIZE}px {FONTS}; fill: {FOREGROUND}; white-space: pre; }}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>\n'
    ]
    for number, line in enumerate(lines):
        if line:
            parts.append(_line(line, MARGIN + number * LINE_HEIGHT))
    parts.append("</svg>\n")
    return "".join(parts)


def _line(line: Line, top: int) -> str:
    baseline = top + FONT_SIZE
    behind, spans, column = [], [], 0
    for stretch in line:
        left, width = MARGIN + column * CELL_WIDTH, stretch.cells * CELL_WIDTH
        if stretch.style.background != "default":
            colour = _colour(stretch.style.background)
            behind.append(
                f'<rect x="{left}" y="{top}" width="{width}" height="{LINE_HEIGHT}" fill="{colour}"/>\n'
            )
        spans.append(_span(stretch, left, width))
        column += stretch.cells
    return f'{"".join(behind)}<text y="{baseline}" xml:space="preserve">{"".join(spans)}</text>\n'


def _span(stretch: Stretch, left: int, width: int) -> str:
    attributes = {"x": str(left), "textLength": str(width), "lengthAdjust": "spacingAndGlyphs"}
    if not stretch.is_even:
        attributes = {"x": str(left)}  # an emoji: stretched to its cells it would look odd
    attributes |= _looks(stretch.style)
    named = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<tspan{named}>{escape(stretch.text)}</tspan>"


def _looks(style: Style) -> dict[str, str]:
    looks = {
        "fill": _colour(style.colour) if style.colour != "default" else "",
        "font-weight": "bold" if style.bold else "",
        "font-style": "italic" if style.italics else "",
        "text-decoration": "underline" if style.underlined else "",
    }
    return {name: value for name, value in looks.items() if value}


def _colour(name: str) -> str:
    return COLOURS.get(name.removeprefix("bright"), f"#{name}")


def text_of(svg: str) -> str:
    """The lines that a picture shows. Raises `ElementTree.ParseError` when it is no XML."""
    rows: dict[int, str] = {}
    for element in ElementTree.fromstring(svg).iter(f"{_SVG}text"):
        row = (int(element.attrib["y"]) - FONT_SIZE - MARGIN) // LINE_HEIGHT
        rows[row] = "".join(element.itertext())
    return "\n".join(rows.get(row, "") for row in range(max(rows, default=-1) + 1))
