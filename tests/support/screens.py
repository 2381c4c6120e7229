"""What a terminal shows after what a program has printed: as much of one as our own screens ask for."""

import re
from dataclasses import dataclass, field

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


@dataclass(slots=True)
class Screen:
    """Two screens of the same size, of which one is shown. Letters count as one column wide."""

    columns: int
    lines: int
    has_cursor: bool = True
    wraps: bool = True
    is_other: bool = False  # the second one is shown
    styles: set[str] = field(default_factory=set)  # SGR parameters that were used
    _usual: dict[tuple[int, int], str] = field(default_factory=dict)
    _other: dict[tuple[int, int], str] = field(default_factory=dict)
    _line: int = 1
    _column: int = 1
    _kept: tuple[int, int] = (1, 1)  # where the cursor of the screen that is not shown is

    def feed(self, text: str) -> None:
        """Obey. Raises `ValueError` for a sequence that is not known."""
        place = 0
        while place < len(text):
            found = _SEQUENCE.match(text, place)
            if found is not None:
                self._obey(found[1], found[2])
                place = found.end()
                continue
            self._put(text[place])
            place += 1

    @property
    def text(self) -> list[str]:
        """The lines that are shown, without what is blank at their ends."""
        cells = self._other if self.is_other else self._usual
        return [
            "".join(cells.get((line, column), " ") for column in range(1, self.columns + 1)).rstrip()
            for line in range(1, self.lines + 1)
        ]

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self._column = 1
        elif letter == "\n":
            self._line += 1
        elif not letter.isprintable():
            raise ValueError(f"the terminal got {letter!r}")
        else:
            cells = self._other if self.is_other else self._usual
            cells[self._line, self._column] = letter
            self._column += 1

    def _obey(self, parameters: str, command: str) -> None:
        numbers = [int(number) for number in parameters.lstrip("?").split(";") if number]
        match command, parameters:
            case "H", _:
                self._line, self._column = numbers
            case "G", _:
                self._column = numbers[0]
            case "J", "2":
                (self._other if self.is_other else self._usual).clear()
            case "m", _:
                self.styles.add(parameters)
            case (("h" | "l"), "?1049"):
                self.is_other = command == "h"
                place = self._line, self._column
                self._line, self._column = self._kept
                self._kept = place
            case (("h" | "l"), "?25"):
                self.has_cursor = command == "h"
            case (("h" | "l"), "?7"):
                self.wraps = command == "h"
            case _:
                raise ValueError(f"the terminal got ESC[{parameters}{command}")
