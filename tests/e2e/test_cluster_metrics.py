"""`cluster start --metrics`: every server of a cluster is scraped where `cluster status` says."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.support.local_cluster import FREE_PORTS, LocalCluster
from tests.support.ports import free_port_block

WITHOUT_PACKAGE = """
from importlib.machinery import PathFinder

found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name == "prometheus_client" else found(name, *more)
"""


def scrape(url: str) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def places(cluster: LocalCluster) -> dict[str, str]:
    """Where the servers tell their metrics, by `cluster status`."""
    shown = json.loads(cluster.run("cluster", "status", "-O", "json").stdout)
    return {entry["server"]: entry["url"] for entry in shown["metrics"]}


def test_servers_are_scraped_at_the_ports_named_also_after_a_resume(throwaway_home: LocalCluster) -> None:
    first = free_port_block(3)
    home = throwaway_home.start("--spu", "2", "--metrics", f"127.0.0.1:{first}")
    urls = [f"http://127.0.0.1:{first + i}/metrics" for i in range(3)]
    assert places(home) == dict(zip(["SC", "SPU 5001", "SPU 5002"], urls, strict=True))
    home.run("topic", "create", "t", "-p", "2")
    home.run("produce", "t", stdin="one\ntwo\nthree\n")
    assert scrape(urls[0])["fluvio_sc_spus", "online"] == 2
    figures = [scrape(url) for url in urls[1:]]
    assert sum(each["fluvio_spu_produce_records_total", "client"] for each in figures) == 3
    assert sum(each["fluvio_spu_partitions",] for each in figures) == 3  # with the consumer offsets'
    told = home.run("cluster", "status", CI="1").stderr.splitlines()
    assert f"    📈 SPU 5002 tells its metrics at {urls[2]}" in told

    home.run("cluster", "shutdown")
    assert list(home.data_dir.glob("*.sock")) == []
    home.run("cluster", "resume")
    assert list(places(home).values()) == urls
    assert scrape(urls[2])["fluvio_spu_produce_records_total", "client"] == 0  # of this process
    assert sum(scrape(url).get(("fluvio_spu_partition_log_end_offset", "0", "t"), 0) for url in urls[1:]) > 0


def test_port_zero_takes_free_ports_and_a_deletion_leaves_no_socket(throwaway_home: LocalCluster) -> None:
    home = throwaway_home.start("--metrics", "127.0.0.1:0")
    ports = [server.plan.metrics.port for server in home.state.servers if server.plan.metrics is not None]
    assert len(set(ports)) == 2
    assert 0 not in ports
    for url in places(home).values():
        assert scrape(url)["process_open_fds",] > 3
    os.kill(home.processes()["SPU 5001"].pid, signal.SIGKILL)
    assert (home.data_dir / "spu-5001.sock").is_socket()
    home.run("cluster", "delete", "--force")
    assert not home.data_dir.exists()


def test_a_port_that_is_taken_is_told_before_anything_starts(throwaway_home: LocalCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = throwaway_home.run(
            "cluster", "start", *FREE_PORTS, "--metrics", f"127.0.0.1:{port - 1}", check=False
        )
    assert refused.returncode == 1
    assert f"port {port}, wanted by SPU 5001 for metrics, is used by pid {os.getpid()}" in refused.stderr
    assert "`--metrics`" in refused.stderr
    assert not throwaway_home.data_dir.exists()


def test_without_the_package_the_start_says_how_to_get_it(throwaway_home: LocalCluster) -> None:
    directory = throwaway_home.home / "without"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(WITHOUT_PACKAGE)
    refused = throwaway_home.run(
        *("cluster", "start", *FREE_PORTS, "--metrics", "127.0.0.1:0"),
        check=False,
        PYTHONPATH=str(directory),
        CI="1",
    )
    assert refused.returncode == 2
    assert "needs the package `prometheus-client`" in refused.stderr
    assert "pip install 'fluvio-cli[metrics]'" in refused.stderr
    assert not throwaway_home.data_dir.exists()
    for role, options in (
        ("spu", ["-i", "5001", "-p", "127.0.0.1:0", "-v", "127.0.0.1:0", "--log-base-dir", str(directory)]),
        ("sc", ["--bind-public", "127.0.0.1:0", "--bind-private", "127.0.0.1:0", "--local", str(directory)]),
    ):
        server = subprocess.run(
            [sys.executable, "-m", f"fluvio_local_cluster.{role}", *options, "--metrics", "127.0.0.1:0"],
            env={**throwaway_home.env, "PYTHONPATH": str(directory)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert server.returncode == 2
        assert "pip install 'fluvio-cli[metrics]'" in server.stderr


def test_without_the_option_nothing_is_told_nor_loaded(fresh_cluster: LocalCluster) -> None:
    assert places(fresh_cluster) == {}
    for process in fresh_cluster.processes().values():
        maps = Path(f"/proc/{process.pid}/maps")
        assert not maps.exists() or "libssl" not in maps.read_text()  # what prometheus_client loads
