"""What may come next on a line, from the tree and a source of names."""

from collections.abc import Sequence

import pytest

from fluvio_completions.engine import complete, root_options
from fluvio_completions.entry import split_line
from fluvio_completions.tree import TREE

NAMES = {"topic": ["alpha", "beta"], "profile": ["local", "prod"], "consumer": ["audit"], "spu": ["5001"]}


def names(kind: str) -> Sequence[str]:
    return NAMES.get(kind, ())


def values(*words: str) -> list[str]:
    return [candidate.value for candidate in complete(TREE, words, names).candidates]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("topic", "d"), ["delete", "describe", "diff"]),
        (("topic", "delete", "a"), ["alpha"]),
        (("topic", "delete", "alpha", ""), ["alpha", "beta"]),  # it takes several
        (("topic", "describe", "alpha", ""), []),  # it takes one
        (("consume", ""), ["alpha", "beta"]),
        (("consume", "--", "b"), ["beta"]),
        (
            ("consume", "-O", ""),
            ["dynamic", "text", "binary", "json", "raw", "table", "full-table", "ndjson"],
        ),
        (("consume", "-dO", "j"), ["json"]),
        (("topic", "list", "--output=j"), ["--output=json"]),
        (("consume", "-c", ""), ["audit"]),
        (("-P", "p"), ["prod"]),
        (("-P", "prod", "topic", "cr"), ["create"]),
        (("--profile=prod", "topic", "cr"), ["create"]),
        (("profile", "switch", ""), ["local", "prod"]),
        (("produce", "alpha", "--compression", "g"), ["gzip"]),
        (("topic", "list", "--qu"), ["--quiet"]),
        (("topic", "list", "-O", "json", "--ou"), []),  # it may come once
        (("topic", "list", "-"), ["--output", "--system", "--quiet", "--verbose", "--timeout", "--help"]),
        (("nonsense", "x"), []),
        ((), None),
        (("cluster", "spu", ""), ["register", "unregister", "list"]),
        (("tf", "l"), ["list"]),  # a hidden name of `table-format`
        (("bench", "producer", "--rec"), ["--record-key-allocation-strategy", "--record-size"]),
        (("-c", ""), []),
    ],
)
def test_what_fits_is_offered(words: tuple[str, ...], wanted: list[str] | None) -> None:
    found = values(*words)
    assert found == wanted if wanted is not None else {"topic", "consume", "cluster"} <= set(found)


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (("produce", "alpha", "-f", ""), "file"),
        (("produce", "alpha", "--file=x"), "file"),
        (("cluster", "start", "--data-dir", ""), "directory"),
        (("--ca-cert", ""), "file"),
        (("produce", "alpha", "--key", ""), None),
    ],
)
def test_paths_are_the_shells_to_offer(words: tuple[str, ...], paths: str | None) -> None:
    answer = complete(TREE, words, names)
    assert (answer.paths, answer.candidates) == (paths, ())


def test_hidden_commands_are_not_offered() -> None:
    assert not any(name.startswith("_") or name == "metadata" for name in values(""))
    assert "stop" not in values("cluster", "")


def test_the_cluster_that_a_line_means_is_known() -> None:
    words = ["-P", "prod", "--tls", "--domain=x", "topic", "delete", "-c", "y", ""]
    assert root_options(TREE, words) == {"--profile": "prod", "--domain": "x"}
    assert root_options(TREE, ["-c", "h:9003", "consume", ""]) == {"--cluster": "h:9003"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fluvio topic de", ["topic", "de"]),
        ("fluvio topic ", ["topic", ""]),
        ("fluvio consume 'my to", ["consume", "my to"]),
        ('fluvio consume "a\\"b" -', ["consume", 'a"b', "-"]),
        ("fluvio a\\ b", ["a b"]),
        ("echo x | fluvio produce a", ["produce", "a"]),
        ("make; fluvio topic", ["topic"]),
        ("fluvio '' x", ["", "x"]),
        ("fluvio", ["fluvio"]),
    ],
)
def test_a_line_of_bash_is_split_as_bash_would(line: str, words: list[str]) -> None:
    assert split_line(line)[0] == words
