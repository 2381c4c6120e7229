"""The metadata directory: what was written lasts, what is damaged hides nothing, one process at a time."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from fluvio_local_cluster.sc.model.objects import Kind
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.topics import new_topic, provision
from fluvio_local_cluster.sc.model.validation import Refusal, check_new_topic
from fluvio_local_cluster.sc.server import load_cluster
from fluvio_local_cluster.sc.store import (
    FileCalls,
    MetadataDirectory,
    MetadataError,
    MetadataWriteError,
)
from fluvio_local_cluster.sc.yaml_format import parse
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import TopicResolution
from tests.support.controllers import topic_spec
from tests.unit.sc.factories import cluster_of, partition

SAMPLES = Path(__file__).parent.parent.parent / "data" / "engine-metadata"


def topic(name: str, partitions: int = 1):  # type: ignore[no-untyped-def]
    return new_topic(name, topic_spec(partitions))


def loaded_keys(path: Path) -> list[str]:
    directory = MetadataDirectory.open(path)
    try:
        return [stored.key for _, stored in directory.load().objects]
    finally:
        directory.close()


class Crash(BaseException):
    """The process dies here."""


def test_what_was_written_is_loaded(tmp_path: Path) -> None:
    directory = MetadataDirectory.open(tmp_path / "new" / "dir")
    directory.write([(Kind.TOPIC, topic("a"), 0), (Kind.PARTITION, partition("a-0", 1), 0)])
    directory.close()
    assert loaded_keys(tmp_path / "new" / "dir") == ["a", "a-0"]


def test_a_write_ends_with_fsync_of_the_file_and_then_of_its_directory(tmp_path: Path) -> None:
    steps: list[str] = []

    def fsync(descriptor: int) -> None:
        steps.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")

    def replace(source: Path, target: Path) -> None:
        steps.append(f"replace {target.name}")
        os.replace(source, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to name a descriptor")
    directory = MetadataDirectory.open(tmp_path, FileCalls(fsync, replace))
    directory.write([(Kind.TOPIC, topic("a"), 0), (Kind.TOPIC, topic("b"), 0)])
    assert steps == [
        f"fsync {tmp_path.name}",  # the new directory of the kind
        "fsync .a.yaml.tmp",
        "fsync .b.yaml.tmp",
        "replace a.yaml",
        "replace b.yaml",
        "fsync Topic",
    ]
    steps.clear()
    directory.remove([(Kind.PARTITION, "a-0"), (Kind.TOPIC, "a")])
    assert steps == ["fsync Topic"]


@pytest.mark.parametrize("when", ["fsync", "replace"])
def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path: Path, when: str) -> None:
    def crash(*_: object) -> None:
        raise Crash

    directory = MetadataDirectory.open(tmp_path)
    directory.write([(Kind.TOPIC, topic("a"), 0)])
    before = (tmp_path / "Topic" / "a.yaml").read_bytes()
    directory.close()
    calls = FileCalls(**{when: crash})  # type: ignore[arg-type]
    dying = MetadataDirectory.open(tmp_path, calls)
    with pytest.raises(Crash):
        dying.write([(Kind.TOPIC, topic("a", 7), 1)])
    dying.close()
    assert (tmp_path / "Topic" / "a.yaml").read_bytes() == before
    assert loaded_keys(tmp_path) == ["a"]
    assert [path.name for path in (tmp_path / "Topic").iterdir()] == ["a.yaml"]


def test_a_full_disk_takes_back_what_was_new_and_keeps_what_was_there(tmp_path: Path) -> None:
    directory = MetadataDirectory.open(tmp_path)
    directory.write([(Kind.TOPIC, topic("old"), 0)])
    directory.close()

    syncs = 0

    def full(descriptor: int) -> None:
        nonlocal syncs
        syncs += 1
        if syncs > 2:  # the topic's file and its directory are through
            raise OSError(errno.ENOSPC, "No space left on device")

    directory = MetadataDirectory.open(tmp_path, FileCalls(fsync=full))
    with pytest.raises(MetadataWriteError, match="storing metadata failed: No space left on device"):
        directory.write([(Kind.TOPIC, topic("x"), 0), (Kind.PARTITION, partition("x-0", 1), 0)])
    directory.close()
    assert loaded_keys(tmp_path) == ["old"]


def test_two_controllers_never_share_a_directory(tmp_path: Path) -> None:
    first = MetadataDirectory.open(tmp_path)
    with pytest.raises(MetadataError, match=f"in use by another controller \\(process {os.getpid()}\\)"):
        MetadataDirectory.open(tmp_path)
    first.close()
    MetadataDirectory.open(tmp_path).close()


def test_a_path_that_is_no_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MetadataError, match="cannot be used"):
        MetadataDirectory.open(tmp_path / "file")


def test_the_cluster_id_stays_and_another_is_refused(tmp_path: Path) -> None:
    directory = MetadataDirectory.open(tmp_path)
    first = directory.cluster_id()
    assert directory.cluster_id() == first
    assert directory.cluster_id(first) == first
    with pytest.raises(MetadataError, match=f"belongs to the cluster {first}, not to other"):
        directory.cluster_id("other")


@pytest.mark.parametrize("damage", [b"", b"!1.0.0\nmeta:", b"\x00" * 300, b"just text", "half"])
def test_a_damaged_file_is_set_aside_and_hides_no_other(tmp_path: Path, damage: bytes | str) -> None:
    path = tmp_path / "m"
    shutil.copytree(SAMPLES, path)
    victim = path / "Topic" / "plain.yaml"
    victim.write_bytes(victim.read_bytes()[:200] if isinstance(damage, str) else damage)
    content = victim.read_bytes()
    directory = MetadataDirectory.open(path)
    loaded = directory.load()
    directory.close()
    names = [stored.key for kind, stored in loaded.objects if kind is Kind.TOPIC]
    assert names == ["assigned", "consumer-offset", "dd", "mir", "mirh", "tuned", "waiting"]
    ((aside, cause),) = loaded.damaged
    assert aside.parent == path / "Topic" / ".quarantine"
    assert aside.name.startswith("plain.yaml.")
    assert aside.read_bytes() == content
    assert cause
    assert not victim.exists()


def test_files_that_are_no_objects_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Topic").mkdir()
    for name in ("notes.txt", ".hidden.yaml", "a.yaml~"):
        (tmp_path / "Topic" / name).write_text("?")
    assert loaded_keys(tmp_path) == []
    assert len(list((tmp_path / "Topic").iterdir())) == 3


def test_the_official_directory_lists_the_same_objects_and_keeps_their_data(tmp_path: Path) -> None:
    path = tmp_path / "m"
    shutil.copytree(SAMPLES, path)
    directory = MetadataDirectory.open(path)
    cluster, changed = load_cluster(directory, None)
    for kind, store in cluster.stores.items():
        assert [stored.key for stored in store] == sorted(
            x.stem for x in (SAMPLES / kind.value).glob("*.yaml")
        )
    assert {spu.status.resolution for spu in cluster.spus} == {SpuStatusResolution.INIT}
    waiting = cluster.topics.get("waiting")
    assert waiting is not None
    assert waiting.status.resolution is TopicResolution.INSUFFICIENT_RESOURCES
    assert {kind for kind, _ in changed} == {Kind.TOPIC, Kind.PARTITION}  # those get an incarnation
    directory.write([(kind, stored, stored.meta.revision) for kind, stored in changed])
    directory.close()
    for original in SAMPLES.glob("*/*.yaml"):
        if original.parent.name == "remote-side":
            continue
        before = parse(original.read_bytes()).value
        after = parse((path / original.parent.name / original.name).read_bytes()).value
        if isinstance(after["status"], dict):
            after["status"].pop("x-runtime", None)
        assert after == before


def test_a_missing_partition_is_made_again_and_has_the_topics_incarnation(tmp_path: Path) -> None:
    path = tmp_path / "m"
    shutil.copytree(SAMPLES, path)
    (path / "Partition" / "tuned-1.yaml").unlink()
    directory = MetadataDirectory.open(path)
    cluster, changed = load_cluster(directory, None)
    directory.close()
    made, topic = cluster.partitions.get("tuned-1"), cluster.topics.get("tuned")
    assert made is not None
    assert topic is not None
    assert (made.spec.leader, made.spec.replicas) == (5002, [5002, 5001])
    assert made.spec.storage == topic.spec.storage
    assert made.runtime.incarnation == topic.runtime.incarnation
    assert (Kind.PARTITION, made) in changed


def test_a_lost_topic_is_made_again_from_its_partitions(tmp_path: Path) -> None:
    path = tmp_path / "m"
    shutil.copytree(SAMPLES, path)
    (path / "Topic" / "tuned.yaml").write_bytes(b"")
    directory = MetadataDirectory.open(path)
    cluster, _ = load_cluster(directory, None)
    directory.close()
    topic = cluster.topics.get("tuned")
    assert topic is not None
    assert topic.status.replica_map == {0: [5001, 5002], 1: [5002, 5001]}
    assert topic.spec.cleanup_policy is not None
    assert topic.spec.cleanup_policy.time_in_seconds == 3600
    for each in cluster.partitions_of("tuned"):
        assert each.runtime.incarnation == topic.runtime.incarnation


@pytest.mark.parametrize("step", range(16))
def test_a_crash_at_any_step_of_create_and_delete_leaves_a_topic_whole_or_not_there(
    tmp_path: Path, step: int
) -> None:
    """Acknowledged are: `kept` before, and the new topic when all of its write was over."""
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps > step:
            raise Crash

    def fsync(descriptor: int) -> None:
        count()
        os.fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        count()
        os.replace(source, target)

    directory = MetadataDirectory.open(tmp_path)
    first = [(Kind.TOPIC, topic("kept"), 0), (Kind.PARTITION, partition("kept-0", 1), 0)]
    directory.write(first)
    directory.close()

    cluster = cluster_of(1)
    made = provision(cluster, [topic("t", 3)]).objects
    is_created = is_deleted = False
    dying = MetadataDirectory.open(tmp_path, FileCalls(fsync, replace))
    try:
        dying.write([(kind, stored, 0) for kind, stored in made])
        is_created = True
        dying.remove([(kind, stored.key) for kind, stored in reversed(made)])
        is_deleted = True
    except Crash:
        pass
    dying.close()

    directory = MetadataDirectory.open(tmp_path)
    after, _ = load_cluster(directory, None)
    directory.close()
    assert "kept" in after.topics
    assert len(after.partitions_of("kept")) == 1
    found = len(after.partitions_of("t"))
    assert found == (3 if "t" in after.topics else 0)
    if is_deleted:
        assert "t" not in after.topics
    if step == 10:  # fsync and rename of four files, fsync of two directories: then it was acknowledged
        assert is_created


def damaged(path: Path, *names: str) -> None:
    for name in names:
        (path / name).write_bytes(b"")


def load(path: Path) -> Cluster:
    """What a controller has after it was started on `path`, its healed objects written."""
    directory = MetadataDirectory.open(path)
    cluster, healed = load_cluster(directory, None)
    directory.write([(kind, stored, stored.meta.revision + 1) for kind, stored in healed])
    directory.close()
    return cluster


def test_what_cannot_be_healed_is_lost_until_it_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "m"
    shutil.copytree(SAMPLES, path)
    copies = {name: (path / name).read_bytes() for name in ("Topic/tuned.yaml", "Partition/tuned-1.yaml")}
    damaged(path, *copies)
    for _ in range(2):  # also after another start
        cluster = load(path)
        assert set(cluster.lost) == {(Kind.PARTITION, "tuned-1")}  # the topic knows its first one only
        assert cluster.lost_of("tuned")
        assert cluster.lost_of("tun") == []
    (path / "Partition/tuned-1.yaml").write_bytes(copies["Partition/tuned-1.yaml"])
    cluster = load(path)
    assert cluster.lost == {}
    topic = cluster.topics.get("tuned")
    assert topic is not None
    assert topic.status.replica_map == {0: [5001, 5002], 1: [5002, 5001]}
    (path / "Partition/tuned-1.yaml").unlink()
    assert load(path).lost == {}  # it was healed: that it goes later is another matter


def test_a_lost_file_that_is_removed_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "m"
    shutil.copytree(SAMPLES, path)
    damaged(path, *(f"Partition/{each.name}" for each in (SAMPLES / "Partition").glob("tuned-*")))
    damaged(path, "Topic/tuned.yaml")
    lost = load(path).lost
    assert set(lost) == {(Kind.TOPIC, "tuned"), (Kind.PARTITION, "tuned-0"), (Kind.PARTITION, "tuned-1")}
    for file in lost.values():
        file.unlink()
    assert load(path).lost == {}


def test_no_topic_is_made_under_the_name_of_a_lost_one(tmp_path: Path) -> None:
    cluster = cluster_of(1)
    cluster.lost[Kind.PARTITION, "t-1"] = tmp_path / "t-1.yaml.now"
    with pytest.raises(Refusal, match=r"its metadata are damaged.*t-1\.yaml\.now"):
        check_new_topic("t", topic("t").spec, cluster)
    check_new_topic("t-1", topic("t-1").spec, cluster)
