"""Settings, targets, pauses: checked where they are made."""

from types import SimpleNamespace

import pytest

from fluvio_client.backoff import Backoff
from fluvio_client.client import Fluvio
from fluvio_client.errors import ConnectionFailedError, ProducerConfigError
from fluvio_client.producer.settings import ProducerSettings, choose_codec
from fluvio_client.target import Endpoint, parse_endpoint, resolve_address
from fluvio_profiles.resolve import Target
from fluvio_protocol.api.topic import CompressionAlgorithm
from fluvio_protocol.compression import Codec


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:9003", Endpoint("127.0.0.1", 9003)),
        ("a.example:1", Endpoint("a.example", 1)),
        ("[::1]:9003", Endpoint("::1", 9003)),
    ],
)
def test_endpoints_are_read_and_written(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize("text", ["nocolon", ":9003", "h:", "h:x", "h:65536", "h:-1", ""])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ConnectionFailedError, match="Socket io invalid socket address, can't connect to"):
        parse_endpoint(text)


def test_a_resolved_profile_is_a_target() -> None:
    address = resolve_address(Target("h:1", use_spu_local_address=True))
    assert (address.endpoint, address.use_spu_local_address) == (Endpoint("h", 1), True)


def test_connect_wants_exactly_one_of_endpoint_and_profile() -> None:
    with pytest.raises(TypeError):
        Fluvio.connect()
    with pytest.raises(TypeError):
        Fluvio.connect("h:1", profile=SimpleNamespace())  # type: ignore[arg-type]


def test_pauses_grow_to_their_limit_and_start_small_again() -> None:
    backoff = Backoff(first_s=0.1, factor=2.0, most_s=0.5)
    assert [backoff.next_s() for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    backoff.reset()
    assert backoff.next_s() == 0.1
    settings = ProducerSettings(first_pause_s=0.02, most_pause_s=2.0)
    assert [settings.pause_s(attempts) for attempts in (1, 2, 3, 99)] == [0.02, 0.04, 0.08, 2.0]


@pytest.mark.parametrize(
    ("wished", "topic", "chosen"),
    [
        (None, CompressionAlgorithm.ANY, Codec.NONE),
        (Codec.ZSTD, CompressionAlgorithm.ANY, Codec.ZSTD),
        (None, CompressionAlgorithm.ZSTD, Codec.ZSTD),
        (Codec.LZ4, CompressionAlgorithm.LZ4, Codec.LZ4),
        (None, CompressionAlgorithm.NONE, Codec.NONE),
    ],
)
def test_the_topics_compression_is_taken_unless_it_takes_any(
    wished: Codec | None, topic: CompressionAlgorithm, chosen: Codec
) -> None:
    assert choose_codec(wished, topic) is chosen


def test_a_contradicting_compression_is_refused_with_the_official_text() -> None:
    with pytest.raises(ProducerConfigError) as caught:
        choose_codec(Codec.LZ4, CompressionAlgorithm.SNAPPY)
    assert str(caught.value) == (
        "Producer error: Invalid configuration in producer: Compression in the producer (lz4) "
        "does not match with topic level compression (snappy)"
    )


@pytest.mark.parametrize("name", ["batch_bytes", "max_request_bytes", "max_pending_bytes", "max_in_flight"])
def test_sizes_below_one_are_refused(name: str) -> None:
    with pytest.raises(ProducerConfigError, match=name):
        ProducerSettings(**{name: 0})  # type: ignore[arg-type]
