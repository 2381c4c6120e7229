"""docs/cli.md and the man pages say what `--help` says, and every command shows how it is used."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from fluvio_cli import app
from fluvio_cli.command import Command
from fluvio_cli.command_table import ROOT, Group, Leaf

DOCS = Path(__file__).parents[3] / "docs"
MACROS = {"TH", "SH", "SS", "PP", "TP", "B", "BR", "br", "RS", "RE", "nf", "fi"}


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cli_reference", DOCS / "generate_cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(group: Group, path: str = "fluvio") -> Iterator[tuple[str, Leaf]]:
    for name, member in group.members.items():
        if member.hidden:
            continue
        if isinstance(member, Group):
            yield from commands(member, f"{path} {name}")
        elif not member.parameterless:
            yield f"{path} {name}", member


def test_the_documents_are_up_to_date(reference: ModuleType) -> None:
    assert reference.main(["--check"]) == 0, "run `python docs/generate_cli_reference.py`"


def test_every_command_and_option_is_in_them(reference: ModuleType) -> None:
    text, pages = reference.document(), "".join(reference.pages().values())
    for path, leaf in commands(ROOT):
        assert f"`{path}`" in text
        for parameter in Command(path, app.imported(leaf.target)).parameters:
            if parameter.long_flag is not None and not parameter.hidden:
                assert parameter.long_flag in text
                assert parameter.long_flag.replace("-", r"\-") in pages


def test_pages_use_known_macros_only_and_escape_the_rest(reference: ModuleType) -> None:
    for name, page in reference.pages().items():
        assert page.startswith(".TH FLUVIO")
        used = set(re.findall(r"^\.(\S+)", page, re.M))
        assert used <= MACROS, name
        assert not re.search(r"(?<!\\)-", re.sub(r"^\.TH.*$", "", page, flags=re.M)), name


@pytest.mark.parametrize(("path", "leaf"), list(commands(ROOT)))
def test_every_command_shows_an_example_that_it_understands(path: str, leaf: Leaf) -> None:
    examples = Command(path, app.imported(leaf.target)).rules.examples
    assert examples
    assert any(path.split()[1] in line for _, line in examples)
