"""Whose data it is, and in which state they were left."""

import json
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    LogSettings,
    ReplicaIdentity,
    ReplicaLog,
    ReplicaMismatchError,
    UnsupportedFormatError,
    read_boot_id,
)
from fluvio_protocol.api.sc_spu import ADOPTED
from fluvio_protocol.checksum import crc32c
from tests.support.record_sets import FIRST_TIMESTAMP, append, append_each, values_of

OURS = ReplicaIdentity("cluster-1", "topic-uid-1", "t-0")


def test_the_identity_is_written_once_and_checked_at_every_open(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(identity=OURS))
    append(log, b"a")
    log.close()
    meta = log.directory / "meta.json"
    assert json.loads(meta.read_text()) == {
        "cluster": "cluster-1",
        "incarnation": "topic-uid-1",
        "replica": "t-0",
        "format": 1,
    }
    before = meta.stat().st_ino
    assert values_of(ReplicaLog.open(log.directory, LogSettings(identity=OURS))) == [b"a"]
    assert meta.stat().st_ino == before


def test_an_older_incarnation_of_a_topic_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(identity=OURS))
    append(log, b"a")
    log.close()
    before = {path.name: path.read_bytes() for path in log.directory.iterdir()}
    again = ReplicaIdentity("cluster-1", "topic-uid-2", "t-0")
    with pytest.raises(ReplicaMismatchError) as caught:
        ReplicaLog.open(log.directory, LogSettings(identity=again))
    assert "topic-uid-1" in str(caught.value)
    assert {path.name: path.read_bytes() for path in log.directory.iterdir()} == before


@pytest.mark.parametrize(
    ("found", "is_admitted"),
    [
        (ReplicaIdentity("cluster-1", "any", "t-0"), True),
        (ReplicaIdentity("cluster-2", "any", "t-0"), False),
        (ReplicaIdentity("cluster-1", "any", "t-1"), False),
        (ReplicaIdentity("cluster-2", ADOPTED, "t-0"), False),
    ],
)
def test_an_adopted_topic_has_whatever_incarnation_but_no_other_cluster_or_partition(
    found: ReplicaIdentity, is_admitted: bool
) -> None:
    assert ReplicaIdentity("cluster-1", ADOPTED, "t-0").admits(found) is is_admitted
    assert not OURS.admits(found)


def test_a_directory_of_a_later_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(UnsupportedFormatError):
        ReplicaLog.open(tmp_path, LogSettings(identity=OURS))


def test_a_damaged_identity_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{")
    ReplicaLog.open(tmp_path, LogSettings(identity=OURS)).close()
    assert json.loads((tmp_path / "meta.json").read_text())["replica"] == "t-0"


def test_the_clean_marker_is_gone_while_the_log_is_open(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(), clock=lambda: 1_800_000_000.0)
    append_each(log, 3)
    log.close()
    marker = json.loads((log.directory / "clean").read_text())
    assert marker.pop("crc") == crc32c(json.dumps(marker).encode())
    assert marker == {
        "leo": 3,
        "hw": 0,
        "segments": [[0, log.size_bytes]],
        "first_append_ms": 1_800_000_000_000,
        "max_timestamp_ms": FIRST_TIMESTAMP,
        "index_crc": crc32c(bytes(8)),
        "format": 1,
    }
    again = ReplicaLog.open(log.directory, LogSettings())
    assert again.report.was_clean
    assert again.report.verified_bytes == again.size_bytes  # the last 64 KiB are looked at all the same
    assert not (log.directory / "clean").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": 9}',
        '{"format": 1, "leo": 3, "hw": 0, "segments": [[0, 1]]}',
        '{"format": 1',
    ],
)
def test_a_clean_marker_that_does_not_fit_is_not_trusted(tmp_path: Path, content: str) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 3)
    log.close()
    (log.directory / "clean").write_text(content)
    again = ReplicaLog.open(log.directory, LogSettings())
    assert not again.report.was_clean
    assert again.report.verified_bytes == again.size_bytes
    assert again.leo == 3


def test_a_clean_marker_with_a_wrong_leo_is_not_trusted(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 3)
    log.close()
    marker = log.directory / "clean"
    marker.write_text(marker.read_text().replace('"leo": 3', '"leo": 4'))
    again = ReplicaLog.open(log.directory, LogSettings())
    assert not again.report.was_clean
    assert again.leo == 3


def test_a_clean_marker_with_a_digit_that_has_changed_is_not_trusted(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 3)
    log.close()
    marker = log.directory / "clean"
    changed = marker.read_text().replace('"hw": 0', '"hw": 2')
    assert changed != marker.read_text()
    marker.write_text(changed)
    again = ReplicaLog.open(log.directory, LogSettings())
    assert not again.report.was_clean
    assert again.leo == 3


def test_the_report_tells_a_reboot_from_a_mere_crash(tmp_path: Path) -> None:
    reports = [
        ReplicaLog.open(tmp_path / "t-0", LogSettings(boot_id=boot)).report.is_same_boot
        for boot in ("boot-1", "boot-1", "boot-2", None)
    ]
    assert reports == [None, True, False, None]


def test_the_boot_id_of_this_machine_stays_the_same() -> None:
    assert read_boot_id()
    assert read_boot_id() == read_boot_id()


def test_temporary_files_of_an_interrupted_write_are_removed_at_open(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"a")
    log.abandon()
    (log.directory / "replication.chk.tmp").write_bytes(b"12")
    (log.directory / "recovered-5-1.bad").write_bytes(b"kept")
    assert values_of(ReplicaLog.open(log.directory, LogSettings())) == [b"a"]
    assert not (log.directory / "replication.chk.tmp").exists()
    assert (log.directory / "recovered-5-1.bad").exists()
