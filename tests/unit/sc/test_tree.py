"""Structs as trees of metadata files, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_local_cluster.sc.model.tree import (
    DocumentError,
    Tagged,
    format_duration,
    from_tree,
    parse_duration,
    to_tree,
    unknown_parts,
    with_unknown_parts,
)
from fluvio_protocol.api.mirror import MirrorStatus
from fluvio_protocol.api.smartmodule import SmartModuleSpec, SmartModuleWasm
from fluvio_protocol.api.spu import EncryptionEnum, SpuStatus, SpuStatusResolution
from fluvio_protocol.api.topic import (
    CompressionAlgorithm,
    Duration,
    TopicReplicaParam,
    TopicResolution,
    TopicSpec,
)


@pytest.mark.parametrize(
    ("kind", "member", "word"),
    [
        (TopicResolution, TopicResolution.INSUFFICIENT_RESOURCES, "InsufficientResources"),
        (CompressionAlgorithm, CompressionAlgorithm.LZ4, "Lz4"),
        (EncryptionEnum, EncryptionEnum.PLAINTEXT, "PLAINTEXT"),
        (SpuStatusResolution, SpuStatusResolution.INIT, "Init"),
    ],
)
def test_enum_values_are_words(kind: type, member: object, word: str) -> None:
    assert to_tree(kind, member) == word
    assert from_tree(kind, word) is member


def test_the_wrong_sort_of_value_is_named_with_its_place() -> None:
    good = {"replicas": Tagged("computed", {"partitions": 1, "replicationFactor": 1}), "system": False}
    assert from_tree(TopicSpec, good, "spec").replicas == TopicReplicaParam()
    for change, text in (
        (
            {"replicas": Tagged("computed", {"partitions": "1"})},
            r"`spec.replicas.computed.partitions` is a str",
        ),
        ({"replicas": Tagged("computed", {"partitions": True})}, "is a boolean where a number is expected"),
        ({"replicas": Tagged("magic", {})}, "unknown tag `!magic`"),
        ({"replicas": 5}, "lacks the tag"),
        ({"compressionType": "Brotli"}, "`Brotli`, which is no CompressionAlgorithm"),
        ({"system": 1}, "`spec.system` is a int where a bool is expected"),
    ):
        with pytest.raises(DocumentError, match=text):
            from_tree(TopicSpec, good | change, "spec")
    with pytest.raises(DocumentError, match=r"`spec\.replicas` is missing"):
        from_tree(TopicSpec, {}, "spec")
    with pytest.raises(DocumentError, match="is a list where a dict is expected"):
        from_tree(SpuStatus, [], "status")


def test_payloads_are_base64() -> None:
    spec = SmartModuleSpec(wasm=SmartModuleWasm(payload=b"\x00asm"))
    tree = to_tree(SmartModuleSpec, spec)
    assert tree == {"meta": None, "wasm": {"format": "BINARY", "payload": "AGFzbQ=="}}
    assert from_tree(SmartModuleSpec, tree) == spec
    with pytest.raises(DocumentError, match="no base64"):
        from_tree(SmartModuleSpec, {"wasm": {"format": "BINARY", "payload": "?"}})


def test_a_failure_with_a_text_is_a_tag() -> None:
    tree = to_tree(MirrorStatus, MirrorStatus()) | {"pairingSc": Tagged("DetailFailure", "why")}
    status = from_tree(MirrorStatus, tree)
    assert status.pairing_sc.payload == ("why",)
    assert to_tree(MirrorStatus, status) == tree


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("5s", Duration(seconds=5)),
        ("1day 2h 3m 4s", Duration(seconds=93_784)),
        ("2days", Duration(seconds=172_800)),
        ("1ms 5us 7ns", Duration(seconds=0, nanos=1_005_007)),
        ("0s", Duration(seconds=0)),
    ],
)
def test_durations_are_written_as_upstream_writes_them(text: str, duration: Duration) -> None:
    assert format_duration(duration) == text
    assert parse_duration(text) == duration


@given(st.integers(0, 2**40), st.integers(0, 10**9 - 1))
def test_every_duration_comes_back(seconds: int, nanos: int) -> None:
    duration = Duration(seconds=seconds, nanos=nanos)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "5 parsecs", "s", "5s!"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_duration(text)


def test_unknown_parts_are_found_and_put_back() -> None:
    original = Tagged(
        "1.0.0",
        {"a": 1, "new": [1], "deep": {"x": 1, "y": {"z": 2}}, "list": [{"k": 1, "u": 2}], "none": None},
    )
    known = Tagged("1.0.0", {"a": 1, "deep": {"x": 1}, "list": [{"k": 1}]})
    unknown = unknown_parts(original, known)
    changed = Tagged("1.0.0", {"a": 9, "deep": {"x": 2}, "list": [{"k": 3}]})
    assert with_unknown_parts(changed, unknown).value == {
        "a": 9,
        "new": [1],
        "deep": {"x": 2, "y": {"z": 2}},
        "list": [{"k": 3, "u": 2}],
    }
    assert unknown_parts(known, known) is None


def test_unknown_parts_of_another_variant_are_dropped() -> None:
    unknown = unknown_parts(Tagged("a", {"x": 1}), Tagged("a", {}))
    assert with_unknown_parts(Tagged("b", {}), unknown) == Tagged("b", {})
