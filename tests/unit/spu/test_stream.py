"""Flow control of one stream, without a stream."""

import pytest

from fluvio_local_cluster.spu.replica.stream import Read, StreamFlow, StreamState
from fluvio_protocol.api.fetch import Isolation


def flow(offset: int = 0, isolation: Isolation = Isolation.READ_UNCOMMITTED) -> StreamFlow:
    return StreamFlow(offset, 1000, isolation)


def test_nothing_is_read_before_there_is_something() -> None:
    stream = flow(5)
    assert stream.next_read(leo=5, hw=5) is None
    assert stream.next_read(leo=6, hw=6) == Read(5, 6, 1000)


def test_after_a_push_nothing_is_read_until_the_acknowledgement() -> None:
    stream = flow()
    stream.sent(10)
    assert stream.state is StreamState.SENT
    assert stream.next_read(leo=20, hw=20) is None
    stream.acknowledge(10)
    assert stream.next_read(leo=20, hw=20) == Read(10, 20, 1000)


@pytest.mark.parametrize("offset", [0, 3, 15])
def test_reading_goes_on_wherever_the_consumer_says(offset: int) -> None:
    stream = flow()
    stream.sent(10)
    stream.acknowledge(offset)
    assert stream.next_read(leo=20, hw=20) == Read(offset, 20, 1000)


def test_an_acknowledgement_beyond_the_end_waits_for_the_log_to_get_there() -> None:
    stream = flow()
    stream.sent(10)
    stream.acknowledge(30)
    assert stream.next_read(leo=30, hw=30) is None
    assert stream.next_read(leo=31, hw=31) == Read(30, 31, 1000)


def test_a_first_offset_beyond_the_end_is_for_the_log_to_refuse() -> None:
    assert flow(7).next_read(leo=5, hw=5) == Read(7, 5, 1000)


def test_committed_reading_ends_at_the_high_watermark() -> None:
    stream = flow(2, Isolation.READ_COMMITTED)
    assert stream.next_read(leo=10, hw=2) is None
    assert stream.next_read(leo=10, hw=4) == Read(2, 4, 1000)
    between = flow(8, Isolation.READ_COMMITTED)
    assert between.next_read(leo=10, hw=4) is None


def test_an_ended_stream_reads_nothing_whatever_is_acknowledged() -> None:
    stream = flow()
    stream.end()
    stream.acknowledge(0)
    assert stream.next_read(leo=10, hw=10) is None


def test_an_acknowledgement_that_comes_while_the_push_is_being_written_counts() -> None:
    stream = flow()
    stream.sent(10)  # noted before the bytes leave
    stream.acknowledge(10)
    assert stream.state is StreamState.READING
