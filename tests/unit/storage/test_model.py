"""Any history of a log against a plain list: append, read, sync, roll, retain, refuse, crash, reopen."""

import os
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fluvio_local_cluster.storage import (
    LogSettings,
    OffsetEvictedError,
    OpenFiles,
    PartitionFullError,
    ReplicaLog,
    RetentionRules,
    Slice,
)
from fluvio_protocol.batch import BatchBuilder, decode_records, split
from tests.support.faulty_files import FaultyFiles
from tests.support.record_sets import read_all

START_S = 1_800_000_000


class UnsyncedFiles(FaultyFiles):
    """Nothing here is about what reaches the disk."""

    def fsync(self, fd):
        pass


class Entry:
    """What the model has of one batch."""

    def __init__(self, base_offset: int, values: list[bytes], timestamp_ms: int) -> None:
        self.base_offset, self.values, self.timestamp_ms = base_offset, values, timestamp_ms

    @property
    def next_offset(self) -> int:
        return self.base_offset + len(self.values)


class LogMachine(RuleBasedStateMachine):
    """The model is `batches`: all that were ever appended. The log must show those from its start on."""

    directory: Path  # set by the test below; each run takes a new folder in it
    runs = 0

    @initialize(
        segment=st.integers(600, 4000),
        interval=st.integers(0, 1500),
        limit=st.integers(1, 3),
        step=st.sampled_from([1, 700, 1 << 20]),
        tail=st.sampled_from([0, 300, 1 << 16]),
    )
    def begin(self, segment: int, interval: int, limit: int, step: int, tail: int) -> None:
        LogMachine.runs += 1
        self.settings = LogSettings(
            segment_bytes=segment,
            index_interval_bytes=interval,
            mark_step_bytes=step,
            verified_tail_bytes=tail,
            boot_id="boot",
            retention=RetentionRules(retention_s=1000),
        )
        self.files = UnsyncedFiles()
        self.open_files = OpenFiles(limit=limit, files=self.files)
        self.place = self.directory / f"run-{LogMachine.runs}"
        self.now_s = float(START_S)
        self.batches: list[Entry] = []
        self.start = self.hw = 0
        self.slice: tuple[Slice, list[bytes]] | None = None
        self.log = self.opened()

    def opened(self) -> ReplicaLog:
        return ReplicaLog.open(
            self.place, self.settings, open_files=self.open_files, clock=lambda: self.now_s
        )

    @property
    def leo(self) -> int:
        return self.batches[-1].next_offset if self.batches else 0

    def records(self, start: int, upper: int) -> list[tuple[int, bytes]]:
        """What a reader from `start` gets of the whole batches below `upper`."""
        return [
            (offset, value)
            for entry in self.batches
            if entry.next_offset <= upper
            for offset, value in enumerate(entry.values, entry.base_offset)
            if offset >= start
        ]

    def record_set(self, batches: list[list[bytes]], age_s: int) -> tuple[bytearray, list[Entry]]:
        records, entries, offset = bytearray(), [], self.leo
        timestamp_ms = int((self.now_s - age_s) * 1000)
        for values in batches:
            builder = BatchBuilder(timestamp_ms)
            for value in values:
                builder.append(None, value, timestamp_ms)
            records += builder.build()
            entries.append(Entry(offset, values, timestamp_ms))
            offset += len(values)
        return records, entries

    sets = st.lists(st.lists(st.binary(max_size=120), min_size=1, max_size=3), min_size=1, max_size=6)

    @rule(batches=sets, age_s=st.sampled_from([0, 0, 500]))
    def append(self, batches: list[list[bytes]], age_s: int) -> None:
        records, entries = self.record_set(batches, age_s)
        result = self.log.append(records, split(records), -1)
        assert result.base_offset == self.leo
        self.batches += entries
        assert result.leo == self.log.leo == self.leo

    @rule(batches=sets, space=st.integers(0, 600))
    def find_the_disk_full(self, batches: list[list[bytes]], space: int) -> None:
        records, entries = self.record_set(batches, 0)
        self.files.space = space
        try:
            self.log.append(records, split(records), -1)
            self.batches += entries
        except PartitionFullError:
            assert space < 2 * len(records) + 1000
        finally:
            self.files.space = None

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(self.start, self.leo))
        upper = data.draw(st.integers(start, self.leo))
        found = read_all(self.log, start, max_bytes=data.draw(st.integers(1, 3000)), upper=upper)
        assert [(record.offset, record.value) for record in found] == self.records(start, upper)

    @precondition(lambda self: self.start)
    @rule(data=st.data())
    def read_what_is_gone(self, data: st.DataObject) -> None:
        offset = data.draw(st.integers(0, self.start - 1))
        try:
            self.log.read(offset, 100, self.leo)
        except OffsetEvictedError as exc:
            assert exc.next_available == self.start  # noqa: PT017 - the other way is an error
        else:
            raise AssertionError("an evicted offset was read")

    @precondition(lambda self: self.slice is None and self.leo > self.start)
    @rule(data=st.data())
    def take_a_slice(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(self.start, self.leo - 1))
        piece = self.log.read(start, 1000, self.leo)
        assert piece is not None
        self.slice = piece, [v for _, v in self.records(piece.first_offset, piece.next_offset)]

    @precondition(lambda self: self.slice)
    @rule()
    def use_the_slice(self) -> None:
        assert self.slice is not None
        piece, values = self.slice
        with piece:
            data = memoryview(piece.read_bytes())
        assert [r.value for header in split(data) for r in decode_records(data, header)] == values
        self.slice = None

    @rule(hw=st.integers(0, 300))
    def raise_hw(self, hw: int) -> None:
        self.hw = max(self.hw, min(hw, self.leo))
        assert self.log.set_hw(hw) == self.hw
        self.log.checkpoint_hw()

    @rule()
    def sync(self) -> None:
        assert self.log.sync() == self.log.synced_leo == self.leo
        self.log.checkpoint_hw()

    @rule(seconds=st.integers(1, 700), max_bytes=st.none() | st.integers(0, 8000))
    def wait_and_clean(self, seconds: int, max_bytes: int | None) -> None:
        self.now_s += seconds
        self.log.settings = self.settings = replace(
            self.settings, retention=RetentionRules(retention_s=1000, max_bytes=max_bytes)
        )
        before, was_empty = self.log.size_bytes, self.log.read(self.start, 1, self.leo)
        if was_empty is not None:
            was_empty.release()
        result = self.log.clean(self.now_s, self.now_s)
        assert result.distrust is None
        assert self.log.size_bytes == before - result.freed_bytes
        gone = [entry for entry in self.batches if self.start <= entry.base_offset < self.log.log_start]
        assert self.log.log_start <= self.hw or not gone
        if max_bytes is None:
            assert all(entry.timestamp_ms < (self.now_s - 1000) * 1000 for entry in gone)
        elif result.plan.surplus:
            assert before > max_bytes
        self.start = self.log.log_start

    @rule(orderly=st.booleans())
    def reopen(self, orderly: bool) -> None:
        if orderly:
            self.log.close()
        else:
            self.log.abandon()
        active = max(self.place.glob("*.log"))
        os.utime(active, (self.now_s, self.now_s))  # the file system's clock is not ours
        self.log = self.opened()
        assert self.log.report.was_clean == orderly
        assert self.log.report.lines() == []

    @invariant()
    def bounds_hold(self) -> None:
        if hasattr(self, "log"):
            assert (self.log.log_start, self.log.leo, self.log.hw) == (
                self.start,
                self.leo,
                max(self.hw, self.start),
            )
            assert self.log.synced_leo <= self.leo
            assert self.log.holes == []
            assert self.log.size_bytes == sum(path.stat().st_size for path in self.place.glob("*.log"))
            assert len(self.open_files) <= self.open_files.limit

    def teardown(self) -> None:
        if hasattr(self, "log"):
            if self.slice is not None:
                self.slice[0].release()
            assert [(r.offset, r.value) for r in read_all(self.log)] == self.records(self.start, self.leo)
            self.log.abandon()
            self.open_files.close()


def test_any_history_matches_a_list(tmp_path: Path) -> None:
    LogMachine.directory = tmp_path
    run_state_machine_as_test(
        LogMachine,
        settings=settings(
            max_examples=2 * settings().max_examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
