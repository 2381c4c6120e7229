"""The line that says what is waited for: drawn late, never left behind, never in anybody's way."""

import io
import queue
import time

import pytest

from fluvio_cli.output.printer import Printer
from fluvio_cli.output.status_line import FIRST_S, StatusLine

ERASE = "\r\x1b[2K"
WAIT_S = 10.0


class Screen(io.StringIO):
    """A terminal; `drawn` has each thing that was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: queue.Queue[str] = queue.Queue()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.drawn.put(text)
        return super().write(text)

    def next_frame(self) -> str:
        """What is drawn next, without the erasing in front."""
        return self.drawn.get(timeout=WAIT_S).removeprefix(ERASE)


def test_it_is_seen_well_within_a_second() -> None:
    assert FIRST_S <= 0.5


def test_what_is_quick_shows_nothing() -> None:
    screen = Screen()
    with StatusLine(screen, lambda: "waiting", first_s=60):
        pass
    assert screen.getvalue() == ""


def test_the_text_is_asked_for_each_time_and_nothing_is_left_of_it() -> None:
    screen, turns = Screen(), iter(range(1_000_000))
    with StatusLine(screen, lambda: f"turn {next(turns)}", first_s=0, columns=80):
        frames = [screen.next_frame() for _ in range(3)]
    assert [frame[2:] for frame in frames] == ["turn 0", "turn 1", "turn 2"]
    assert len({frame[0] for frame in frames}) > 1, "it does not move"
    assert screen.getvalue().endswith(ERASE)


def test_a_long_text_is_cut_so_that_it_can_be_erased() -> None:
    screen = Screen()
    with StatusLine(screen, lambda: "x" * 500, first_s=0, columns=20):
        assert len(screen.next_frame()) == 19


def test_other_text_gets_the_line_for_itself() -> None:
    screen = Screen()
    printer = Printer(io.StringIO(), screen, {})
    with StatusLine(screen, lambda: "waiting", first_s=0, columns=80) as line:
        printer._status = line
        screen.next_frame()
        printer.note("a note")
    shown = screen.getvalue()
    assert shown[: shown.index("a note\n")].endswith(ERASE)


def test_what_prints_all_the_time_is_not_disturbed() -> None:
    screen = Screen()
    with StatusLine(screen, lambda: "waiting", first_s=60) as line:
        later = time.monotonic() + 61
        assert line.is_due(later)
        with line.aside():
            pass
        assert not line.is_due(time.monotonic())
        assert line.is_due(later + 60)


def test_nothing_is_drawn_while_a_person_is_asked() -> None:
    screen = Screen()
    with StatusLine(screen, lambda: "waiting", first_s=0, columns=80) as line:
        screen.next_frame()
        with line.aside():
            assert screen.getvalue().endswith(ERASE)
            for turn in range(3):
                line.draw(turn)
            assert screen.getvalue().endswith(ERASE)
        while not screen.next_frame().endswith("waiting"):
            pass


def test_the_innermost_block_says_what_is_waited_for() -> None:
    screen = Screen()
    printer = Printer(io.StringIO(), screen, {})
    with StatusLine(screen, lambda: "outer", first_s=0, columns=80) as line:
        printer._status = line
        with printer.busy("inner"):
            while not screen.next_frame().endswith("inner"):
                pass
        while not screen.next_frame().endswith("outer"):
            pass


def test_a_terminal_that_is_gone_ends_nothing() -> None:
    class Gone(Screen):
        def write(self, text: str) -> int:
            super().write(text)
            raise OSError

    screen = Gone()
    with StatusLine(screen, lambda: "waiting", first_s=0, columns=80):
        screen.next_frame()


@pytest.mark.parametrize(
    ("stderr", "environment", "is_quiet"),
    [(io.StringIO(), {}, False), (Screen(), {"TERM": "dumb"}, False), (Screen(), {}, True)],
    ids=["no terminal", "a dumb one", "quiet"],
)
def test_nothing_is_drawn_where_nobody_can_or_wants_to_see_it(
    stderr: io.StringIO, environment: dict[str, str], is_quiet: bool
) -> None:
    printer = Printer(io.StringIO(), stderr, environment)
    printer.is_quiet = is_quiet
    with printer.busy("waiting"):
        assert printer._status is None
    assert stderr.getvalue() == ""
