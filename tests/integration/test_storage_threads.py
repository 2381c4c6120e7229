"""Everything at once, as in an SPU: appends, and beside them readers, syncs, cleanings and checkpoints."""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from fluvio_local_cluster.storage import (
    LogSettings,
    OffsetEvictedError,
    OpenFiles,
    ReplicaLog,
    RetentionRules,
)
from fluvio_protocol.batch import decode_records, split
from tests.support.record_sets import one_batch, values_of

APPENDS = 1500
SETTINGS = LogSettings(
    segment_bytes=2_000,
    index_interval_bytes=300,
    mark_step_bytes=500,
    boot_id="boot",
    retention=RetentionRules(retention_s=10**6, max_bytes=20_000),
)


class Crowd:
    """Threads that do one thing each, over and over, until the appends are done."""

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self.failures: list[BaseException] = []
        self.threads: list[threading.Thread] = []

    def repeat(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                while not self.is_done.is_set():
                    work()
            except BaseException as exc:  # noqa: BLE001 - handed to the test's thread
                self.failures.append(exc)

        self.threads.append(threading.Thread(target=run))

    def join(self) -> None:
        self.is_done.set()
        for thread in self.threads:
            thread.join(60)
        assert self.failures == []


def value_at(offset: int) -> bytes:
    return b"%d" % offset + b"x" * (offset * 7 % 150)


def test_readers_syncs_cleanings_and_checkpoints_beside_appends_see_a_whole_log(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as directory:
        log = ReplicaLog.open(Path(directory) / "t-0", SETTINGS, open_files=OpenFiles(limit=4))
        crowd = Crowd()
        followed = [0]
        evictions = [0]
        starts = [0]

        def follow() -> None:
            """Read on from where the last read ended."""
            try:
                piece = log.read(followed[0], 700, log.leo)
            except OffsetEvictedError as exc:
                followed[0] = max(exc.next_available, followed[0] + 1)
                return
            if piece is None:
                return
            with piece:
                data = memoryview(piece.read_bytes())
            records = [r for header in split(data) for r in decode_records(data, header)]
            assert [r.offset for r in records] == list(range(piece.first_offset, piece.next_offset))
            assert all(r.value == value_at(r.offset) for r in records)
            followed[0] = piece.next_offset

        def read_the_oldest() -> None:
            try:
                piece = log.read(log.log_start, 1, log.leo)
            except OffsetEvictedError:
                evictions[0] += 1
                return
            if piece is not None:
                with piece:
                    data = memoryview(piece.read_bytes())
                assert decode_records(data, split(data)[0])

        def sync() -> None:
            assert log.sync() <= log.synced_leo <= log.leo

        def clean() -> None:
            start = log.clean(log.leo, log.leo).log_start
            assert start >= starts[0]
            starts[0] = start

        for work in (follow, read_the_oldest, sync, clean, lambda: log.checkpoint_hw() and None):
            crowd.repeat(work)
        for thread in crowd.threads:
            thread.start()
        for i in range(APPENDS):
            offset = 2 * i
            records = one_batch(value_at(offset)) + one_batch(value_at(offset + 1))
            log.append(records, split(records), -1)
            log.set_hw(log.leo)
        crowd.join()
        clean()
        assert log.leo == 2 * APPENDS
        assert log.log_start > 0
        assert log.size_bytes <= 20_000
        assert values_of(log) == [value_at(offset) for offset in range(log.log_start, log.leo)]
        log.abandon()
        again = ReplicaLog.open(log.directory, SETTINGS)
        assert again.report.lines() == []
        assert (again.log_start, again.leo) == (log.log_start, log.leo)
        again.close()
