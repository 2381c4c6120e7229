"""docs/cli-parity.md says what the comparison finds."""

import importlib.util
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def generator():
    path = REPOSITORY / "docs" / "generate_cli_parity.py"
    spec = importlib.util.spec_from_file_location("generate_cli_parity", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_the_one_that_the_comparison_gives():
    page = REPOSITORY / "docs" / "cli-parity.md"
    assert page.read_text(encoding="utf-8") == generator().document(), (
        "run python docs/generate_cli_parity.py"
    )
