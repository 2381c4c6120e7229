"""Blocks of documents: which there may be, how they are marked, and that commands in them are commands."""

import re
from pathlib import Path

import pytest

from fluvio_cli.grammar import UsageProblem
from tests.support.command_lines import check, command_lines
from tests.support.documents import ROOT, DocumentError, documents, snippets_of, unused_files

DOCUMENTS = documents()


def in_document(text: str) -> list[tuple[str, str, dict[str, str]]]:
    return [(snippet.language, snippet.text, snippet.marks) for snippet in snippets_of(text, "a.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_of_the_document_are_run_or_say_why_not(document: Path) -> None:
    snippets = snippets_of(document.read_text(encoding="utf-8"), document.name)
    assert unused_files(snippets) == []
    for snippet in snippets:
        if "not run" in snippet.marks:
            assert len(snippet.marks["not run"]) >= 15, f"{snippet.place}: that is no reason"
            for words in command_lines(snippet.text):
                check(words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_document_lead_to_files(document: Path) -> None:
    text = re.sub(r"```.*?^```$|`[^`\n]*`", "", document.read_text(encoding="utf-8"), flags=re.S | re.M)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    inside = [target for target in targets if target and "://" not in target]
    assert [target for target in inside if not (document.parent / target).exists()] == []


def test_some_block_of_every_kind_is_run() -> None:
    found = [snippet for path in DOCUMENTS for snippet in snippets_of(path.read_text(), path.name)]
    run = [snippet for snippet in found if "not run" not in snippet.marks]
    languages = {"bash", "zsh", "fish", "python", "yaml", "json", "javascript", "rust", "go", "java"}
    assert languages <= {snippet.language for snippet in run}
    assert {snippet.marks.get("needs") for snippet in run} >= {"rust", "node", "go", "java"}
    commands = [snippet for snippet in found if snippet.is_shell]
    assert sum("not run" in snippet.marks for snippet in commands) < len(commands) / 5


def test_a_block_has_the_marks_above_it_and_no_others() -> None:
    text = (
        "<!-- first: one -->\n```bash\na\n```\n\n<!-- not a mark of ours -->\n<!-- first: two\nlines -->\n\n"
        "<!-- then: three -->\n```bash\nb\n\nc\n```\ntext\n\n~~~text\n```\n~~~\n"
    )
    assert in_document(text) == [
        ("bash", "a\n", {"first": "one"}),
        ("bash", "b\n\nc\n", {"first": "two\nlines", "then": "three"}),
        ("text", "```\n", {}),
    ]


def test_a_block_in_a_list_has_no_more_indentation_than_its_list() -> None:
    assert in_document("- item\n\n  ```json\n  {\n    }\n  ```\n\n      goes on\n") == [
        ("json", "{\n  }\n", {})
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```bash\na\n", "does not end"),
        ("```\na\n```\n", "language ``"),
        ("```cobol\na\n```\n", "language `cobol`"),
        ("```rust\na\n```\n", "`rust` is the language of files"),
        ("<!-- input of: cat -->\n```go\na\n```\n", "`go` is the language of files"),
        ("<!-- needs: cobol -->\n```bash\na\n```\n", "no toolchain `cobol`"),
        ("<!-- needs: rust -->\n```json\n{}\n```\n", "only a shell's block"),
        ("text\n\n    fluvio topic list\n", "a.md:3: an indented block"),
        ("```text\n  fluvio topic list\n```\n", "commands in a block of text"),
        ("```text\n$ ls\n```\n", "commands in a block of text"),
        ("<!-- not run: -->\n```bash\na\n```\n", "unknown, empty or there twice"),
        ("<!-- not-run: x -->\n```cobol\na\n```\n", "language `cobol`"),
        ("<!-- frist: x -->\n```bash\na\n```\n", "`frist` is unknown"),
        ("<!-- first: x -->\n<!-- first: y -->\n```bash\na\n```\n", "there twice"),
        ("<!-- not run: reason -->\n<!-- first: x -->\n```bash\na\n```\n", "no other mark"),
        ("<!-- then: x -->\n```yaml\na: 1\n```\n", "only a shell's block"),
        ("<!-- file: x -->\n```bash\na\n```\n", "neither a file nor output"),
    ],
)
def test_what_would_not_be_tested_is_refused(text: str, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        snippets_of(text, "a.md")


def test_any_language_may_say_why_it_is_not_run() -> None:
    assert in_document("<!-- not run: no compiler here -->\n```rust\na\n```\n") == [
        ("rust", "a\n", {"not run": "no compiler here"})
    ]


def test_a_file_is_given_to_a_command_or_found_by_a_toolchain() -> None:
    files = "".join(
        f"<!-- file: {name} -->\n```text\na\n```\n" for name in ("Cargo.toml", "tests/a.rs", "b", "c", "d.rs")
    )
    snippets = snippets_of(files + "<!-- then: cat c -->\n```bash\ncat b\n```\n", "a.md")
    assert unused_files(snippets) == ["Cargo.toml", "tests/a.rs", "d.rs"]
    snippets += snippets_of("<!-- needs: rust -->\n```bash\ncargo test\n```\n", "a.md")
    assert unused_files(snippets) == ["d.rs"]


def test_commands_are_found_in_a_script_and_read_by_their_grammar() -> None:
    script = (
        "cat x | fluvio produce my-topic -f 'a b' > out # fluvio nothing\n"
        'echo "$(fluvio profile)"; if fluvio -P p topic list; then flv cluster status; fi\nfluvioo x\n'
    )
    found = list(command_lines(script))
    assert found == [
        ["produce", "my-topic", "-f", "a b"],
        ["-P", "p", "topic", "list"],
        ["cluster", "status"],
    ]
    for words in found:
        check(words)


@pytest.mark.parametrize(
    "words",
    [["topics"], ["topic", "lst"], ["topic", "list", "--nope"], ["consume"], ["cluster", "start", "x"]],
)
def test_what_is_no_command_is_found_out(words: list[str]) -> None:
    with pytest.raises(UsageProblem):
        check(words)
