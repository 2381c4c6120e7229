"""Rules of the repository as a whole: where things lie, how long modules are, what a command may load."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOM_FOLDERS = (
    "fluvio_cli",
    "fluvio_client",
    "fluvio_protocol",
    "fluvio_types",
    "profiles/fluvio_profiles",
    "installer/fluvio_installer",
    "completions/fluvio_completions",
    "local_cluster/fluvio_local_cluster",
)
TOP_FOLDERS = {*(folder.split("/")[0] for folder in ROOM_FOLDERS), "tests", "docs", ".ci"}
MODULE_LINES = 600  # more needs a reason
# Of the user's machine, or of whoever works on this repository: neither is in a stranger's clone.
FOREIGN_PLACES = re.compile(r"(?<![\w.])shared/(?:spec|README|style|hooks)|\.library\b|/work/(?:main|shared)")
HEAVY_MODULES = (
    "asyncio",
    "rich",
    "textual",
    "httpx",
    "yaml",
    "cramjam",
    "cryptography",
    "psutil",
    "ssl",
    "pydantic",
    "fluvio_client",
)


def tracked_files() -> list[Path]:
    """What a clone holds, without what lies in the working tree uncommitted."""
    # safe.directory: the clone may belong to another user, as in containers
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def room_modules() -> list[Path]:
    return sorted(module for folder in ROOM_FOLDERS for module in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


requires_clone = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone: no list of files")


@requires_clone
def test_top_level_folders_are_the_agreed_ones() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked_files() if path.parent != ROOT}
    assert folders <= TOP_FOLDERS | {".github"}, "a new room needs a decision in docs/decisions"


@requires_clone
def test_no_file_points_to_a_place_that_a_clone_lacks() -> None:
    pointing = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        if path != Path(__file__).resolve() and (found := FOREIGN_PLACES.search(text)):
            pointing.append(f"{named(path)}: {found.group()}")
    assert pointing == []


def written_by_hand() -> list[Path]:
    """Without tables that a script writes: a test compares each of them with what it is made from."""
    return [module for module in room_modules() if "docs/generate_" not in module.read_text()[:500]]


@pytest.mark.parametrize("module", written_by_hand(), ids=named)
def test_module_is_short_enough_to_read(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("module", room_modules(), ids=named)
def test_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text())), "begin with a docstring"


def test_every_package_has_an_init_module() -> None:
    folders = {module.parent for module in room_modules()}
    assert [named(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_every_room_is_built_typed_checked_and_layered() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    names = {Path(folder).name for folder in ROOM_FOLDERS}
    assert set(settings["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(ROOM_FOLDERS)
    assert set(settings["mypy"]["packages"]) == names
    assert set(settings["importlinter"]["root_packages"]) == names
    layers = settings["importlinter"]["contracts"][0]["layers"]
    layered = {word.split(".")[0] for layer in layers for word in layer.split(" | ")}
    assert layered == names
    assert [name for name in ROOM_FOLDERS if not (ROOT / name / "py.typed").is_file()] == []


def test_commands_that_the_documents_name_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in (ROOT / "README.md", ROOT / "docs/development.md", ROOT / ".ci/run"):
        named_targets = set(re.findall(r"\bmake ([a-z][a-z0-9-]*)\b", _code(document)))
        assert named_targets <= targets, document.name
    assert {"demo", "test"} <= set(re.findall(r"\bmake ([a-z]+)", _code(ROOT / "README.md")))


def _code(document: Path) -> str:
    """The text between backticks, or all of a script."""
    text = document.read_text()
    if document.suffix != ".md":
        return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


DOCUMENTED = ROOT / "docs/architecture.md"
LOCAL_ROOMS = ("lifecycle", "net", "sc", "spu", "storage")


def test_files_that_the_architecture_names_exist() -> None:
    names = re.findall(
        r"`((?:fluvio_|tests|profiles|local_cluster|docs)[\w/.]*/[\w/.]+)`", DOCUMENTED.read_text()
    )
    assert names, "the text names files"
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_functions_that_the_architecture_names_exist() -> None:
    rooms = "|".join([*LOCAL_ROOMS, r"fluvio_\w+"])
    names = re.findall(rf"`((?:{rooms})(?:\.\w+)+)`", DOCUMENTED.read_text())
    assert len(names) > 10, "the text names functions"
    assert [name for name in names if not leads_somewhere(name)] == []


def leads_somewhere(dotted: str) -> bool:
    """Whether `room.module.Class.method` can be imported and looked up; a local room needs no prefix."""
    words = dotted.split(".")
    if words[0] in LOCAL_ROOMS:
        words.insert(0, "fluvio_local_cluster")
    place: object = None
    for count, word in enumerate(words):
        if place is not None and hasattr(place, word):
            place = getattr(place, word)
            continue
        try:
            place = importlib.import_module(".".join(words[: count + 1]))
        except ModuleNotFoundError:
            return False
    return True


SLEEPERS = {("time", "sleep"), ("asyncio", "sleep"), ("trio", "sleep"), ("anyio", "sleep")}


def sleeps_to_wait(module: Path) -> list[str]:
    """Calls that wait for time to pass; `asyncio.sleep(0)` only lets other tasks run, and is no wait."""
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in {name for name, _ in SLEEPERS}:
            found += [f"{named(module)}:{node.lineno}" for name in node.names if name.name == "sleep"]
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        yields_only = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        if isinstance(owner, ast.Name) and (owner.id, node.func.attr) in SLEEPERS and not yields_only:
            found.append(f"{named(module)}:{node.lineno}")
    return found


def test_no_test_sleeps_to_wait_for_something() -> None:
    # The soak is no test: it sends so many records a second, and restarts at times that its seed draws.
    modules = sorted(set((ROOT / "tests").rglob("*.py")) - set((ROOT / "tests" / "soak").rglob("*.py")))
    assert [place for module in modules for place in sleeps_to_wait(module)] == []


def test_sleeping_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    module = tmp_path / "test_slow.py"
    module.write_text(
        "import time\nfrom time import sleep\ntime.sleep(1)\nasyncio.sleep(0)\nasyncio.sleep(0.1)\n"
    )
    assert sleeps_to_wait(module) == ["test_slow.py:2", "test_slow.py:3", "test_slow.py:5"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["profile"],
        ["profile", "list"],
        ["profile", "switch", "other"],
        ["topic", "--help"],
        ["cluster", "start", "--help"],
    ],
    ids=" ".join,
)
def test_command_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    loaded = modules_loaded_by(arguments, home=tmp_path)
    assert "fluvio_cli" in loaded, "the command itself ran"
    assert [name for name in HEAVY_MODULES if name in loaded] == []


def test_reports_for_ci_cost_nothing_where_none_are_wished() -> None:
    script = (
        "import io, sys\n"
        "from fluvio_cli.app import run\n"
        "from fluvio_cli.output.printer import Printer\n"
        "from fluvio_cli.commands import consume, produce\n"
        "from fluvio_cli.commands.topic import list as topics\n"
        "Printer(io.StringIO(), io.StringIO(), {}).error('x')\n"
        "costly = ('fluvio_cli.reports', 'fluvio_cli.diagnostics')\n"
        "print([name for name in sys.modules if name.startswith(costly)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def modules_loaded_by(arguments: list[str], home: Path) -> set[str]:
    """Names of all modules that one invocation of `fluvio` imports, with two profiles in its home."""
    config = home / ".fluvio" / "config"
    config.parent.mkdir()
    config.write_text(
        'version = "2.0"\ncurrent_profile = "one"\n'
        '[profile.one]\ncluster = "one"\n[profile.other]\ncluster = "other"\n'
        '[cluster.one]\nendpoint = "127.0.0.1:9003"\n[cluster.one.tls]\ntls_policy = "disabled"\n'
        '[cluster.other]\nendpoint = "127.0.0.1:9103"\n[cluster.other.tls]\ntls_policy = "disabled"\n'
    )
    config.chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fluvio_cli", *arguments],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = re.findall(r"^import time:.*\|\s+(\S+)$", done.stderr, re.MULTILINE)
    return set(loaded)
