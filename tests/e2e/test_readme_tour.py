"""README.md does what it says, word for word, for a user whose home is empty."""

from collections.abc import Iterator

import pytest

from fluvio_types import defaults
from tests.support.documents import ROOT, snippets_of
from tests.support.ports import is_free
from tests.support.snippet_run import DocumentRun

README = ROOT / "README.md"
SNIPPETS = snippets_of(README.read_text(encoding="utf-8"), README.name)
(TOUR,) = (snippet for snippet in SNIPPETS if "fluvio cluster start\n" in snippet.text)
DEFAULT_PORTS = (
    defaults.SC_PUBLIC_PORT,
    defaults.SC_PRIVATE_PORT,
    defaults.LOCAL_SPU_PUBLIC_PORT_BASE,
    defaults.LOCAL_SPU_PUBLIC_PORT_BASE + 1,
)


@pytest.fixture(scope="module")
def printed() -> Iterator[dict[str, str]]:
    """What each block of the README prints, by its place; run with the default ports if they are free."""
    with DocumentRun(SNIPPETS, default_ports=True) as run:
        found = {snippet.place: run.run(snippet) for snippet in SNIPPETS}
        ports = [run.ports.free(port) for port in DEFAULT_PORTS]
    yield found
    assert all(is_free(port) for port in ports), "nothing of the cluster is left"


def test_tour_shows_what_the_issue_asks_for() -> None:
    wanted = ("cluster start", "topic create", "produce", "consume", "profile switch", "cluster shutdown")
    assert [words for words in wanted if f"fluvio {words}" not in TOUR.text] == []


def test_records_of_the_tour_come_back_in_the_order_of_their_keys(printed: dict[str, str]) -> None:
    lines = printed[TOUR.place].splitlines()
    with_keys = [line for line in lines if line.startswith(("[en]", "[fr]"))]
    assert sorted(with_keys) == ["[en] good night", "[en] hello", "[fr] bonjour"], lines
    assert with_keys.index("[en] hello") < with_keys.index("[en] good night"), "the order of one key holds"


def test_records_of_the_tour_are_there_after_the_cluster_was_shut_down(printed: dict[str, str]) -> None:
    lines = printed[TOUR.place].splitlines()
    after_resume = [line for line in lines if line in ("hello", "bonjour", "good night")]
    assert sorted(after_resume) == ["bonjour", "good night", "hello"], lines


def test_lists_of_the_tour_have_its_topic_and_the_local_profile(printed: dict[str, str]) -> None:
    lines = printed[TOUR.place].splitlines()
    assert any("greetings" in line and "computed" in line for line in lines), "topic list"
    assert any(line.lstrip().startswith("*") and "local" in line for line in lines), "profile list"


def test_python_of_the_readme_prints_what_it_sent(printed: dict[str, str]) -> None:
    (block,) = (snippet for snippet in SNIPPETS if snippet.language == "python")
    assert printed[block.place] == "0 one\n1 two\n2 three\n"
