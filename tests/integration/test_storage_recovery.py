"""Crashes, torn files, the official engine's directories, many replicas: the disk as it really is left."""

import asyncio
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import LogSettings, OpenFiles, ReplicaLog
from fluvio_protocol.batch import split
from tests.support.record_sets import append, append_each, one_batch, read_all, values_of

REPOSITORY = Path(__file__).parents[2]
SAMPLES = REPOSITORY / "tests" / "data" / "engine-replica"
ACTIVE = ("00000000000000000097", "replication.chk")  # files of the sample that appends change
SEGMENT_1024 = LogSettings(segment_bytes=1024)


def sample(name: str, tmp_path: Path) -> Path:
    """A copy of a directory that the official engine wrote."""
    return Path(shutil.copytree(SAMPLES / name, tmp_path / Path(name).name))


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


# --- the official engine's directories -------------------------------------------------------------------


def test_an_official_replica_reads_back_record_for_record_and_takes_appends(tmp_path: Path) -> None:
    directory = sample("spu-logs-5001/seg-0", tmp_path)
    before = contents(directory)
    log = ReplicaLog.open(directory, SEGMENT_1024)
    assert (log.log_start, log.leo, log.hw) == (0, 102, 102)
    assert log.report.lines() == []
    records = read_all(log)
    assert [record.offset for record in records] == list(range(102))
    assert [record.value[:8] for record in records[:60]] == [b"rec-%03d-" % i for i in range(60)]
    assert [record.key for record in records[100:]] == [b"k1", b"k2"]
    assert {record.key for record in records[:100]} == {None}
    codecs = []
    position = 0
    while (piece := log.read(position, 1, 102)) is not None:
        with piece:
            (header,) = split(piece.read_bytes())
        codecs.append(header.codec_number)
        assert header.leader_epoch == -1
        position = piece.next_offset
    assert codecs == [0] * 60 + [1] * 10 + [2] * 10 + [3] * 10 + [4] * 10 + [0, 0]
    assert contents(directory) == before  # opening and reading change not a byte

    append_each(log, 30)
    assert values_of(log)[102:] == [b"record %03d" % i for i in range(30)]
    log.close()
    again = ReplicaLog.open(directory, SEGMENT_1024)
    assert again.report.was_clean
    assert (again.leo, len(read_all(again))) == (132, 132)
    assert all(
        contents(directory)[name] == data for name, data in before.items() if name < "000000000000000000097"
    )


def test_official_consumer_offsets_read_back_though_nothing_was_checkpointed(tmp_path: Path) -> None:
    log = ReplicaLog.open(sample("spu-logs-5001/consumer-offset-0", tmp_path), LogSettings())
    assert log.leo == 9
    assert len(read_all(log)) == 9
    assert log.report.torn_tail is None


def test_the_official_active_index_with_its_10_mib_of_zeros_is_accepted(tmp_path: Path) -> None:
    directory = sample("spu-logs-5001/seg-0", tmp_path)
    active = directory / "00000000000000000097.index"
    os.truncate(active, 10_485_760)
    log = ReplicaLog.open(directory, SEGMENT_1024)
    append_each(log, 30)
    assert active.stat().st_size == 8  # closed by now, without an entry
    assert len(read_all(log)) == 132


def test_our_closed_index_equals_the_official_one_byte_for_byte(tmp_path: Path) -> None:
    directory = sample("indexed-segment", tmp_path)
    official = (directory / "00000000000000000000.index").read_bytes()
    (directory / "00000000000000000000.index").unlink()
    log = ReplicaLog.open(directory, LogSettings(segment_bytes=20_000))
    assert log.leo == 165
    append_each(log, 1)
    assert (directory / "00000000000000000000.index").read_bytes() == official
    cold = ReplicaLog.open(directory, LogSettings(segment_bytes=20_000))
    assert cold.report.rebuilt_indexes == []
    for start in (0, 33, 34, 35, 100, 164):
        assert len(read_all(cold, start, max_bytes=500)) == 166 - start


# --- torn tails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "zeros", "overwrite", "extend"])
@pytest.mark.parametrize("seed", range(12))
def test_a_torn_tail_leaves_a_prefix_that_ends_between_batches(
    tmp_path: Path, damage: str, seed: int
) -> None:
    rng = random.Random(f"{damage}-{seed}")
    settings = LogSettings(segment_bytes=1 << 20, index_interval_bytes=500)
    log = ReplicaLog.open(tmp_path / "t-0", settings)
    batches = [[rng.randbytes(rng.randint(0, 400)) for _ in range(rng.randint(1, 4))] for _ in range(200)]
    for values in batches:
        append(log, *values)
    log.set_hw(log.leo)
    if rng.random() < 0.5:
        log.close()
    else:
        log.checkpoint_hw()
        log.abandon()
    path = log.directory / "00000000000000000000.log"
    original = path.read_bytes()
    headers = split(original)
    at = rng.randrange(max(0, len(original) - 20_000), len(original))
    broken = bytearray(original)
    if damage == "cut":
        del broken[at:]
    elif damage == "zeros":
        broken[at:] = bytes(len(broken) - at)
    elif damage == "overwrite":
        broken[at : at + 50] = rng.randbytes(50)[: len(broken) - at]
    else:
        broken += rng.randbytes(rng.randint(1, 3000))
    path.write_bytes(broken)
    (log.directory / "clean").unlink(missing_ok=True)
    same = next((i for i, (a, b) in enumerate(zip(original, broken, strict=False)) if a != b), len(broken))
    survivors = [h for h in headers if h.position + h.size_bytes <= same]

    again = ReplicaLog.open(log.directory, settings, clock=lambda: 1_700_000_000.0)
    expected = [value for values in batches[: len(survivors)] for value in values]
    assert values_of(again) == expected
    assert again.leo == again.hw == len(expected)
    end = survivors[-1].position + survivors[-1].size_bytes
    assert path.stat().st_size == again.size_bytes == end
    tail = again.report.torn_tail
    assert (tail is None) == (len(broken) == end)
    if tail is not None:
        assert tail.saved_as == f"recovered-{again.leo}-1700000000000.bad"
        assert (log.directory / tail.saved_as).read_bytes() == broken[end:]
        assert (tail.offset, tail.position, tail.size_bytes) == (again.leo, end, len(broken) - end)
    append(again, b"next")
    assert values_of(again) == [*expected, b"next"]
    again.abandon()
    assert ReplicaLog.open(log.directory, settings).report.lines() == []


@pytest.mark.parametrize("seed", range(8))
def test_garbage_in_any_small_file_never_keeps_the_records_away(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    log = ReplicaLog.open(tmp_path / "t-0", SEGMENT_1024)
    append_each(log, 50)
    log.close()
    for path in log.directory.iterdir():
        if path.suffix != ".log":
            path.write_bytes(rng.randbytes(rng.choice([0, 1, 7, 8, 64])))
    (log.directory / "damage.json").write_bytes(rng.randbytes(20))
    again = ReplicaLog.open(log.directory, SEGMENT_1024)
    assert values_of(again) == [b"record %03d" % i for i in range(50)]
    append(again, b"next")
    assert again.leo == 51


def test_a_crash_in_the_middle_of_a_roll_is_recovered(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SEGMENT_1024)
    append_each(log, 13)
    log.abandon()
    index = log.directory / "00000000000000000000.index"
    (
        log.directory / "00000000000000000013.log"
    ).touch()  # the new segment has its name, the index is half there
    index.write_bytes(b"\0\0\0")
    again = ReplicaLog.open(log.directory, SEGMENT_1024)
    assert again.leo == 13
    assert index.read_bytes() == bytes(8)
    append(again, b"next")
    assert values_of(again) == [*(b"record %03d" % i for i in range(13)), b"next"]


# --- kill -9 ---------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from fluvio_local_cluster.storage import LogSettings, ReplicaLog
from fluvio_protocol.batch import split
from tests.support.record_sets import one_batch

log = ReplicaLog.open(Path(sys.argv[1]), LogSettings(segment_bytes=200_000))
for i in range(log.leo // 3, 1_000_000):
    records = one_batch(*(b"%d.%d." % (i, k) + b"x" * (i * 37 % 2000) for k in range(3)))
    leo = log.append(records, split(records), -1).leo
    sys.stdout.write(f"{leo}\\n")
    sys.stdout.flush()
"""


def test_after_kill_9_every_acknowledged_record_is_there_once_and_in_order(tmp_path: Path) -> None:
    rng = random.Random(3)
    directory = tmp_path / "t-0"
    acknowledged = 0
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(directory)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(rng.randint(50, 600)):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
        writer.wait(10)
        writer.stdout.close()
        log = ReplicaLog.open(directory, LogSettings(segment_bytes=200_000), single_replica=True)
        assert not log.report.was_clean
        assert log.leo == log.hw >= acknowledged
        found = [value.rsplit(b".", 1)[0] for value in values_of(log)]
        assert found == [b"%d.%d" % (i // 3, i % 3) for i in range(log.leo)]
        log.abandon()


# --- two threads -------------------------------------------------------------------------------------


def test_readers_in_another_thread_never_see_anything_but_whole_published_batches(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(segment_bytes=3000, index_interval_bytes=200))
    failures: list[BaseException] = []
    is_done = threading.Event()

    def follow() -> None:
        seen = 0
        try:
            while not is_done.is_set() or seen < log.leo:
                records = read_all(log, seen, max_bytes=700)
                assert [record.offset for record in records] == list(range(seen, seen + len(records)))
                assert all(record.value == b"record %03d" % record.offset for record in records)
                seen += len(records)
        except BaseException as exc:  # noqa: BLE001 - handed to the test's thread
            failures.append(exc)

    readers = [threading.Thread(target=follow) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(300):
        records = bytearray().join(one_batch(b"record %03d" % (3 * i + k)) for k in range(3))
        log.append(records, split(records), -1)
    is_done.set()
    for reader in readers:
        reader.join(30)
    assert failures == []
    assert log.leo == 900


# --- sendfile ----------------------------------------------------------------------------------------


def test_a_slice_goes_from_its_file_into_a_socket_by_sendfile(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"x" * 100_000)
    append(log, b"y")

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with log.read(1, 1 << 20, log.leo) as piece:
            await asyncio.get_running_loop().sendfile(
                writer.transport, piece.file, piece.position, piece.size_bytes, fallback=False
            )
        writer.close()

    async def receive() -> bytes:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            data = await reader.read(-1)
            writer.close()
            return data

    received = asyncio.run(receive())
    with log.read(1, 1 << 20, log.leo) as piece:
        assert received == piece.read_bytes()
    append(log, b"next")
    assert values_of(log)[1:] == [b"y", b"next"]


# --- many replicas ---------------------------------------------------------------------------------------

MANY = """
import os, resource, sys
from pathlib import Path
from fluvio_local_cluster.storage import LogSettings, OpenFiles, ReplicaLog
from tests.support.record_sets import append, values_of

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
files = OpenFiles()
logs = [ReplicaLog.open(Path(sys.argv[1]) / f"t-{i}", LogSettings(), open_files=files) for i in range(1000)]
idle = len(os.listdir("/dev/fd"))
for log in logs:
    append(log, str(log.directory.name).encode())
slices = [log.read(0, 100, 1) for log in logs[:500]]
busy = len(os.listdir("/dev/fd"))
for piece in slices:
    piece.release()
for log in logs:
    assert values_of(log) == [log.directory.name.encode()]
after = len(os.listdir("/dev/fd"))
for log in logs:
    log.abandon()
print(idle, busy, after, len(os.listdir("/dev/fd")))
"""


def test_a_thousand_replicas_live_under_a_limit_of_1024_descriptors(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    idle, busy, after, closed = (int(number) for number in result.stdout.split())
    assert idle < 20
    assert busy <= 500 + OpenFiles().limit + idle
    assert after <= OpenFiles().limit + idle
    assert closed <= idle


# --- a disk that is really full --------------------------------------------------------------------------


def test_a_file_size_limit_of_the_system_is_survived(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.size_bytes + 100, hard))
    try:
        records = one_batch(b"x" * 10) + one_batch(b"y" * 500)
        with pytest.raises(Exception, match=r"[Ff]ile too large"):
            log.append(records, split(records), -1)
        assert len(values_of(log)) == 5
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    append(log, b"next")
    log.abandon()
    again = ReplicaLog.open(log.directory, LogSettings())
    assert again.report.torn_tail is None
    assert values_of(again)[5:] == [b"next"]


def test_a_sparse_hole_at_the_end_of_the_active_segment_is_cut(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 5)
    log.abandon()
    path = log.directory / "00000000000000000000.log"
    size = path.stat().st_size
    os.truncate(path, size + 3_000_000)
    again = ReplicaLog.open(log.directory, LogSettings())
    assert path.stat().st_size == size
    assert again.report.torn_tail is not None
    assert again.report.torn_tail.size_bytes == 3_000_000
    assert struct.unpack(">q", path.read_bytes()[:8]) == (0,)
