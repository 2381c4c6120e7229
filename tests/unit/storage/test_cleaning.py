"""Retention on files: what goes, what stays readable, what is remembered over a restart."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    LogClosedError,
    LogSettings,
    OffsetEvictedError,
    OpenFiles,
    PartitionFullError,
    ReplicaLog,
    RetentionRules,
    StorageWriteError,
)
from fluvio_protocol.batch import BatchBuilder, split
from tests.support.faulty_files import IO_ERROR, NO_SPACE, FaultyFiles
from tests.support.record_sets import append, append_each, read_all, values_of

START_S = 1_800_000_000.0
RULES = RetentionRules(retention_s=100)
SMALL = LogSettings(segment_bytes=1000, index_interval_bytes=200, retention=RULES)


class Clock:
    """A wall clock and a monotonic one that the test moves together."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        return self.now_s

    def clean(self, log: ReplicaLog, **options):
        return log.clean(self.now_s, self.now_s - START_S + 7, **options)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles()


def open_log(directory: Path, clock: Clock, files: FaultyFiles | None = None, settings=SMALL) -> ReplicaLog:
    return ReplicaLog.open(
        directory, settings, clock=clock, open_files=OpenFiles(files=files), single_replica=True
    )


@pytest.fixture
def log(tmp_path: Path, clock: Clock, files: FaultyFiles) -> ReplicaLog:
    """Four closed segments of twelve records, each ten seconds younger than the one before; an active one."""
    log = open_log(tmp_path / "t-0", clock, files)
    for i in range(4):
        append_fresh(log, clock, 12 * i, 12)
        clock.now_s += 10
    append_fresh(log, clock, 48, 1)
    assert bases(log) == [0, 12, 24, 36, 48]
    return log


def append_stamped(log: ReplicaLog, value: bytes, timestamp_ms: int) -> None:
    builder = BatchBuilder(timestamp_ms)
    builder.append(None, value, timestamp_ms)
    records = builder.build()
    log.append(records, split(records), -1)
    log.set_hw(log.leo)


def append_fresh(log: ReplicaLog, clock: Clock, first: int, count: int) -> None:
    for i in range(first, first + count):
        append_stamped(log, b"record %03d" % i, int(clock.now_s * 1000))


def bases(log: ReplicaLog) -> list[int]:
    return sorted(int(path.name[:20]) for path in log.directory.glob("*.log"))


def numbers(first: int, last: int) -> list[bytes]:
    return [b"record %03d" % i for i in range(first, last)]


def test_what_is_too_old_goes_file_by_file_and_the_log_begins_later(log, clock) -> None:
    clock.now_s = START_S + 111  # the second segment's age is 101 s
    before = log.size_bytes
    result = clock.clean(log)
    assert [(s.base_offset, s.next_offset) for s in result.removed] == [(0, 12), (12, 24)]
    assert result.log_start == log.log_start == 24
    assert before - log.size_bytes == result.freed_bytes > 0
    assert bases(log) == [24, 36, 48, 49]  # and the active one was closed: its first append is too old
    assert {int(p.name[:20]) for p in log.directory.glob("*.index")} == {24, 36, 48}
    assert values_of(log) == numbers(24, 49)
    assert sum(path.stat().st_size for path in log.directory.glob("*.log")) == log.size_bytes


def test_reading_what_is_gone_tells_where_the_log_begins(log, clock) -> None:
    clock.now_s += 80
    assert clock.clean(log).removed
    for offset in (0, 11):
        with pytest.raises(OffsetEvictedError) as caught:
            log.read(offset, 100, log.leo)
        assert (caught.value.offset, caught.value.next_available) == (offset, log.log_start)


def test_in_the_end_only_an_empty_active_segment_is_left_and_offsets_go_on(log, clock) -> None:
    clock.now_s += 11
    assert clock.clean(log).plan.roll
    clock.now_s += 1000
    clock.clean(log)
    assert (log.log_start, log.leo, log.size_bytes) == (49, 49, 0)
    assert log.read(49, 100, 49) is None
    clock.now_s += 1000
    assert clock.clean(log).removed == []
    log.abandon()
    again = open_log(log.directory, clock)
    assert (again.log_start, again.leo, again.hw) == (49, 49, 49)
    assert append(again, b"next") == 49


def test_a_slice_in_use_outlives_the_removal_of_its_segment(log, clock) -> None:
    piece = log.read(3, 1 << 20, log.leo)
    assert piece is not None
    clock.now_s += 1000
    clock.clean(log)
    assert not (log.directory / f"{0:020d}.log").exists()
    with piece:
        assert [header.base_offset for header in split(piece.read_bytes())] == list(range(3, 12))


def test_a_segment_lives_at_most_a_tenth_longer_than_the_retention(tmp_path, clock) -> None:
    """G10, on a topic with one record a second that never fills a segment."""
    log = open_log(tmp_path / "t-0", clock, settings=replace(SMALL, segment_bytes=1 << 20))
    for second in range(400):
        append_stamped(log, b"%d" % second, int(clock.now_s * 1000))
        if second % 10 == 0:  # the cleaner's cadence
            clock.clean(log)
            oldest_age_s = second - log.log_start
            assert oldest_age_s <= 1.1 * 100 + 20
            assert log.log_start == 0 or oldest_age_s >= 100
        clock.now_s += 1
    assert log.log_start > 250


def test_by_size_the_log_keeps_within_its_limit_and_one_segment(tmp_path, clock) -> None:
    settings = replace(SMALL, retention=RetentionRules(max_bytes=2500))
    log = open_log(tmp_path / "t-0", clock, settings=settings)
    for i in range(100):
        append_fresh(log, clock, i, 1)
        clock.clean(log)
        assert log.size_bytes <= 2500
        assert values_of(log) == numbers(log.log_start, i + 1)
    assert log.log_start > 50


def test_rules_that_are_changed_hold_at_once(log, clock) -> None:
    log.settings = replace(SMALL, retention=RetentionRules(max_bytes=1))
    clock.clean(log)
    assert log.log_start == 48
    log.settings = replace(SMALL, retention=RetentionRules())
    clock.now_s += 10**8
    assert clock.clean(log).removed == []


def test_nothing_above_the_high_watermark_or_in_use_by_a_follower_goes(tmp_path, clock) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL, clock=clock)
    append_each(log, 60)
    log.set_hw(30)
    clock.now_s += 10**6
    plan = log.plan_retention(clock.now_s, keep_from=13)
    assert (plan.expired, plan.roll) == (1, True)
    assert clock.clean(log, keep_from=13).log_start == 13 - 1
    assert clock.clean(log).log_start <= 30


def test_a_jump_of_the_clock_removes_nothing_and_says_so(log, clock) -> None:
    assert log.clean(clock.now_s, 0).distrust is None
    result = log.clean(clock.now_s + 10**7, 10)
    assert result.removed == []
    assert "jumped" in (result.distrust or "")
    assert bases(log) == [0, 12, 24, 36, 48]
    assert log.clean(clock.now_s + 10**7 + 3600, 3610).removed


def test_a_clock_before_the_newest_append_at_a_start_removes_nothing(log, clock) -> None:
    clock.now_s += 5
    log.close()
    again = open_log(log.directory, clock, settings=replace(SMALL, retention=RetentionRules(retention_s=10)))
    assert again.clean(START_S - 10**6, 0).distrust is not None


# --- times over a restart --------------------------------------------------------------------------------


@pytest.mark.parametrize("orderly", [True, False])
def test_ages_survive_a_restart(log, clock, orderly: bool) -> None:
    log.close() if orderly else log.abandon()
    again = open_log(log.directory, clock)
    clock.now_s = START_S + 111
    assert [s.base_offset for s in clock.clean(again).removed] == [0, 12]


def test_the_time_of_a_record_counts_also_after_a_restart(tmp_path, clock) -> None:
    """Records of yesterday, appended now: as old as they say, not as their files."""
    yesterday_ms = int((START_S - 86_400) * 1000)
    log = open_log(tmp_path / "t-0", clock)
    for i in range(30):
        append_stamped(log, b"record %03d" % i, yesterday_ms)
    log.close()
    again = open_log(log.directory, clock)
    clock.clean(again)
    assert again.log_start == bases(again)[0] == 24
    append_fresh(again, clock, 30, 12)
    assert bases(again) == [24, 36]
    clock.clean(again)
    assert again.log_start == 24  # the segment has a fresh record now


@pytest.mark.parametrize("timestamp_ms", [-1, 0, int((START_S + 10**7) * 1000), 2**60])
def test_timestamps_that_make_no_sense_count_as_the_time_of_the_append(tmp_path, clock, timestamp_ms) -> None:
    log = open_log(tmp_path / "t-0", clock)
    for i in range(30):
        append_stamped(log, b"record %03d" % i, timestamp_ms)
    clock.now_s += 100
    assert clock.clean(log).removed == []
    clock.now_s += 1
    assert [s.base_offset for s in clock.clean(log).removed] == [0, 12, 24]  # the last was closed before


def test_an_active_segment_of_unknown_times_is_judged_cautiously_after_a_crash(tmp_path, clock) -> None:
    log = open_log(tmp_path / "t-0", clock)
    append_stamped(log, b"old", int((START_S - 86_400) * 1000))
    log.abandon()
    os.utime(log.directory / f"{0:020d}.log", (START_S, START_S))
    again = open_log(log.directory, clock)
    clock.now_s += 50
    assert clock.clean(again).plan.roll  # by the first record's time
    assert clock.clean(again).removed == []  # but it does not go before its append is old enough
    clock.now_s += 51
    assert len(clock.clean(again).removed) == 1


# --- a disk that refuses ---------------------------------------------------------------------------------


def test_a_file_that_cannot_be_removed_stays_part_of_the_log(log, clock, files) -> None:
    clock.now_s += 80
    files.faults["unlink"] = IO_ERROR
    with pytest.raises(StorageWriteError, match="cleaning"):
        clock.clean(log)
    assert log.log_start == 0
    assert values_of(log) == numbers(0, 49)
    files.faults.clear()
    assert clock.clean(log).removed


def test_what_was_removed_before_a_failure_stays_removed(log, clock, files) -> None:
    clock.now_s += 80
    seen = iter(range(100))

    def fail_on_the_third() -> None:
        if next(seen) == 2:
            IO_ERROR()

    files.faults["unlink"] = fail_on_the_third
    with pytest.raises(StorageWriteError):
        clock.clean(log)
    assert log.log_start == bases(log)[0] == 12
    assert log.size_bytes == sum(path.stat().st_size for path in log.directory.glob("*.log"))
    assert values_of(log) == numbers(12, 49)


def test_on_a_full_disk_old_segments_go_though_the_active_one_cannot_be_closed(log, clock, files) -> None:
    clock.now_s += 80
    files.faults["pwrite"] = NO_SPACE
    with pytest.raises(PartitionFullError):
        clock.clean(log)
    assert log.log_start == 24
    assert bases(log) == [24, 36, 48]
    files.faults.clear()
    append_fresh(log, clock, 49, 1)
    assert values_of(log) == numbers(24, 50)
    assert clock.clean(log).plan.roll


def test_each_removal_is_durable_before_the_next(log, clock, files) -> None:
    clock.now_s += 80
    files.calls.clear()
    assert len(clock.clean(log).removed) == 2
    steps = [(name, Path(str(what)).name) for name, what in files.calls if name in ("unlink", "fsync")]
    assert steps[:6] == [
        ("unlink", f"{0:020d}.log"),
        ("unlink", f"{0:020d}.index"),
        ("fsync", "t-0"),
        ("unlink", f"{12:020d}.log"),
        ("unlink", f"{12:020d}.index"),
        ("fsync", "t-0"),
    ]


def test_an_append_knows_that_a_segment_is_being_closed_because_of_its_age(log, clock, files) -> None:
    clock.now_s += 11
    seen = []
    files.faults["fsync"] = lambda: seen.append(log.will_roll(1))
    clock.clean(log)
    assert seen
    assert all(seen)
    assert not log.will_roll(1)


def test_a_closed_log_is_not_cleaned(log, clock) -> None:
    log.close()
    with pytest.raises(LogClosedError):
        clock.clean(log)


def test_damage_in_what_is_removed_is_forgotten(log, clock) -> None:
    log.close()
    path = log.directory / f"{0:020d}.log"
    os.truncate(path, 300)
    os.utime(path, (START_S, START_S))
    again = open_log(log.directory, clock)
    assert len(again.holes) == 1
    assert (log.directory / "damage.json").exists()
    clock.now_s += 80
    clock.clean(again)
    assert again.holes == []
    assert not (log.directory / "damage.json").exists()
    assert [r.offset for r in read_all(again)] == list(range(again.log_start, 49))
