"""The note of an import, and what a topic has already."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from fluvio_cli.transfer.pieces import Columns, Piece
from fluvio_cli.transfer.places import parse_place
from fluvio_cli.transfer.resuming import StoredAlready
from fluvio_cli.transfer.settings import settings_of, spec_of
from fluvio_cli.transfer.state import ImportNote, ImportState, ImportStateError, Progress, note_path
from fluvio_protocol.api.topic import (
    CompressionAlgorithm,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
    TopicStorageConfig,
)


def test_a_note_comes_back_and_goes(tmp_path: Path) -> None:
    state = ImportState("h:1", "t", 10, "abc", True, {0: Progress(3, 7), 2: Progress(0, 1)})
    note = ImportNote(note_path(tmp_path / "file", "h:1", "t"))
    with note.held() as is_held:
        assert is_held
        assert note.load() is None
        note.save(state)
        note.save(state)
    assert note.load() == state
    with note.held():
        note.remove()
        note.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_note_is_held_by_one_and_an_empty_one_goes(tmp_path: Path) -> None:
    one, two = ImportNote(tmp_path / "note"), ImportNote(tmp_path / "note")
    with one.held() as first, two.held() as second:
        assert (first, second) == (True, False)
        one.save(ImportState("h:1", "t", 10, "abc", True, {}))
        with two.held() as second:
            assert not second, "also not the file that replaced the first one"
    with two.held() as second:
        assert second
        two.remove()
    with one.held():
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["[]", "{}", '{"partitions": {"0": [1]}}'])
def test_a_note_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "note"
    path.write_text(text)
    with pytest.raises(ImportStateError):
        ImportNote(path).load()


def test_notes_of_different_targets_have_different_places() -> None:
    places = {note_path(Path("f"), *target) for target in (("h:1", "t"), ("h:2", "t"), ("h:1", "u"))}
    assert len(places) == 3


def test_what_was_acknowledged_is_passed_over() -> None:
    stored = StoredAlready("t", {0: Progress(3, 10), 1: Progress(0, 0)}, with_times=False)
    values = [b"a", b"b"]

    def piece(partition: int) -> Piece:
        return Piece(partition, range(2), Columns([1, 1], [None, None], values))

    assert stored.rest_of(piece(0)) is None
    rest = stored.rest_of(piece(0))
    assert rest is not None
    assert rest.columns().values == [b"b"]
    assert stored.rest_of(piece(1)) == piece(1)
    stored.check()
    assert stored.landings()[0].next_offset == 10


class _Written:
    """A topic that gets a record between any two looks; of which none is read."""

    def __init__(self) -> None:
        self.end = 0

    def consumer(self, _config: Any) -> Any:
        return self

    async def open(self) -> Any:
        return self

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def next_batch(self) -> None: ...

    def positions(self) -> dict[int, int]:
        self.end += 1
        return {0: self.end}

    def abort(self) -> None: ...


def test_a_topic_that_others_go_on_writing_to_is_given_up() -> None:
    stored, topic = StoredAlready("t", {0: Progress(0, 0)}, with_times=False), _Written()
    with pytest.raises(ImportStateError, match="somebody else writes to `t`"):
        asyncio.run(stored.look(cast(Any, topic), 0.0, patience_s=0.0))
    assert topic.end == 4  # two looks at both ends of the partition


def test_settings_make_the_same_topic_again() -> None:
    spec = TopicSpec(
        replicas=TopicReplicaParam(partitions=3, replication_factor=2),
        cleanup_policy=SegmentBasedPolicy(time_in_seconds=60),
        storage=TopicStorageConfig(segment_size=1 << 20, max_partition_size=1 << 30),
        compression_type=CompressionAlgorithm.ZSTD,
    )
    assert spec_of(settings_of(spec, 3)) == spec
    plain = TopicSpec(replicas=TopicReplicaParam(partitions=1, replication_factor=1))
    assert spec_of(settings_of(plain, 1)) == plain


@pytest.mark.parametrize("settings", [None, {}, {"partitions": 1, "replication": 1, "compression": "best"}])
def test_other_settings_are_refused(settings: object) -> None:
    with pytest.raises(ValueError, match="settings of a topic"):
        spec_of(settings)


def test_a_place_is_a_profile_and_a_topic() -> None:
    assert parse_place("orders") == (None, "orders")
    assert parse_place("prod:orders") == ("prod", "orders")
    assert parse_place("a:b:orders") == ("a:b", "orders")
    assert parse_place("prod:") == ("prod", "")
    assert str(parse_place("prod:orders")) == "prod:orders"
