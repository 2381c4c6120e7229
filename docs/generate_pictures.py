"""Writes docs/pictures/*.svg: what terminals show while real commands run. `make pictures` runs it.

    python docs/generate_pictures.py

A throw-away home and a real cluster on free ports are used; the commands run at a pseudo-terminal. What
differs from run to run is replaced by `tests/support/volatile.py`. tests/e2e/test_pictures.py runs the same
commands and compares the text, so a picture that shows what no longer is fails.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PICTURES = Path(__file__).with_name("pictures")

if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from fluvio_cli.top.model import PAST  # noqa: E402
from tests.support.documented_home import DocumentedHome, DocumentedPorts  # noqa: E402
from tests.support.full_screen import FullScreen  # noqa: E402
from tests.support.screen_picture import picture  # noqa: E402
from tests.support.terminal import Line, Screen, Stretch, run  # noqa: E402
from tests.support.volatile import settled  # noqa: E402

COLUMNS, ROWS = 92, 60
_ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):\d+")
_PROMPT = "\x1b[32m$\x1b[0m "


@dataclass(frozen=True, slots=True)
class Step:
    """A line typed at the prompt, the lines typed while it runs, and the exit code it ends with."""

    command: str
    typed: tuple[str, ...] = ()
    expect: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A command that draws on the whole terminal: what it must show to be taken, and the key that ends it."""

    command: str
    awaited: tuple[str, ...]  # regular expressions
    size: tuple[int, int]  # columns, rows
    leave: str = "q"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture, of steps or of a view. `unseen` steps run before it; each finds what earlier ones left."""

    name: str
    title: str
    shown: tuple[Step, ...] = ()
    unseen: tuple[Step, ...] = ()
    view: View | None = None


SCENES = (
    Scene("cluster-start", "fluvio cluster start, step by step", (Step("fluvio cluster start"),)),
    Scene(
        "produce-consume",
        "two records are typed into fluvio produce and read back by fluvio consume",
        (
            Step("fluvio topic create greetings"),
            Step("fluvio produce greetings --key-separator :", ("en:hello", "fr:bonjour")),
            Step("fluvio consume greetings --beginning --disable-continuous --key-value"),
        ),
    ),
    Scene(
        "topic-describe",
        "fluvio topic describe of a topic with four partitions",
        (
            Step("fluvio topic create orders --partitions 4 --retention-time 2d --compression-type zstd"),
            Step("fluvio topic describe orders"),
        ),
    ),
    Scene(
        "top",
        "fluvio top: topics with records and rates, a consumer's lag, clusters, SPUs, and the last records",
        unseen=(
            Step("fluvio topic create payments --partitions 3"),
            Step("printf '%s\\n' 10 20 30 | fluvio produce payments"),
            Step("fluvio consume payments --beginning --disable-continuous --consumer billing"),
            Step("printf '%s\\n' 40 50 60 | fluvio produce payments"),
        ),
        # A short interval fills the line of the past soon.
        view=View(
            "fluvio top --interval 100ms",
            ("▁" * PAST, r"\* +local +ok", r"billing +payments-2 +0 +1", r"payments +3 +6 +\d{3} B +0"),
            size=(100, 28),
        ),
    ),
    Scene(
        "doctor",
        "fluvio doctor finds that the controller does not answer and says what to do",
        (Step("fluvio doctor", expect=6),),
        unseen=(Step("fluvio cluster shutdown"),),
    ),
)


def screens() -> dict[str, list[Line]]:
    """Run the commands of all scenes; what the screen shows after each scene, by its name."""
    ports = DocumentedPorts()
    shown = {}
    with DocumentedHome("fluvio-pictures-", ports) as home:
        for scene in SCENES:
            for step in scene.unseen:
                _output(home, step)
            if scene.view is not None:
                shown[scene.name] = _lines(home, scene.view)
                continue
            screen = Screen(COLUMNS, ROWS)
            for step in scene.shown:
                screen.write(f"{_PROMPT}\x1b[1m{step.command}\x1b[0m\n{_output(home, step)}")
            shown[scene.name] = screen.lines()
    return shown


def _lines(home: DocumentedHome, view: View) -> list[Line]:
    """What the view shows, as it is in every run; addresses keep their width, so that columns stay."""
    with FullScreen(
        ["bash", "-c", view.command],
        directory=home.path,
        environment={**home.environment, "COLORTERM": "truecolor"},
        size=view.size,
    ) as person:
        lines = person.see(lambda text: all(re.search(each, text) for each in view.awaited))
        person.press(view.leave)
        assert person.end() == 0, view.command
    return [_with_documented_ports(home, line) for line in lines]


def _with_documented_ports(home: DocumentedHome, line: Sequence[Stretch]) -> Line:
    def shown(found: re.Match[str]) -> str:
        return home.ports.to_show(found[0]).ljust(len(found[0]))

    return tuple(replace(stretch, text=_ADDRESS.sub(shown, stretch.text)) for stretch in line)


def _output(home: DocumentedHome, step: Step) -> str:
    """What the step prints, as it is in every run."""
    printed = run(
        step.command,
        directory=home.path,
        environment=home.environment,
        size=(COLUMNS, ROWS),
        typed=[("> ", line) for line in step.typed],
        expect=step.expect,
    )
    return settled(home.ports.to_show(printed), home.path)


def pictures() -> dict[str, str]:
    """The SVG text of each picture by its file name."""
    made = screens()
    return {
        f"{scene.name}.svg": picture(
            made[scene.name], COLUMNS if scene.view is None else scene.view.size[0], scene.title
        )
        for scene in SCENES
    }


def main() -> None:
    """Write all pictures, and remove those of scenes that are gone."""
    made = pictures()
    PICTURES.mkdir(exist_ok=True)
    for path in PICTURES.glob("*.svg"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (PICTURES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
