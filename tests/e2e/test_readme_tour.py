"""The tour in README.md does what it says, word for word, for a user whose home is empty."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fluvio_types import defaults
from tests.support.ports import is_free

README = Path(__file__).resolve().parents[2] / "README.md"
# The tour names no port, as no user would, so it needs the ones that a cluster takes by default.
DEFAULT_PORTS = (
    defaults.SC_PUBLIC_PORT,
    defaults.SC_PRIVATE_PORT,
    defaults.LOCAL_SPU_PUBLIC_PORT_BASE,
    defaults.LOCAL_SPU_PUBLIC_PORT_BASE + 1,
)


def tour() -> str:
    """The commands of the README, as they stand there."""
    blocks: list[str] = re.findall(
        r"^<!-- tests/e2e/test_readme_tour\.py .*-->\n```bash\n(.*?)^```$",
        README.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    (block,) = blocks
    return block


def test_tour_shows_what_the_issue_asks_for() -> None:
    wanted = ("cluster start", "topic create", "produce", "consume", "profile switch", "cluster shutdown")
    assert [words for words in wanted if f"fluvio {words}" not in tour()] == []


def test_tour_runs_from_start_to_end(empty_home: Path) -> None:
    taken = [port for port in DEFAULT_PORTS if not is_free(port)]
    if taken:
        reason = f"another program listens on the default ports {taken}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", tour()],
        env={"HOME": str(empty_home), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"},
        cwd=empty_home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
    assert done.returncode == 0, said
    lines = done.stdout.splitlines()
    with_keys = [line for line in lines if line.startswith(("[en]", "[fr]"))]
    assert sorted(with_keys) == ["[en] good night", "[en] hello", "[fr] bonjour"], said
    assert with_keys.index("[en] hello") < with_keys.index("[en] good night"), "the order of one key holds"
    after_resume = [line for line in lines if line in ("hello", "bonjour", "good night")]
    assert sorted(after_resume) == ["bonjour", "good night", "hello"], said
    assert any("greetings" in line for line in lines), "topic list"
    assert any(line.lstrip().startswith("*") and "local" in line for line in lines), "profile list"
    assert all(is_free(port) for port in DEFAULT_PORTS), "nothing of the cluster is left"
