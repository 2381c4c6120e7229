"""Where a consumer starts, for every kind of offset."""

import pytest

from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, OffsetStrategy
from fluvio_client.errors import ConsumerError


@pytest.mark.parametrize(
    ("offset", "stored", "wanted"),
    [
        (Offset.absolute(7), None, 7),
        (Offset.absolute(7), 20, 7),
        (Offset.absolute(500), None, 500),  # the SPU refuses it
        (Offset.beginning(), None, 10),
        (Offset.beginning(5), None, 15),
        (Offset.beginning(500), None, 30),
        (Offset.beginning(), 19, 20),
        (Offset.beginning(2), 19, 22),
        (Offset.end(), None, 30),
        (Offset.end(5), None, 25),
        (Offset.end(500), None, 10),
        (Offset.end(), 19, 20),
        (Offset.end(2), 19, 18),
        (Offset.beginning(), 2, 10),  # what was stored has been evicted
        (Offset.end(), 99, 30),
    ],
)
def test_an_offset_resolves_within_what_is_kept(offset: Offset, stored: int | None, wanted: int) -> None:
    assert offset.resolve(start=10, last=30, stored=stored) == wanted


def test_a_negative_offset_is_refused() -> None:
    with pytest.raises(ConsumerError, match="negative"):
        Offset.absolute(-1)


def test_keeping_offsets_needs_a_consumer_id() -> None:
    with pytest.raises(ConsumerError, match="consumer_id"):
        ConsumerConfig("t", offset_strategy=OffsetStrategy.AUTO)


@pytest.mark.parametrize("config", [{"max_bytes": 0}, {"partitions": (1, 1)}])
def test_settings_without_sense_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ConsumerError):
        ConsumerConfig("t", **config)  # type: ignore[arg-type]
