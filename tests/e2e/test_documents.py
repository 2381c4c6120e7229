"""Every block of code in README.md and docs does what its document says (tests/support/documents.py).

A document is one user's session: one home, and one cluster where a block starts it.
"""

from pathlib import Path

import pytest

from tests.support.documented_home import DocumentedPorts
from tests.support.documents import ROOT, Snippet, documents, snippets_of
from tests.support.snippet_run import DocumentRun, SnippetError

README = ROOT / "README.md"  # test_readme_tour.py runs it, and looks closer


def to_run(document: Path) -> list[Snippet]:
    """What there is to run or check in a document."""
    name = str(document.relative_to(ROOT))
    snippets = snippets_of(document.read_text(encoding="utf-8"), name)
    return [snippet for snippet in snippets if snippet.language != "text" or snippet.marks]


@pytest.mark.parametrize(
    "document",
    [document for document in documents() if document != README and "```" in document.read_text()],
    ids=lambda path: path.name,
)
def test_snippets_of_a_document_do_what_it_says(document: Path) -> None:
    snippets = to_run(document)
    with DocumentRun(snippets) as run:
        printed = {snippet.place: run.run(snippet) for snippet in snippets}
    assert list(printed) == [snippet.place for snippet in snippets]


# --- what runs them finds what is wrong ---------------------------------------------------------------------


def run(text: str) -> list[str]:
    snippets = snippets_of(text, "a.md")
    with DocumentRun(snippets) as document:
        return [document.run(snippet) for snippet in snippets]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```bash\nfalse\ntrue\n```\n", "failed: false"),
        ("```bash\nfalse | true\n```\n", "exit code 1"),
        ("```bash\necho $nothing\n```\n", "nothing: unbound variable"),
        ("```zsh\nfalse\ntrue\n```\n", "exit code 1"),
        ("```fish\nfalse\n```\n", "exit code 1"),
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("```python\nimport re\nre.compile('[[a]')\n```\n", "FutureWarning"),
        ('```json\n{"a": }\n```\n', "a.md:1"),
        ("```toml\na = \n```\n", "a.md:1"),
        ("```yaml\na: [\n```\n", "a.md:1"),
        ("```yaml\n# nothing\n```\n", "empty"),
        ("<!-- exit code: 3 -->\n```bash\ntrue\n```\n", "exit code 0"),
        ("<!-- then: test -e b -->\n```bash\ntouch a\n```\n", "exit code 1"),
        ("<!-- output of: echo b -->\n```text\na\n```\n", "not what is printed today"),
        ('<!-- output of: echo \'{"a": 2}\' -->\n```json\n{"a": 1}\n```\n', "not what is printed today"),
        ("<!-- input of: grep -q b -->\n```text\na\n```\n", "exit code 1"),
        ("<!-- until: grep -q never $OUTPUT -->\n```bash\necho a\n```\n", "goes on: False, exit code 0"),
        ("<!-- file: ../a -->\n```text\na\n```\n", "not in the working directory"),
    ],
)
def test_a_snippet_that_does_not_work_is_found_out(text: str, told: str) -> None:
    with pytest.raises(SnippetError) as caught:
        run(text)
    assert told in str(caught.value)


def test_snippets_share_files_and_what_they_print_has_nothing_of_this_run() -> None:
    text = (
        "<!-- file: a.yaml -->\n```yaml\na: 127.0.0.1:9003\n```\n"
        "```bash\ncat a.yaml | tee b; pwd\n```\n"
        "<!-- output of: cat b -->\n```text\na: 127.0.0.1:9003\n```\n"
        "<!-- exit code: 2 -->\n```bash\nexit 2\n```\n"
    )
    assert run(text)[1] == "a: 127.0.0.1:9003\n/home/you\n"


def test_what_goes_on_for_ever_is_ended_by_ctrl_c_once_it_works() -> None:
    text = "<!-- until: echo x >> in; grep -q x $OUTPUT -->\n```bash\ntouch in; tail -f in\n```\n"
    assert "x\n" in run(text)[0]


def test_each_documented_port_has_a_free_one_that_stands_for_it_both_ways() -> None:
    text = "curl 127.0.0.1:9100; fluvio -c localhost:9003; fluvio -c sc.example.com:9003 # 9100 records"
    ports = DocumentedPorts(text)
    here = ports.to_run(text)
    assert f"curl 127.0.0.1:{ports.free(9100)};" in here
    assert f"localhost:{ports.free(9003)};" in here
    assert here.endswith("sc.example.com:9003 # 9100 records"), "other hosts and numbers stay"
    assert ports.to_show(here) == text
    assert ports.free(9101) == ports.free(9100) + 1, "servers take the following ports"
    assert ports.free(9003) != 9003
