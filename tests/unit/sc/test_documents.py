"""Objects as files: the official engine's own, ours, and damaged ones."""

from pathlib import Path

import pytest

from fluvio_local_cluster.sc.model.documents import from_document, to_document
from fluvio_local_cluster.sc.model.objects import Kind
from fluvio_local_cluster.sc.model.topics import new_topic
from fluvio_local_cluster.sc.model.tree import DocumentError, Tagged
from fluvio_local_cluster.sc.yaml_format import parse, render
from tests.support.controllers import topic_spec

SAMPLES = Path(__file__).parent.parent.parent / "data" / "engine-metadata"
FILES = sorted(path for path in SAMPLES.rglob("*.yaml"))


def test_the_samples_are_there() -> None:
    assert len(FILES) == 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_official_file_is_written_back_byte_for_byte(path: Path) -> None:
    kind, text = Kind(path.parent.name), path.read_bytes()
    stored = from_document(kind, path.stem, parse(text))
    assert stored.unknown is None
    assert render(to_document(kind, stored, stored.meta.revision)) == text


def test_ours_lies_under_a_key_that_others_overlook() -> None:
    topic = new_topic("t", topic_spec())
    text = render(to_document(Kind.TOPIC, topic, 0))
    document = parse(text).value
    assert document["status"].pop("x-runtime") == {"incarnation": topic.runtime.incarnation}
    assert document == {
        "meta": {"id": "t", "revision": 0},
        "key": "t",
        "status": {"resolution": "Init", "replicaMap": {}, "mirrorMap": {}, "reason": ""},
        "spec": {
            "replicas": Tagged(
                "computed", {"partitions": 1, "replicationFactor": 1, "ignoreRackAssignment": False}
            ),
            "compressionType": "Any",
            "system": False,
        },
    }
    again = from_document(Kind.TOPIC, "t", parse(text))
    assert (again.spec, again.status, again.runtime) == (topic.spec, topic.status, topic.runtime)


def test_fields_of_a_later_version_survive_a_rewrite() -> None:
    text = (SAMPLES / "Topic" / "plain.yaml").read_text()
    text = text.replace("  system: false\n", "  system: false\n  future:\n    deep: [1, 2]\n")
    text = text.replace("  reason: ''\n", "  reason: ''\n  x-other: kept\n").replace(
        "key: plain\n", "key: plain\ntop: 1\n"
    )
    stored = from_document(Kind.TOPIC, "plain", parse(text))
    written = parse(render(to_document(Kind.TOPIC, stored, 9))).value
    assert written["spec"]["future"] == {"deep": [1, 2]}
    assert written["status"]["x-other"] == "kept"
    assert written["top"] == 1
    assert written["meta"]["revision"] == 9


def test_defaults_of_an_older_version_are_filled_in() -> None:
    text = "!1.0.0\nmeta: {id: t, revision: 0}\nkey: t\nspec:\n  replicas: !computed {partitions: 2}\n"
    stored = from_document(Kind.TOPIC, "t", parse(text))
    assert stored.spec == topic_spec(2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.replace("!1.0.0\n", ""), "no document with a format tag"),
        (lambda t: t.replace("!1.0.0", "!2.0.0"), "the format is 2.0.0"),
        (lambda t: t.replace("key: plain", "key: other"), "the file's key is `other`"),
        (lambda t: t.replace("revision: 3", "revision: x"), "`meta.revision`"),
        (lambda t: t.replace("partitions: 1", "partitions: -1"), "TopicSpec"),
        (lambda t: t.replace("partitions: 1", "partitions: 5000000000"), "TopicSpec"),
        (lambda t: t.replace("Provisioned", "Marvellous"), "`status.resolution`"),
        (lambda t: t[: t.index("spec:")], "`spec` is a NoneType"),
        (lambda t: "", "no document"),
    ],
)
def test_a_damaged_document_says_what_is_wrong(change, text: str) -> None:  # type: ignore[no-untyped-def]
    original = (SAMPLES / "Topic" / "plain.yaml").read_text()
    with pytest.raises(DocumentError, match=text):
        from_document(Kind.TOPIC, "plain", parse(change(original)))
