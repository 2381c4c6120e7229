"""The comparison with peers: others' servers are waited for and gone afterwards; ours takes every sample."""

import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from tests.bench import report
from tests.bench.__main__ import main
from tests.bench.measuring import BenchError
from tests.bench.peers import page_cache, plot
from tests.bench.peers.client_process import ClientProcess
from tests.bench.peers.engine import Job, UnavailableError
from tests.bench.peers.ours import OurClient
from tests.bench.peers.pacer import Pacer
from tests.bench.peers.server_process import ServerProcess
from tests.support.peer_rows import latency_row, rate_row


def server(tmp_path: Path, program: str) -> ServerProcess:
    return ServerProcess([sys.executable, "-I", "-c", program], "ready", tmp_path, os.environ)


def test_a_server_is_ready_when_it_says_so_and_gone_when_it_is_stopped(tmp_path: Path) -> None:
    running = server(tmp_path, "import signal; print('ready at 1234', flush=True); signal.pause()")
    try:
        running.wait_until_ready(20)
        assert "1234" in running.line
        process: psutil.Process = running.process
    finally:
        running.stop()
    assert not process.is_running()


def test_a_server_that_ends_early_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    running = server(tmp_path, "import sys; sys.exit('the port is taken')")
    with pytest.raises(UnavailableError, match="the port is taken"):
        running.wait_until_ready(20)


def test_a_server_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    running = server(tmp_path, "import signal; signal.pause()")
    process = running.process
    with pytest.raises(UnavailableError, match="did not start within 0 s: it said nothing"):
        running.wait_until_ready(0.2)
    assert not process.is_running()


def test_a_picture_is_drawn_also_without_a_peer(tmp_path: Path) -> None:
    consume = rate_row(80.0, 4.0, "no `java`")
    consume.key = "consume/1000"
    rows = [rate_row(80.0, 4.0, 7.0), consume, latency_row("p50", 0.5, 0.4), latency_row("p99", 1.0, 2.0)]
    picture = tmp_path / "new" / "peers.png"
    plot.draw(report.document(rows, report.machine()), picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_client_that_fails_is_an_error_with_what_it_said() -> None:
    with ClientProcess(OurClient) as client:
        with pytest.raises(BenchError, match=r"(?s)OurClient, drop: ended with 1 .*127\.0\.0\.1:1"):
            client.run("drop", Job("127.0.0.1:1", "none"))


def test_the_pacer_gives_every_tick_in_order_and_at_its_rate() -> None:
    stamps: list[int] = []
    with Pacer(100, 1_000) as pacer:
        while taken := pacer.wait():
            stamps += taken
    assert len(stamps) == 100
    assert stamps == sorted(stamps)
    assert stamps[-1] - stamps[0] >= 98_000_000  # ns: no tick comes before it is due


@pytest.mark.skipif(not page_cache.CAN_DROP, reason="this system cannot drop pages")
def test_a_dropped_file_keeps_its_bytes_and_a_missing_one_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "segment"
    file.write_bytes(b"x" * 1_000_000)
    page_cache.drop([file, tmp_path / "deleted-meanwhile"])
    assert file.read_bytes() == b"x" * 1_000_000


def test_ours_takes_every_sample_where_no_peer_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.json"
    assert main(["--quick", "--only", "peers", "--json", str(results)]) == 0
    rows = {row["key"]: row for row in json.loads(results.read_text())["rows"]}
    cold = {"consume-cold/1000"} if page_cache.CAN_DROP else set()
    assert set(rows) == cold | {
        "produce/1000",
        "consume/1000",
        "decode/1000",
        "latency/p50",
        "latency/p99",
        "singles/acknowledged",
        "singles/flushed",
        "startup",
        "memory/idle",
        "memory/loaded",
    }
    for key, row in rows.items():
        assert row["median"] > 0, key
        assert row["peers"] == {
            "NATS JetStream": {"missing": "not asked for"},
            "Apache Kafka": {"missing": "not asked for"},
        }
    assert rows["latency/p50"]["median"] <= rows["latency/p99"]["median"]
    assert "Apache Kafka was not measured: not asked for" in capsys.readouterr().out
