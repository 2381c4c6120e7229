"""F-04 with one replica: one bit of a log turns over on the disk while nobody looks.

Whatever bit it is, what is damaged is refused with its range, everything else is read, appends go on, and
nobody gets a wrong record. Seeds are printed; a seed makes the same case again.
"""

import asyncio
import logging
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_local_cluster.storage import DamagedRangeError, Files, LogSettings, OpenFiles, ReplicaLog
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec, TopicStorageConfig
from fluvio_protocol.batch import BatchHeader, crc_matches, decode_records, split
from fluvio_protocol.error_code import DamagedRecordsError
from tests.support import official_python as official
from tests.support.local_cluster import LocalCluster
from tests.support.raw_cluster import RawCluster
from tests.support.raw_peer import RawPeer, produce
from tests.support.record_sets import append, one_batch, values_of

CASES = 200  # for each of the three ways
EPOCH = range(12, 16)  # of a batch: the leader epoch, which no CRC covers and nobody reads with one replica
INTERVAL = 150
SETTINGS = LogSettings(segment_bytes=1500, index_interval_bytes=INTERVAL, verified_tail_bytes=0, boot_id="b")
ONE_SEGMENT = replace(SETTINGS, segment_bytes=1 << 20)


class UnsyncedFiles(Files):
    """No case here is about syncing, and the tests are many."""

    def fsync(self, fd):
        pass


@dataclass
class Sample:
    """A replica as a stop left it."""

    files: dict[str, bytes]
    values: list[bytes]
    settings: LogSettings

    @property
    def logs(self) -> list[str]:
        return sorted(name for name in self.files if name.endswith(".log"))


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="fluvio-rot-", dir=memory if memory.is_dir() else None))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module", params=["stopped", "killed", "one segment"])
def sample(request: pytest.FixtureRequest, place: Path) -> Sample:
    rng = random.Random(request.param)
    settings = ONE_SEGMENT if request.param == "one segment" else SETTINGS
    directory = place / request.param
    log = ReplicaLog.open(directory, settings, open_files=OpenFiles(files=UnsyncedFiles()))
    values: list[bytes] = []
    for _ in range(60):
        batch = [rng.randbytes(rng.randint(0, 90)) for _ in range(rng.randint(1, 3))]
        append(log, *batch)
        values += batch
    log.abandon() if request.param == "killed" else log.close()
    return Sample({path.name: path.read_bytes() for path in directory.iterdir()}, values, settings)


def hit_batch(data: bytes, bit: int) -> tuple[BatchHeader, bool]:
    """The batch that has this bit, and whether any reader could see that it turned over."""
    for header in split(data):
        at = bit // 8 - header.position
        if at < header.size_bytes:
            return header, at not in EPOCH
    raise AssertionError("the bit is behind the last batch")


def read_around(log: ReplicaLog) -> tuple[dict[int, bytes], list[range]]:
    """All that can be read, each batch with a right CRC, and the ranges that cannot."""
    found: dict[int, bytes] = {}
    damaged: list[range] = []
    offset = log.log_start
    while offset < log.leo:
        try:
            piece = log.read(offset, 700, log.leo)
        except DamagedRangeError as exc:
            damaged.append(range(exc.start, exc.stop))
            offset = exc.stop
            continue
        assert piece is not None
        with piece:
            data = memoryview(piece.read_bytes())
        for header in split(data):
            assert crc_matches(data, header)
            found |= {record.offset: record.value for record in decode_records(data, header)}
        offset = piece.next_offset
    return found, damaged


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_one_turned_bit_costs_the_batch_that_has_it_and_no_other_record(
    sample: Sample, place: Path, first: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    one_segment = len(sample.logs) == 1
    for seed in range(first, first + 50):
        print(f"seed {seed}")
        rng = random.Random(seed)
        name = rng.choice(sample.logs if one_segment else sample.logs[:-1])
        data = bytearray(sample.files[name])
        # of the last segment the end is looked at when it is opened, so what is damaged there is cut off
        stop = len(data) - 4 * INTERVAL if one_segment else len(data)
        bit = rng.randrange(8 * stop)
        if rng.random() < 0.4:  # payloads are long; headers are where the walk goes wrong
            headers = [header for header in split(data) if header.position < stop]
            bit = 8 * rng.choice(headers).position + rng.randrange(8 * 61)
        hit, is_visible = hit_batch(bytes(data), min(bit, 8 * len(data) - 1))
        data[bit // 8] ^= 1 << bit % 8

        directory = place / "case"
        directory.mkdir()
        for file, content in sample.files.items():
            (directory / file).write_bytes(bytes(data) if file == name else content)
        caplog.clear()
        files = OpenFiles(files=UnsyncedFiles())
        log = ReplicaLog.open(directory, sample.settings, open_files=files)
        if rng.random() < 0.5:  # a reader meets it, or the look through all of it does
            while log.check_next():
                pass
        found, damaged = read_around(log)

        lost = {offset for each in damaged for offset in each}
        assert found == {i: value for i, value in enumerate(sample.values) if i not in lost}
        assert [range(hole.start, hole.stop) for hole in log.holes] == damaged
        if is_visible:
            (only,) = damaged
            assert hit.base_offset in only
            assert hit.next_offset - 1 in only
            # a damaged header leads nowhere: reading goes on at the next entry of the index
            assert len(only) <= 12
            killed_and_verified = not log.report.was_clean
            assert "damaged" in caplog.text or killed_and_verified
        else:
            assert damaged == []
        append(log, b"goes on")
        assert values_of(log, log.leo - 1) == [b"goes on"]
        assert log.leo == len(sample.values) + 1
        log.close()

        again = ReplicaLog.open(directory, sample.settings, open_files=files)  # it is not found a second time
        assert [range(hole.start, hole.stop) for hole in again.holes] == damaged
        assert read_around(again)[1] == damaged
        again.abandon()
        files.close()
        shutil.rmtree(directory)


def test_what_was_checked_once_is_not_read_again_until_it_is_doubted(place: Path) -> None:
    directory = place / "pieces"
    settings = replace(SETTINGS, segment_bytes=12 << 20, index_interval_bytes=4096)
    log = ReplicaLog.open(directory, settings)
    value = random.Random(1).randbytes(1 << 20)
    for _ in range(20):
        append(log, value)
    assert not log.has_unchecked  # what was just written was checked when it came
    log.close()

    class CountingFiles(Files):
        read_bytes = 0

        def pread(self, fd, size, position):
            data = Files.pread(fd, size, position)
            self.read_bytes += len(data)
            return data

    files = CountingFiles()
    log = ReplicaLog.open(directory, settings, open_files=OpenFiles(files=files))
    piece = log.read(3, 1 << 21, log.leo)
    assert piece is not None
    piece.release()
    first = files.read_bytes
    assert (8 << 20) < first < (12 << 20)  # the pieces of 4 MiB that have the slice
    assert log.needs_check(19, 1 << 20) or log.needs_check(12, 1 << 20)
    log.read(3, 1 << 21, log.leo).release()
    assert files.read_bytes - first < 1 << 16  # headers only
    while log.check_next():
        pass
    assert not log.has_unchecked
    assert files.read_bytes < 32 << 20
    before = files.read_bytes
    assert log.check_next() == 0
    assert [len(each) for each in values_of(log)] == [1 << 20] * 20
    log.doubt_all()
    while log.check_next():
        pass
    assert files.read_bytes - before > 40 << 20  # all of it for `values_of`, all of it again
    log.abandon()


def test_a_header_that_rots_after_it_was_checked_is_not_met_on_the_event_loop(place: Path) -> None:
    """A reader that may not wait is told so; the next one that may finds the damage."""
    from fluvio_local_cluster.storage import UncheckedError

    log = ReplicaLog.open(place / "late", SETTINGS)
    for i in range(60):
        append(log, b"%02d" % i * 20)
    path = sorted(log.directory.glob("*.log"))[0]
    data = bytearray(path.read_bytes())
    target = split(data)[5]
    data[target.position + 16] ^= 1  # its magic
    path.write_bytes(data)
    with pytest.raises(UncheckedError):
        log.read(target.base_offset, 1, log.leo, wait=False)
    assert log.needs_check(target.base_offset, 1)
    with pytest.raises(DamagedRangeError):
        log.read(target.base_offset, 1, log.leo)
    with pytest.raises(DamagedRangeError):  # known by now
        log.read(target.base_offset, 1, log.leo, wait=False)
    log.abandon()


# --- through a running SPU ---------------------------------------------------------------------------------

PLACES = {"payload": 70, "magic": 16, "length": 11, "base-offset": 7, "crc": 18, "last-offset-delta": 26}
RECORDS = 40  # of each topic, one a batch


@pytest.fixture(scope="module")
def rotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawCluster]:
    """A cluster whose SPU found one bit turned in a closed segment of each topic after a restart."""
    folder = tmp_path_factory.mktemp("rotten")
    options = ["--index-max-interval-bytes", "100"]
    with RawCluster(folder, spu_options=options) as cluster:
        spec = TopicSpec(
            replicas=TopicReplicaParam(partitions=1), storage=TopicStorageConfig(segment_size=1024)
        )
        with cluster.admin() as admin:
            for name in PLACES:
                admin.create_topic(name, spec)
        spu = cluster.spus[0]
        with RawPeer(spu.public_port) as peer:
            peer.shake_hands()
            for name in PLACES:
                for i in range(RECORDS):
                    assert produce(peer, name, one_batch(b"record %02d " % i + b"x" * 20)).is_ok
        spu.stop()
        for name, at in PLACES.items():
            path = sorted((folder / "spu-5001").rglob(f"{name}-0/*.log"))[1]
            data = bytearray(path.read_bytes())
            data[split(data)[3].position + at] ^= 0x10
            path.write_bytes(data)
        spu.start()
        cluster.await_online()
        yield cluster


def damaged_in(cluster: RawCluster, name: str) -> int:
    """The record whose batch has the turned bit."""
    path = sorted((cluster.folder / "spu-5001").rglob(f"{name}-0/*.log"))[1]
    return int(path.name[:20]) + 3


async def consume(endpoint: str, topic: str, start: int) -> tuple[list[int], DamagedRecordsError | None]:
    """Offsets read from `start` to the end, or to an error."""
    seen: list[int] = []
    async with Fluvio.connect(endpoint) as client:
        config = ConsumerConfig(topic, start=Offset.absolute(start), disable_continuous=True)
        async with client.consumer(config) as consumer:
            try:
                async for record in consumer:
                    assert record.value.startswith(b"record %02d" % record.offset)
                    seen.append(record.offset)
            except DamagedRecordsError as exc:
                return seen, exc
    return seen, None


@pytest.mark.parametrize("name", PLACES)
def test_our_client_gets_what_is_before_the_damage_then_an_error_that_tells_where_to_go_on(
    rotten: RawCluster, name: str
) -> None:
    at = damaged_in(rotten, name)
    seen, error = asyncio.run(asyncio.wait_for(consume(rotten.endpoint, name, 0), 30))
    assert error is not None
    assert seen == list(range(error.first))
    assert error.first == at
    assert at < error.next_readable <= at + 3
    assert f"--start {error.next_readable}" in str(error.hint)
    rest, none = asyncio.run(asyncio.wait_for(consume(rotten.endpoint, name, error.next_readable), 30))
    assert (rest[:1], rest[-1] >= RECORDS - 1, none) == ([error.next_readable], True, None)
    with RawPeer(rotten.spus[0].public_port) as peer:
        peer.shake_hands()
        assert produce(peer, name, one_batch(b"record %02d" % (rest[-1] + 1))).is_ok
    assert f"offsets={error.first}-{error.next_readable - 1} path=" in rotten.spus[0].said()


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
@pytest.mark.parametrize("name", ["payload", "magic"])
def test_the_official_client_gets_an_error_that_tells_the_range_and_reads_on_behind_it(
    rotten: RawCluster, name: str
) -> None:
    at = damaged_in(rotten, name)
    with pytest.raises(AssertionError, match=f"records {at} to \\d+ of {name}-0 are damaged") as caught:
        official.run(rotten.endpoint, official.consume_partition, topic=name, start=["absolute", 0], count=30)
    following = int(str(caught.value).split("go on at offset ")[1].split()[0].rstrip("\"'.,)"))
    rows = official.run(
        rotten.endpoint, official.consume_partition, topic=name, start=["absolute", following], count=5
    )
    assert [row[0] for row in rows] == list(range(following, following + 5))
    assert all(row[2].startswith(f"record {row[0]:02d}") for row in rows)


def test_fluvio_consume_says_what_is_damaged_and_how_to_read_on(
    rotten: RawCluster, throwaway_home: LocalCluster
) -> None:
    at = damaged_in(rotten, "payload")
    throwaway_home.run("profile", "add", "rotten", rotten.endpoint)
    words = ("consume", "payload", "-d", "-F", "{{offset}}")
    failed = throwaway_home.run(*words, "-B", check=False)
    assert failed.returncode == 1
    assert failed.stdout.split() == [str(i) for i in range(at)]
    assert f"records {at} to {at} of payload-0 are damaged on the disk" in failed.stderr
    assert f"go on at offset {at + 1}" in failed.stderr  # on a terminal with a hint: `--start`
    rest = throwaway_home.run(*words, "--start", str(at + 1)).stdout.split()
    assert rest[:2] == [str(at + 1), str(at + 2)]
    assert len(rest) >= RECORDS - at - 1
