"""Writes docs/pictures/*.svg: what terminals show while real commands run. `make pictures` runs it.

    python docs/generate_pictures.py

A throw-away home and a real cluster on free ports are used; the commands run at a pseudo-terminal. What
differs from run to run is replaced by `tests/support/volatile.py`. tests/e2e/test_pictures.py runs the same
commands and compares the text, so a picture that shows what no longer is fails.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PICTURES = Path(__file__).with_name("pictures")

if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from tests.support.documented_home import DocumentedHome, DocumentedPorts  # noqa: E402
from tests.support.screen_picture import picture  # noqa: E402
from tests.support.terminal import Line, Screen, run  # noqa: E402
from tests.support.volatile import settled  # noqa: E402

COLUMNS, ROWS = 92, 60
_PROMPT = "\x1b[32m$\x1b[0m "


@dataclass(frozen=True, slots=True)
class Step:
    """A line typed at the prompt, the lines typed while it runs, and the exit code it ends with."""

    command: str
    typed: tuple[str, ...] = ()
    expect: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture. `unseen` steps run before it; those that follow a scene find what it has left."""

    name: str
    title: str
    shown: tuple[Step, ...]
    unseen: tuple[Step, ...] = ()


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
            screen = Screen(COLUMNS, ROWS)
            for step in scene.shown:
                screen.write(f"{_PROMPT}\x1b[1m{step.command}\x1b[0m\n{_output(home, step)}")
            shown[scene.name] = screen.lines()
    return shown


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
    titles = {scene.name: scene.title for scene in SCENES}
    return {f"{name}.svg": picture(lines, COLUMNS, titles[name]) for name, lines in screens().items()}


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
