"""What `consumer list` shows of an offset, and which addresses `cluster spu register` takes."""

import pytest

from fluvio_cli.commands.cluster.spu.register import read_address
from fluvio_cli.commands.consumer.list import table_row
from fluvio_cli.output.objects import consumer_view
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


def test_addresses_are_hosts_with_a_port() -> None:
    assert read_address("localhost:9010") == Endpoint("localhost", 9010)
    assert read_address("[::1]:9010") == Endpoint("::1", 9010)


@pytest.mark.parametrize("text", ["nocolon", ":9010", "h:", "h:0", "h:65536", "h:x", ""])
def test_what_is_no_address_is_refused_with_the_official_text(text: str) -> None:
    with pytest.raises(FluvioError) as caught:
        read_address(text)
    assert str(caught.value) == f"invalid host:port format {text}"
    assert caught.value.hint
