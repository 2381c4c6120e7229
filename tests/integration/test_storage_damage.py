"""F-03: cut, zeroed, overwritten files. Whatever was hit, a log is a prefix or tells which offsets are lost.

Seeds are printed; a seed makes the same case again, whatever runs before it.
"""

import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    DamagedRangeError,
    Files,
    LogSettings,
    OpenFiles,
    ReplicaIdentity,
    ReplicaLog,
    ReplicaMismatchError,
    Slice,
    UnsupportedFormatError,
)
from fluvio_protocol.batch import BatchError, crc_matches, decode_records, read_header, split
from tests.support.record_sets import append

CASES = 5_200
GROUP = 400
SEGMENTS = 3
OURS = ReplicaIdentity("cluster", "incarnation", "t-0")
SMALL_FILES = ("replication.chk", "clean", "progress", "boot", "meta.json")


class UnsyncedFiles(Files):
    """No case here is about syncing, and the tests are many."""

    def fsync(self, fd):
        pass


def settings_with(boot: str) -> LogSettings:
    return LogSettings(
        segment_bytes=1500, index_interval_bytes=150, mark_step_bytes=400, identity=OURS, boot_id=boot
    )


@dataclass
class Sample:
    """A replica as a stop left it: its files, and what is in it."""

    files: dict[str, bytes]
    values: list[bytes]

    @property
    def logs(self) -> list[str]:
        return sorted(name for name in self.files if name.endswith(".log"))

    def offset_of(self, name: str) -> int:
        return int(name[:20])


def make_sample(directory: Path, rng: random.Random, stop: str) -> Sample:
    log = ReplicaLog.open(directory, settings_with("boot-1"), open_files=OpenFiles(files=UnsyncedFiles()))
    values = []
    while len(list(directory.glob("*.log"))) < SEGMENTS or log.will_roll(500):
        batch = [rng.randbytes(rng.randint(0, 90)) for _ in range(rng.randint(1, 3))]
        append(log, *batch)
        values += batch
        log.set_hw(log.leo)
        log.checkpoint_hw()
        if rng.random() < 0.2:
            log.sync()
    for _ in range(4):
        values.append(rng.randbytes(100))
        append(log, values[-1])
    log.close() if stop == "orderly" else log.abandon()
    return Sample({path.name: path.read_bytes() for path in directory.iterdir()}, values)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="fluvio-damage-", dir=memory if memory.is_dir() else None))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def samples(place: Path) -> list[Sample]:
    return [
        make_sample(place / f"sample-{stop}-{i}", random.Random(i), stop)
        for stop in ("orderly", "killed")
        for i in range(3)
    ]


def damage(rng: random.Random, data: bytes) -> bytes:
    """The file with a piece of it, mostly at its end, gone wrong."""
    at = rng.randrange(max(0, len(data) - rng.choice([40, 400, 4000])), len(data)) if data else 0
    size = rng.choice([1, 8, 60, 4000])
    kind = rng.choice(["cut", "zero", "overwrite", "extend"])
    if kind == "cut":
        return data[:at]
    if kind == "extend":
        return data + rng.choice([bytes(size), rng.randbytes(size)])
    piece = data[at : at + size]
    return (
        data[:at] + (bytes(len(piece)) if kind == "zero" else rng.randbytes(len(piece))) + data[at + size :]
    )


def good_before(original: bytes, broken: bytes) -> int:
    """How many records, at the start of a segment, are in batches that are as they were."""
    count = 0
    for header in split(original):
        piece = slice(header.position, header.position + header.size_bytes)
        was, now = bytearray(original[piece]), bytearray(broken[piece])
        was[12:16] = now[12:16] = bytes(4)  # the leader epoch, which no CRC covers
        if was != now:
            break
        count += header.record_count
    return count


@dataclass
class Found:
    """What reading a log from its start to its end gave."""

    values: dict[int, bytes]
    damaged: set[int]  # offsets that reading refused
    unmatched: set[int]  # offsets of what a client finds to be wrong, by its CRC or header


def read_or_range(log: ReplicaLog, offset: int) -> Slice | range:
    """What is at an offset, or the range that is damaged."""
    try:
        piece = log.read(offset, 700, log.leo)
    except DamagedRangeError as exc:
        return range(exc.start, exc.stop)
    assert piece is not None
    return piece


def read_what_is_there(log: ReplicaLog) -> Found:
    found = Found({}, set(), set())
    offset = log.log_start
    while offset < log.leo:
        piece = read_or_range(log, offset)
        if isinstance(piece, range):
            assert offset in piece
            assert piece.stop <= log.leo
            found.damaged.update(range(offset, piece.stop))
            offset = piece.stop
            continue
        with piece:
            data = piece.read_bytes()
        position = 0
        while position < len(data):
            try:
                header = read_header(data, position)
            except BatchError:
                break
            if header.base_offset != max(offset, piece.first_offset) or not crc_matches(data, header):
                break
            records = decode_records(memoryview(data), header)
            found.values.update((record.offset, record.value) for record in records)
            position += header.size_bytes
            offset = header.next_offset
        found.unmatched.update(range(offset, piece.next_offset))
        offset = piece.next_offset
    return found


def check(sample: Sample, target: str, broken: bytes, log: ReplicaLog) -> int:
    """The log is what may be left of the sample; returns how many of its offsets are there."""
    found = read_what_is_there(log)
    assert all(sample.values[offset] == value for offset, value in found.values.items())
    everything = len(sample.values)
    if target == sample.logs[-1]:
        expected = sample.offset_of(target) + good_before(sample.files[target], broken)
        assert log.leo == expected
        assert found.values.keys() == set(range(expected))
        return expected
    assert log.leo == everything
    if target in sample.logs:
        first = sample.offset_of(target)
        last = sample.offset_of(sample.logs[sample.logs.index(target) + 1])
        intact = set(range(everything)) - set(range(first + good_before(sample.files[target], broken), last))
        assert intact <= found.values.keys()
        is_verified = target == sample.logs[-2] and not log.report.was_clean
        assert not found.unmatched or not is_verified
        assert found.values.keys() | found.damaged | found.unmatched == set(range(everything))
    else:
        assert found.values.keys() == set(range(everything))
        assert log.holes == []
    return everything


def run_case(seed: int, samples: list[Sample], directory: Path) -> None:
    rng = random.Random(seed)
    sample = rng.choice(samples)
    indexes = [name for name in sample.files if name.endswith(".index")]
    small = [name for name in SMALL_FILES if name in sample.files]
    target = rng.choice(
        [
            sample.logs[-1],
            sample.logs[-1],
            rng.choice(sample.logs[:-1]),
            rng.choice(indexes),
            rng.choice(small),
        ]
    )
    broken = damage(rng, sample.files[target])
    print(f"seed {seed}: {target} of {len(sample.files[target])} bytes, now {len(broken)}")
    directory.mkdir()
    for name, data in sample.files.items():
        (directory / name).write_bytes(broken if name == target else data)
    settings = settings_with(rng.choice(["boot-1", "boot-2"]))
    files = OpenFiles(files=UnsyncedFiles())
    try:
        log = ReplicaLog.open(directory, settings, open_files=files, single_replica=True)
    except (ReplicaMismatchError, UnsupportedFormatError):
        assert target == "meta.json"
        return
    count = check(sample, target, broken, log)
    assert append(log, b"next") == count
    assert read_what_is_there(log).values[count] == b"next"
    log.abandon()
    if seed % 4 == 0:
        again = ReplicaLog.open(directory, settings, open_files=files)
        assert again.report.torn_tail is None
        assert again.leo == count + 1
        assert again.holes == log.holes or (log.report.was_clean and target in sample.logs[:-1])
        again.abandon()
    files.close()


@pytest.mark.parametrize("first", range(0, CASES, GROUP))
def test_no_damage_keeps_intact_records_away_or_shows_wrong_ones(
    place: Path, samples: list[Sample], first: int
) -> None:
    for seed in range(first, first + GROUP):
        directory = place / "case"
        shutil.rmtree(directory, ignore_errors=True)
        run_case(seed, samples, directory)
