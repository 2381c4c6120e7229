"""A local cluster of the official engine is taken over: its topics, its records, its addresses."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import tomli_w

from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.state import Phase
from fluvio_local_cluster.lifecycle.takeover import take_over
from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource, tls_document
from fluvio_profiles.store import set_local_profile
from tests.support import official_python as official
from tests.support.certificates import DOMAIN, Authority
from tests.support.local_cluster import LocalCluster
from tests.support.official_directory import make_official_cluster, official_records

OURS = [("ours", "one"), (None, "two")]


def consumed(home: LocalCluster) -> list[tuple[str | None, str]]:
    """What our command reads of `seg`, from the first offset on."""
    template = '{"offset": {{offset}}, "key": "{{key}}", "value": "{{value}}"}'
    lines = home.run("consume", "seg", "-B", "-d", "-F", template).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert [record["offset"] for record in found] == list(range(len(found)))
    return [(None if record["key"] == "null" else record["key"], record["value"]) for record in found]


def test_an_official_cluster_is_taken_over_produced_to_and_read_back(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    fluvio_dir = home.home / ".fluvio"
    data_dir = make_official_cluster(fluvio_dir)
    before = {path.name: path.read_bytes() for path in (data_dir / "spu-logs-5001" / "seg-0").glob("*.log")}

    refused = home.run("cluster", "start", check=False)
    assert refused.returncode == 1
    assert f"fluvio cluster resume --data-dir {data_dir}" in refused.stderr
    resumed = home.run("cluster", "resume", "--data-dir", str(data_dir))
    assert f"Taking over the cluster of the official engine in {data_dir}" in resumed.stderr

    topics = {topic["name"] for topic in json.loads(home.run("topic", "list", "-O", "json").stdout)}
    assert topics >= {"seg", "plain", "tuned", "assigned"}
    assert consumed(home) == official_records()
    home.run("produce", "seg", "--key-separator", "=", stdin="ours=one\n")
    home.run("produce", "seg", stdin="two\n")
    home.run("produce", "plain", stdin="to the other SPU\n")
    everything = official_records() + OURS
    assert consumed(home) == everything

    home.run("cluster", "shutdown")
    for name, content in before.items():
        assert (data_dir / "spu-logs-5001" / "seg-0" / name).read_bytes().startswith(content)
    home.run("cluster", "resume")  # by the profile now, as one of ours
    assert consumed(home) == everything
    assert home.run("consume", "plain", "-B", "-d").stdout == "to the other SPU\n"
    assert sorted(home.running()) == ["SC", "SPU 5001", "SPU 5002"]


def test_an_official_cluster_with_tls_goes_on_with_its_certificates(
    throwaway_home: LocalCluster, tmp_path: Path
) -> None:
    home = throwaway_home
    data_dir = make_official_cluster(home.home / ".fluvio")
    authority = Authority(tmp_path)
    server, client = authority.server(), authority.client()
    config = home.home / ".fluvio" / "local-config"
    document = tomllib.loads(config.read_text())
    for key, pair in (("server_tls_policy", server), ("client_tls_policy", client)):
        certs = TlsCerts(DOMAIN, str(pair.key), str(pair.cert), str(authority.cert))
        document[key] = tls_document(Tls(TlsPolicy.VERIFIED, TlsSource.FILES, certs))
    config.write_text(tomli_w.dumps(document))
    home.run("cluster", "resume", "--data-dir", str(data_dir))
    assert consumed(home) == official_records()
    assert "Verified" in home.run("profile", "list").stdout
    assert tomllib.loads(config.read_text())["server_tls_policy"] == document["server_tls_policy"]
    assert home.run("-c", home.endpoint, "topic", "list", check=False).returncode == 4


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
def test_the_official_client_reads_and_writes_what_was_taken_over(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    make_official_cluster(home.home / ".fluvio")
    set_local_profile(home.profile_path, "local", sc_address(home))  # as the official command line leaves it
    home.run("cluster", "resume")
    endpoint = home.endpoint
    rows = [[offset, key or "", value] for offset, (key, value) in enumerate(official_records())]
    assert official.run(endpoint, official.consume, topic="seg", start=["beginning"]) == rows
    acks = official.run(endpoint, official.produce, topic="seg", records=[["k3", "v3"]])
    assert acks == [[0, 102]]
    managed = {"topic": "seg", "consumer": "audit", "strategy": "MANUAL"}
    first = official.run(endpoint, official.consume_managed, count=100, commit=100, **managed)
    assert first == rows[:100]
    home.run("cluster", "shutdown")
    home.run("cluster", "resume")
    rest = official.run(endpoint, official.consume_managed, count=3, **managed)
    assert rest == [*rows[100:], [102, "k3", "v3"]]


def test_topics_that_the_official_engine_wrote_again_keep_their_records_and_consumers(
    throwaway_home: LocalCluster,
) -> None:
    """It leaves `x-runtime` out of what it writes."""
    home = throwaway_home
    home.start()
    home.run("topic", "create", "t")
    home.run("produce", "t", stdin="one\ntwo\n")
    home.run("consume", "t", "-B", "-d", "--consumer", "c")
    home.run("cluster", "shutdown")
    files = [*home.data_dir.glob("metadata/Topic/*.yaml")]
    files += home.data_dir.glob("metadata/Partition/*.yaml")
    for file in files:
        text, found = re.subn(r"(?m)^( +)x-runtime:\n(?:\1 .*\n)+", "", file.read_text())
        assert found == 1
        file.write_text(text)
    home.run("cluster", "resume")
    assert home.run("consume", "t", "-B", "-d").stdout == "one\ntwo\n"
    home.run("produce", "t", stdin="three\n")
    assert home.run("consume", "t", "-d", "--consumer", "c").stdout == "three\n"
    home.run("topic", "delete", "t")
    home.run("topic", "create", "t")
    assert home.run("consume", "t", "-B", "-d").stdout == ""


def sc_address(home: LocalCluster) -> str:
    text = (home.home / ".fluvio" / "local-config").read_text()
    return text.partition('sc_pub_addr = "')[2].partition('"')[0]


def test_a_takeover_that_fails_leaves_the_directory_as_it_was(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    data_dir = make_official_cluster(home.home / ".fluvio")
    spu = data_dir / "metadata" / "SPU" / "custom-spu-5002.yaml"
    whole = spu.read_text()
    spu.write_text(whole.replace("privateEndpoint", "somewhere"))
    files = listing(data_dir)
    failed = home.run("cluster", "resume", "--data-dir", str(data_dir), check=False)
    assert failed.returncode == 1
    assert "custom-spu-5002.yaml does not tell where the SPU listens" in failed.stderr
    assert listing(data_dir) == files
    spu.write_text(whole)

    config = home.home / ".fluvio" / "local-config"
    config.write_text(config.read_text().replace('tls_policy = "disabled"', 'tls_policy = "verified"'))
    failed = home.run("cluster", "resume", "--data-dir", str(data_dir), check=False)
    assert failed.returncode == 1
    assert "`tls.tls_source` is missing" in failed.stderr
    assert listing(data_dir) == files

    shutil.rmtree(data_dir / "metadata" / "SPU")
    failed = home.run("cluster", "resume", "--data-dir", str(data_dir), check=False)
    assert failed.returncode == 3
    assert "no local cluster" in failed.stderr


def listing(directory: Path) -> list[str]:
    """Names of all files, without the lock, which a look leaves behind."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.name != "lock")


def test_the_state_of_a_taken_over_cluster_tells_its_addresses(throwaway_home: LocalCluster) -> None:
    fluvio_dir = throwaway_home.home / ".fluvio"
    data_dir = make_official_cluster(fluvio_dir)
    places = Places(fluvio_dir, fluvio_dir / "config")
    state = take_over(places, Path("/never"))
    assert state is not None
    assert state.phase is Phase.STOPPED
    assert throwaway_home.state.servers == state.servers
    assert str(state.sc.plan.public) == sc_address(throwaway_home)
    assert state.settings.sc_private.host == "127.0.0.1"  # officially 0.0.0.0
    assert [spu.plan.id for spu in state.spus] == [5001, 5002]
    assert state.settings.log_dir == fluvio_dir / "log"
    assert take_over(places, Path("/never"), data_dir) is None  # it is ours now
