"""Where a time begins in a partition: found with few requests, and nothing young enough lies before it."""

import math
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from fluvio_client.consumer.time_search import PROBE_BYTES, TimeSearch
from fluvio_protocol.batch import BatchBuilder, stamp

NOW = 1_700_000_000_000


def batch(base_offset: int, times: list[int]) -> bytes:
    builder = BatchBuilder(times[0])
    for time in times:
        builder.append(None, b"value", time)
    data = builder.build()
    stamp(data, 0, base_offset, 0)
    return bytes(data)


@dataclass
class FakePartition:
    """Batches of records with these times; answers are cut behind `cut` bytes, as official servers do."""

    batches: list[list[int]]
    cut: int = PROBE_BYTES
    start: int = 0
    requests: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + sum(map(len, self.batches))

    def fetch(self, offset: int) -> bytes:
        self.requests.append(offset)
        base = self.start
        for times in self.batches:
            if base <= offset < base + len(times):
                return batch(base, times)[: self.cut]
            base += len(times)
        raise AssertionError(f"offset {offset} does not exist")

    def find(self, since_ms: int) -> int:
        search = TimeSearch(since_ms, self.start, self.end)
        while (probe := search.probe) is not None:
            search.take(self.fetch(probe))
        return search.low


def first_batch_since(partition: FakePartition, since_ms: int) -> int:
    base = partition.start
    for times in partition.batches:
        if max(times) >= since_ms:
            return base
        base += len(times)
    return base


@given(
    sizes=st.lists(st.integers(1, 30), max_size=40),
    steps=st.lists(st.integers(0, 5), min_size=1),
    since=st.integers(-2, 400),
    start=st.integers(0, 100),
    cut=st.sampled_from([PROBE_BYTES, 80, 10_000]),
)
def test_the_first_batch_that_is_not_older_is_found(
    sizes: list[int], steps: list[int], since: int, start: int, cut: int
) -> None:
    batches, time = [], NOW
    for number, size in enumerate(sizes):
        time += steps[number % len(steps)]
        batches.append([time] * size)
    partition = FakePartition(batches, cut, start)
    assert partition.find(NOW + since) == first_batch_since(partition, NOW + since)


def test_the_number_of_requests_grows_with_the_logarithm_of_the_records() -> None:
    for count in (1, 10, 100, 1000, 10_000):
        partition = FakePartition([[NOW + number] for number in range(count)])
        for since in (0, 1, count // 2, count - 1, count):
            partition.requests.clear()
            assert partition.find(NOW + since) == since
            assert len(partition.requests) <= math.log2(count) + 1


def test_an_empty_partition_is_not_asked() -> None:
    partition = FakePartition([], start=7)
    assert partition.find(NOW) == 7
    assert partition.requests == []


def test_a_batch_without_a_time_is_not_skipped() -> None:
    assert FakePartition([[0, 0], [0], [NOW]]).find(NOW) == 0
    assert FakePartition([[NOW - 9], [0], [NOW]]).find(NOW) == 1


def test_an_answer_without_a_header_is_not_skipped() -> None:
    search = TimeSearch(NOW, 0, 100)
    while search.probe is not None:
        search.take(batch(0, [NOW])[: PROBE_BYTES - 1])
    assert search.low == 0


def test_times_that_go_back_end_the_search_all_the_same() -> None:
    partition = FakePartition([[NOW + number % 7] for number in range(500)])
    found = partition.find(NOW + 3)
    assert 0 <= found <= 500
    assert len(partition.requests) <= 10


def test_when_retention_is_faster_the_search_goes_on_behind_what_is_gone() -> None:
    search = TimeSearch(NOW, 0, 100)
    assert search.probe == 50
    search.evicted(90)
    assert search.low == 90
    assert search.probe == 95
    search.evicted(3)
    assert search.low == 96
