"""What running servers tell of themselves: Prometheus text where `--metrics` says, JSON beside records."""

import asyncio
import http.client
import json
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.settings import ClientSettings
from tests.support.raw_cluster import RawCluster, ServerProcess

DOCUMENTED = Path(__file__).parents[2] / "docs" / "metrics.md"
RECORDS, VALUE = 300, bytes(100)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RawCluster]:
    with RawCluster(tmp_path, options=["--metrics", "127.0.0.1:0"]) as running:
        yield running


def place_of(server: ServerProcess) -> tuple[str, int]:
    """Where its metrics are told, as it says itself."""
    host, port = re.findall(r"metrics are told at http://([^:]+):(\d+)/metrics", server.said())[-1]
    return host, int(port)


def get(server: ServerProcess, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection(*place_of(server), timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scraped(server: ServerProcess) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels."""
    status, text = get(server)
    assert status == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told(path: Path) -> dict[str, Any]:
    """What the JSON socket says."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        data = b"".join(iter(lambda: caller.recv(65536), b""))
    document: dict[str, Any] = json.loads(data)
    return document


def produce_and_consume(endpoint: str, client_id: str = "somebody") -> None:
    async def body() -> None:
        settings = ClientSettings(client_id=client_id)
        async with Fluvio.connect(endpoint, settings=settings) as client:
            async with client.producer("t") as producer:
                await producer.send_many([VALUE] * RECORDS)
            config = ConsumerConfig("t", start=Offset.beginning(), disable_continuous=True)
            async with client.consumer(config) as consumer:
                assert [record.value async for record in consumer][-RECORDS:] == [VALUE] * RECORDS

    asyncio.run(body())


def test_figures_add_up_with_what_was_produced_and_consumed(cluster: RawCluster) -> None:
    cluster.create_topic("t")
    [spu] = cluster.spus
    before = scraped(spu)
    produce_and_consume(cluster.endpoint)
    found = scraped(spu)
    assert found["fluvio_spu_produce_records_total", "client"] == RECORDS
    assert found["fluvio_spu_fetch_records_total", "client"] == RECORDS
    size = found["fluvio_spu_produce_bytes_total", "client"]
    assert RECORDS * len(VALUE) < size == found["fluvio_spu_fetch_bytes_total", "client"]
    assert found["fluvio_spu_partition_size_bytes", "0", "t"] == size
    for name in ("log_end_offset", "high_watermark"):
        assert found[f"fluvio_spu_partition_{name}", "0", "t"] == RECORDS
    assert found["fluvio_spu_partition_log_start_offset", "0", "t"] == 0
    requests = found["fluvio_spu_produce_requests_total",]
    assert 1 <= requests == found["fluvio_spu_produce_duration_seconds_count",]
    assert found["fluvio_spu_produce_duration_seconds_sum",] > 0
    assert found["fluvio_spu_connections_accepted_total", "public"] > before.get(
        ("fluvio_spu_connections_accepted_total", "public"), 0
    )
    assert found["process_resident_memory_bytes",] > 10_000_000
    assert found["fluvio_event_loop_lag_seconds_count",] >= before["fluvio_event_loop_lag_seconds_count",]

    controller = scraped(cluster.sc)
    assert controller["fluvio_sc_spus", "online"] == 1
    assert controller["fluvio_sc_topics", "provisioned"] == controller["fluvio_sc_objects", "Topic"] >= 1
    assert controller["fluvio_sc_partitions", "online"] >= 1
    assert controller["fluvio_sc_metadata_objects_written_total",] >= 3


def test_every_metric_is_documented_and_no_other_is(cluster: RawCluster) -> None:
    cluster.create_topic("t")
    told_of = set(re.findall(r"^\| `((?:fluvio|process)_\w+)`", DOCUMENTED.read_text(), re.MULTILINE))
    there = set()
    for server in (cluster.sc, *cluster.spus):
        _, text = get(server)
        there |= set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert told_of == there


def test_a_scrape_that_is_none_is_told_so_and_hurts_nobody(cluster: RawCluster) -> None:
    [spu] = cluster.spus
    assert get(spu, "/healthz") == (200, "ok\n")
    assert get(spu, "/metrics", "HEAD") == (200, "")
    assert get(spu, "/")[0] == 404
    assert get(spu, "/metrics", "POST")[0] == 405
    for rubbish in (b"\0" * 100 + b"\r\n\r\n", b"GET /metrics\r\n\r\n", b"no end"):
        with socket.create_connection(place_of(spu), timeout=10) as peer:
            peer.sendall(rubbish)
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert get(spu)[0] == 200


def test_the_json_socket_tells_the_traffic_of_clients_and_connectors(cluster: RawCluster) -> None:
    cluster.create_topic("t")
    path = cluster.folder / "spu-5001" / "spu-5001.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    produce_and_consume(cluster.endpoint)
    produce_and_consume(cluster.endpoint, "fluvio_connector_http")
    document = told(path)
    assert set(document) == {"spu"}
    assert document["spu"]["smartmodule"] == {}
    inbound, outbound = document["spu"]["inbound"], document["spu"]["outbound"]
    assert inbound["client"]["records"] == inbound["connector"]["records"] == RECORDS
    assert inbound["client"]["bytes"] > RECORDS * len(VALUE)
    assert outbound["client"]["records"] == RECORDS
    assert outbound["connector"]["records"] == 2 * RECORDS  # it read what was there before, too


def test_the_socket_of_a_killed_spu_is_replaced_and_that_of_a_running_one_is_not(tmp_path: Path) -> None:
    with RawCluster(tmp_path) as cluster:
        [spu] = cluster.spus
        path = tmp_path / "spu-5001" / "spu-5001.sock"
        spu.kill()
        assert path.exists()
        with pytest.raises(ConnectionRefusedError):
            told(path)
        spu.start()
        assert told(path)["spu"]["inbound"]["client"]["records"] == 0
        maps = Path(f"/proc/{spu.pid}/maps").read_text()
        assert "libssl" not in maps  # which prometheus_client would have loaded
    assert not path.exists()


def test_a_path_that_is_no_dead_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "spu-5001" / "spu-5001.sock"
    path.parent.mkdir()
    path.write_text("somebody's")
    with RawCluster(tmp_path) as cluster:
        assert "no metrics are told there" in cluster.spus[0].said()
    assert path.read_text() == "somebody's"
