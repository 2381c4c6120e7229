"""Each failure has a name that does not change, a kind, and a text that says what to do."""

import importlib.util
from pathlib import Path

import pytest

from fluvio_cli.explanations import BY_NAME, EXIT_CODES, explanation_of
from fluvio_cli.failures import EXIT_CODES as CODES_OF_KINDS
from fluvio_protocol.error_code import ErrorCode, ErrorKind, exception_for
from fluvio_types.errors import FluvioError, slug_of
from tests.support.failure_classes import failure_classes, kinds_by_name

DOCS = Path(__file__).parents[3] / "docs"
# What a sample of names says: programs compare them, so they may not follow the name of a class that changes.
STABLE = {
    "connection-failed": 4,
    "connection-lost": 4,
    "handshake": 4,
    "response-timeout": 5,
    "command-timeout": 5,
    "leader-unavailable": 6,
    "incompatible-server": 7,
    "topic-not-found": 3,
    "topic-already-exists": 1,
    "topic-not-provisioned": 5,
    "partition-not-found": 3,
    "spu-not-found": 3,
    "offset-evicted": 1,
    "partition-full": 1,
    "config-missing": 3,
    "config-broken": 1,
    "profile-not-found": 3,
    "profile-unknown": 3,
    "no-active-profile": 3,
    "no-local-cluster": 3,
    "preflight": 1,
    "not-supported-yet": 1,
    "usage": 2,
}


def test_every_failure_of_a_command_is_explained_and_nothing_else() -> None:
    names = {slug_of(kind) for kind in failure_classes()} | {"failed", "system-error", "bug", "other"}
    assert names == set(BY_NAME)


@pytest.mark.parametrize(
    "kind", [kind for kind in ErrorKind if kind is not ErrorKind.NONE], ids=lambda kind: kind.name.lower()
)
def test_every_code_of_the_protocol_is_explained(kind: ErrorKind) -> None:
    payload = {ErrorKind.OFFSET_EVICTED: (3, 7), ErrorKind.OTHER: ("text",)}.get(kind, ())
    code = ErrorCode.__new__(ErrorCode)
    code.kind, code.payload = kind, payload
    error = exception_for(code, "text")
    assert explanation_of(error.slug) is not None
    assert (error.kind == "not-found") == (
        kind.name.endswith("_NOT_FOUND") or kind is ErrorKind.TOPIC_DELETED
    )


def test_names_and_exit_codes_are_the_ones_that_programs_know() -> None:
    kinds = kinds_by_name()
    assert {name: CODES_OF_KINDS[kinds[name]] for name in STABLE} == STABLE  # type: ignore[index]


def test_every_exit_code_is_explained() -> None:
    assert set(EXIT_CODES) == {0, 1, 2, 3, 4, 5, 6, 7, 8, 70, 130}
    assert {kind: code for code, (kind, _) in EXIT_CODES.items() if kind in CODES_OF_KINDS} == CODES_OF_KINDS


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_texts_are_sentences(name: str) -> None:
    entry = BY_NAME[name]
    assert entry.meaning[0].isupper()
    assert entry.meaning.endswith(".")
    assert all(line and not line.endswith(".") for line in (*entry.causes, *entry.steps))


def test_an_unknown_name_has_no_explanation() -> None:
    assert explanation_of("nonsense") is None
    assert explanation_of("") is None


def test_the_document_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("exit_codes", DOCS / "generate_exit_codes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.document() == (DOCS / "exit-codes.md").read_text(encoding="utf-8"), (
        "run `python docs/generate_exit_codes.py`"
    )


def test_the_name_of_a_failure_is_that_of_its_class() -> None:
    class SPULostError(FluvioError):
        pass

    class TopicGoneError(FluvioError):
        pass

    assert TopicGoneError("x").slug == "topic-gone"
    assert SPULostError("x").slug == "s-p-u-lost"
