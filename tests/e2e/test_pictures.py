"""The pictures in docs/pictures show what terminals show today, and are pictures that everybody can open."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.screen_picture import picture, text_of
from tests.support.terminal import Line, Screen, Stretch, Style, run
from tests.support.volatile import SUBSTITUTIONS, settled

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = {path.stem: path for path in (ROOT / "docs" / "pictures").glob("*.svg")}
LARGEST_BYTES = 60_000


def _generator() -> ModuleType:
    path = ROOT / "docs" / "generate_pictures.py"
    spec = importlib.util.spec_from_file_location("generate_pictures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shown_today() -> dict[str, list[Line]]:
    screens: dict[str, list[Line]] = _generator().screens()
    return screens


def text(lines: list[Line]) -> str:
    return "\n".join("".join(stretch.text for stretch in line) for line in lines)


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_picture_shows_what_the_commands_print(name: str, shown_today: dict[str, list[Line]]) -> None:
    assert text_of(COMMITTED[name].read_text(encoding="utf-8")) == text(shown_today[name]), (
        "run `make pictures`, and look at what has changed"
    )


def test_each_scene_has_its_picture(shown_today: dict[str, list[Line]]) -> None:
    assert set(shown_today) == set(COMMITTED)


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_picture_is_small_and_loads_nothing(name: str) -> None:
    svg = COMMITTED[name].read_text(encoding="utf-8")
    assert len(svg.encode()) < LARGEST_BYTES
    assert "<title>" in svg
    places = set(re.findall(r"https?://[^\"'\s)]+|url\([^)]*\)|\bhref\b|@import|@font-face", svg))
    assert places == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_some_document_shows_the_picture_and_tells_those_who_cannot_see_it(name: str) -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    found = [
        (document, alternative)
        for document in documents
        for alternative, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", document.read_text())
        if (document.parent / target).resolve() == COMMITTED[name]
    ]
    assert found, "no document shows it by a relative link"
    assert [document for document, alternative in found if len(alternative) < 20] == []


# --- the terminal and the picture ---------------------------------------------------------------------------


def test_what_was_written_over_is_not_shown() -> None:
    screen = Screen(40, 5)
    screen.write("waiting |\rwaiting /\r\x1b[2Kdone\n")
    screen.write("one\ntwo\x1b[1A\rup\n")
    assert text(screen.lines()) == "done\nupe\ntwo"


def test_colours_and_wide_characters_keep_their_places() -> None:
    screen = Screen(40, 5)
    screen.write("\x1b[32mOk!\x1b[0m 🖥️ x ✅ y\n")
    (line,) = screen.lines()
    assert line[0] == Stretch("Ok!", 3, Style(colour="green"))
    assert [(stretch.text, stretch.cells) for stretch in line[1:]] == [
        (" ", 1),
        ("🖥️", 1),
        (" x ", 3),
        ("✅", 2),
        (" y", 2),
    ]


def test_text_that_a_screen_cannot_hold_is_refused_rather_than_cut() -> None:
    with pytest.raises(ValueError, match="larger screen"):
        Screen(10, 3).write("1\n2\n3\n4\n")


def test_picture_gives_its_text_back_whatever_characters_are_in_it() -> None:
    screen = Screen(40, 8)
    screen.write("a < b & c > 'd' \"e\"\n\n    four  blanks\n\x1b[41;1;3;4mloud\x1b[0m ✅\n")
    svg = picture(screen.lines(), 40, "a <title> & more")
    assert text_of(svg) == text(screen.lines()) == "a < b & c > 'd' \"e\"\n\n    four  blanks\nloud ✅"
    assert svg == picture(screen.lines(), 40, "a <title> & more")


def test_what_is_typed_is_seen_and_a_wrong_exit_code_is_an_error(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    shown = run(
        'while read -r -p "> " word; do echo "got $word"; done',
        directory=tmp_path,
        environment=environment,
        size=(40, 10),
        typed=[("> ", "one"), ("> ", "two")],
        expect=0,
    )
    assert shown.splitlines()[:4] == ["> one", "got one", "> two", "got two"]
    with pytest.raises(AssertionError, match="ended with 3, not 0"):
        run("echo no; exit 3", directory=tmp_path, environment=environment, size=(40, 10))


def test_what_differs_from_run_to_run_is_replaced_once_and_for_all(tmp_path: Path) -> None:
    printed = f"{tmp_path}/x: port 9003 is used by pid 31337, 12 seconds elapsed"
    shown = settled(printed, tmp_path)
    assert shown == "/home/you/x: port 9003 is used by pid 4711, 0 seconds elapsed"
    assert settled(shown, tmp_path) == shown
    assert all(each.reason for each in SUBSTITUTIONS)
