"""Every shortcoming of the official tool has a test, or a reason; docs/upstream-shortcomings.md says so."""

import ast
import importlib.util
from functools import cache
from pathlib import Path

import pytest

from tests.parity.shortcomings import SHORTCOMINGS, Shortcoming

REPOSITORY = Path(__file__).parents[2]


@cache
def functions_of(file: str) -> frozenset[str]:
    """The names of all functions in a file below tests/."""
    tree = ast.parse((REPOSITORY / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def name_of(row: Shortcoming) -> str:
    return f"{row.command}: {row.upstream}"


@pytest.mark.parametrize("row", SHORTCOMINGS, ids=name_of)
def test_a_shortcoming_has_tests_that_are_there_or_says_why_it_stays(row: Shortcoming) -> None:
    assert row.tests or row.ours.startswith("not done, because "), "neither a test nor a reason"
    for test in row.tests:
        file, _, function = test.partition("::")
        assert function.startswith("test_"), test
        assert function in functions_of(file), f"{test} is not there"


def test_no_shortcoming_stands_twice() -> None:
    names = [name_of(row) for row in SHORTCOMINGS]
    assert sorted(names) == sorted(set(names))


def test_the_page_is_the_one_that_the_table_gives() -> None:
    path = REPOSITORY / "docs" / "generate_upstream_shortcomings.py"
    spec = importlib.util.spec_from_file_location("generate_upstream_shortcomings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = REPOSITORY / "docs" / "upstream-shortcomings.md"
    assert page.read_text(encoding="utf-8") == module.document(), (
        "run python docs/generate_upstream_shortcomings.py"
    )
