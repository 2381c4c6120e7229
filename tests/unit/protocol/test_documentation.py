"""docs/protocol.md says what the declarations say, and has every section that the code points to."""

import importlib.util
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
DOCUMENT = REPOSITORY / "docs" / "protocol.md"
ROOMS = ("fluvio_*", "profiles", "installer", "local_cluster", "completions")
POINTER = re.compile(r'docs/protocol\.md,\s+((?:"[^"]+"(?:,? and |, )?)+)')


def generator():
    path = REPOSITORY / "docs" / "generate_protocol_tables.py"
    spec = importlib.util.spec_from_file_location("generate_protocol_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_declarations():
    document = DOCUMENT.read_text()
    assert generator().with_current_tables(document) == document, (
        "run python docs/generate_protocol_tables.py"
    )


def test_every_declared_struct_and_number_is_documented():
    assert generator().undocumented(DOCUMENT.read_text()) == []


def test_every_section_that_the_code_points_to_exists():
    headings = set(re.findall(r"^#+ (.+)$", DOCUMENT.read_text(), re.MULTILINE))
    pointed = {}
    for room in ROOMS:
        for path in REPOSITORY.glob(f"{room}/**/*.py"):
            for names in POINTER.findall(path.read_text()):
                pointed |= dict.fromkeys(re.findall(r'"([^"]+)"', names), path.name)
    assert len(pointed) > 20
    assert {name: path for name, path in pointed.items() if name not in headings} == {}
