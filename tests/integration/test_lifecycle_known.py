"""Which clusters there are, what keeps new ones apart from them, and the order in which data are copied."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fluvio_local_cluster.lifecycle import known, places
from fluvio_local_cluster.lifecycle.contents import ContentSettings, copy_contents
from fluvio_local_cluster.lifecycle.errors import (
    ClusterNameTakenError,
    NoLocalClusterError,
    StateBrokenError,
)
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.settings import ClusterSettings, plan
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase, ServerRecord, save_state
from fluvio_local_cluster.storage import LogSettings, ReplicaIdentity, ReplicaLog
from fluvio_local_cluster.storage.copying import CopySettings
from tests.support.record_sets import append_each


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return Places(tmp_path / ".fluvio", tmp_path / ".fluvio" / "config")


def cluster(data_dir: Path, name: str | None, base: int) -> ClusterState:
    """A stopped cluster with ports from `base` on."""
    data_dir.mkdir(parents=True)
    ports = iter(range(base, base + 100))
    settings = ClusterSettings(data_dir, data_dir / "log", name=name, spu_port_base=0)
    settings = replace(
        settings,
        sc_public=replace(settings.sc_public, port=0),
        sc_private=replace(settings.sc_private, port=0),
    )
    servers = [ServerRecord(server) for server in plan(settings, lambda host: next(ports))]
    state = ClusterState(
        f"id-{base}", "0.18.2", "2026-01-01T00:00:00+00:00", settings, servers, Phase.STOPPED
    )
    save_state(state)
    return state


def test_clusters_are_found_by_name_wherever_they_are(where: Places, tmp_path: Path) -> None:
    named = cluster(where.fluvio_dir / "clusters" / "a" / "data", "a", 21_000)
    unnamed = cluster(where.fluvio_dir / "data", None, 22_000)
    elsewhere = cluster(tmp_path / "else", "b", 23_000)
    with pytest.raises(NoLocalClusterError):
        known.find_named(where, "b")  # nothing leads there yet
    places.remember(where, elsewhere)
    assert known.find_named(where, "a") == named
    assert known.find_named(where, "local") == unnamed
    assert known.find_named(where, "b") == elsewhere
    assert [state for _, state in known.clusters(where)] == [unnamed, elsewhere, named]
    assert known.option_for(where, named) == " --name a"
    assert known.option_for(where, unnamed) == " --name local"
    assert known.option_for(where, cluster(tmp_path / "x", None, 24_000)) == f" --data-dir {tmp_path / 'x'}"


def test_a_state_that_cannot_be_read_is_told_of_by_its_name(where: Places) -> None:
    state = cluster(where.fluvio_dir / "clusters" / "a" / "data", "a", 21_000)
    (state.settings.data_dir / "cluster.json").write_text("{")
    with pytest.raises(StateBrokenError):
        known.find_named(where, "a")
    ((_, problem),) = known.clusters(where)
    assert isinstance(problem, StateBrokenError)


def test_records_that_lead_nowhere_do_no_harm(where: Places) -> None:
    where.records.mkdir(parents=True)
    for number, text in enumerate(("{", "[]", '{"data_dir": 7}', json.dumps({"data_dir": "/nowhere"}))):
        (where.records / f"{number}.json").write_text(text)
    assert list(known.clusters(where)) == []


def test_ports_of_other_clusters_are_taken_those_of_ones_own_are_not(where: Places) -> None:
    first = cluster(where.fluvio_dir / "clusters" / "a" / "data", "a", 21_000)
    cluster(where.fluvio_dir / "clusters" / "b" / "data", "b", 22_000)
    assert known.taken_ports(where, first.settings.data_dir) == set(range(22_000, 22_004))


def test_a_name_belongs_to_one_cluster(where: Places, tmp_path: Path) -> None:
    state = cluster(where.fluvio_dir / "clusters" / "a" / "data", "a", 21_000)
    known.require_free_name(where, "a", state.settings.data_dir)
    known.require_free_name(where, "b", tmp_path / "else")
    for name in ("a", "A"):
        with pytest.raises(ClusterNameTakenError):
            known.require_free_name(where, name, tmp_path / "else")


def test_who_reserves_is_alone(where: Places) -> None:
    order: list[str] = []
    is_held = threading.Event()

    def second() -> None:
        is_held.wait()
        with known.reserving(where):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with known.reserving(where):
        is_held.set()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


# --- copying all of a cluster -----------------------------------------------------------------------------


def data_directory(path: Path) -> Path:
    """Two topics and consumers' offsets, as servers leave them; files of metadata hold anything."""
    for replica in ("a-0", "b-0", "consumer-offset-0"):
        identity = ReplicaIdentity("old", "x", replica)
        log = ReplicaLog.open(path / "spu-logs-5001" / replica, LogSettings(identity=identity))
        append_each(log, 3)
        log.close()
    for name in ("Topic/a", "Topic/b", "Partition/a-0", "Partition/b-0", "SPU/custom-spu-5001", "SPU/mine"):
        file = path / "metadata" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (path / "metadata" / "Topic" / ".quarantine").mkdir()
    (path / "metadata" / "Topic" / ".quarantine" / "lost.yaml.1").write_text("lost")
    (path / "metadata" / "Topic" / ".c.yaml.tmp").write_text("half")
    (path / "metadata" / ".cluster-id").write_text("old\n")
    (path / "metadata" / ".lock").write_text("7\n")
    (path / "trash").mkdir()
    (path / "lock").touch()
    return path


def copied(tmp_path: Path, advance: Callable[[int], None] = lambda _: None) -> Path:
    target = tmp_path / "target"
    target.mkdir()
    replicas = CopySettings(boot_id=None, is_at_rest=True, is_durable=True, cluster_id="new", advance=advance)
    copy_contents(tmp_path / "source", target, ContentSettings(replicas, frozenset({"custom-spu-5001"})))
    return target


def metadata(target: Path) -> set[str]:
    directory = target / "metadata"
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_metadata_are_copied_without_locks_halves_and_spus_that_register_anew(tmp_path: Path) -> None:
    data_directory(tmp_path / "source")
    target = copied(tmp_path)
    assert sorted(path.name for path in target.iterdir()) == ["metadata", "spu-logs-5001"]
    assert metadata(target) == {
        *(".cluster-id", "Topic/a.yaml", "Topic/b.yaml", "Topic/.quarantine/lost.yaml.1"),
        *("Partition/a-0.yaml", "Partition/b-0.yaml", "SPU/mine.yaml"),
    }
    assert (target / "metadata" / ".cluster-id").read_text() == "new\n"


def test_offsets_come_first_and_metadata_last(tmp_path: Path) -> None:
    data_directory(tmp_path / "source")
    seen: list[set[str]] = []

    def look(_: int) -> None:
        seen.append({path.name for path in (tmp_path / "target").rglob("*") if path.is_dir()})

    copied(tmp_path, look)
    assert seen[0] == {"spu-logs-5001", "consumer-offset-0"}
    last = next(found for found in seen if "b-0" in found)
    assert last == {"spu-logs-5001", "consumer-offset-0", "a-0", "b-0"}


def test_a_topic_that_is_deleted_meanwhile_is_not_there_without_its_records(tmp_path: Path) -> None:
    source = data_directory(tmp_path / "source")

    def delete(_: int) -> None:
        if (tmp_path / "target" / "spu-logs-5001" / "a-0").exists():
            for name in ("Partition/b-0", "Topic/b"):
                (source / "metadata" / f"{name}.yaml").unlink(missing_ok=True)
            if (source / "spu-logs-5001" / "b-0").exists():
                (source / "spu-logs-5001" / "b-0").rename(source / "trash" / "b-0.1")

    target = copied(tmp_path, delete)
    assert not any("b" in name for name in metadata(target) if name.startswith(("Topic/b", "Partition/b")))
    assert (target / "spu-logs-5001" / "a-0").is_dir()
    assert not (target / "spu-logs-5001" / "b-0").exists()
