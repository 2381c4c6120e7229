"""What `consumer list` shows of an offset, and which addresses `cluster spu register` takes."""

import pytest

from fluvio_cli.commands.cluster.spu.register import read_address
from fluvio_cli.commands.consumer.describe import lag_of, place_view
from fluvio_cli.commands.consumer.list import table_row
from fluvio_cli.commands.consumer.reset import next_offset, read_place
from fluvio_cli.output.objects import consumer_view
from fluvio_client.consumer_places import Bounds
from fluvio_client.target import Endpoint
from fluvio_protocol.api.consumer_offsets import ConsumerOffset
from fluvio_protocol.error_code import ReplicaKey
from fluvio_types.errors import FluvioError


def entry(consumer_id: str = "c1") -> ConsumerOffset:
    replica = ReplicaKey(topic="t1", partition=3)
    return ConsumerOffset(consumer_id=consumer_id, replica_id=replica, offset=7, modified_time=1000)


@pytest.mark.parametrize(
    ("now_s", "age"), [(1000, "0s"), (1012, "12s"), (1000 + 3723, "1h 2m 3s"), (990, "0s")]
)
def test_a_row_tells_where_the_consumer_is_and_since_when(now_s: int, age: str) -> None:
    assert table_row(entry(), now_s) == ("c1", "t1", "3", "7", age)


@pytest.mark.parametrize(
    ("consumer_id", "shown"),
    [("", ""), ("Bad_Name é", "Bad_Name é"), ("a\nb", '"a\\nb"'), ("\x1b[2J", '"\\u001b[2J"')],
)
def test_an_id_cannot_break_its_row_or_command_the_terminal(consumer_id: str, shown: str) -> None:
    assert table_row(entry(consumer_id), 1000)[0] == shown


def test_structured_output_has_the_official_keys() -> None:
    assert consumer_view(entry("\x1b")) == {
        "consumer_id": "\x1b",
        "topic": "t1",
        "partition": 3,
        "offset": 7,
        "modified_time": 1000,
    }


@pytest.mark.parametrize(
    ("bounds", "lag"),
    [
        (Bounds(0, 8), 0),
        (Bounds(0, 10), 2),
        (Bounds(9, 10), 1),  # what retention has removed cannot be read any more
        (Bounds(0, 3), 0),  # the partition lost records
        (Bounds(20, 20), 0),
    ],
)
def test_the_lag_counts_records_that_are_there_and_were_not_read(bounds: Bounds, lag: int) -> None:
    assert lag_of(entry(), bounds) == lag


def test_a_partition_that_nobody_measures_is_null() -> None:
    view = place_view(entry(), None)
    assert (view["start"], view["end"], view["lag"]) == (None, None, None)


@pytest.mark.parametrize(("text", "offset"), [("start", 3), ("end", 9), ("3", 3), ("5", 5), ("9", 9)])
def test_a_consumer_can_be_moved_to_any_place_of_a_partition(text: str, offset: int) -> None:
    assert next_offset(read_place(text), Bounds(3, 9), "t-0") == offset


@pytest.mark.parametrize("text", ["2", "10"])
def test_a_place_that_a_partition_has_not_is_refused(text: str) -> None:
    with pytest.raises(FluvioError, match=f"t-0 has no offset {text}: it begins at 3 and ends before 9"):
        next_offset(read_place(text), Bounds(3, 9), "t-0")


@pytest.mark.parametrize("text", ["", "begin", "-1", "1.5", str(2**64)])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected `start`, `end` or an offset"):
        read_place(text)


def test_addresses_are_hosts_with_a_port() -> None:
    assert read_address("localhost:9010") == Endpoint("localhost", 9010)
    assert read_address("[::1]:9010") == Endpoint("::1", 9010)


@pytest.mark.parametrize("text", ["nocolon", ":9010", "h:", "h:0", "h:65536", "h:x", ""])
def test_what_is_no_address_is_refused_with_the_official_text(text: str) -> None:
    with pytest.raises(FluvioError) as caught:
        read_address(text)
    assert str(caught.value) == f"invalid host:port format {text}"
    assert caught.value.hint
