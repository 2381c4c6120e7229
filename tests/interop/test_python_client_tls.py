"""The official Python client, unchanged, against our servers with TLS: certificates in files and inline."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluvio_profiles.model import Config, TlsSource
from fluvio_profiles.store import update_config
from tests.support import official_python as official
from tests.support.certificates import Authority, start_options
from tests.support.local_cluster import LocalCluster, cluster_in_new_home

pytestmark = pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)

PROGRAM = """
import sys
from fluvio import ConsumerConfig, Fluvio, Offset

client = Fluvio.connect()
producer = client.topic_producer(sys.argv[1])
for number in range(20):
    producer.send(str(number).encode(), f"{number} {'x' * 5000}".encode())
producer.flush()
config = ConsumerConfig()
config.disable_continuous()
found = []
for partition in (0, 1):
    consumer = client.partition_consumer(sys.argv[1], partition)
    for record in consumer.stream_with_config(Offset.beginning(), config):
        number, _, filler = record.value_string().partition(" ")
        assert filler == "x" * 5000
        found.append(int(number))
    assert found, f"nothing came to partition {partition}"
print(sorted(found) == list(range(20)))
"""


@pytest.fixture(scope="module")
def tls_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    authority = Authority(tmp_path_factory.mktemp("certs"))
    for cluster in cluster_in_new_home():
        yield cluster.start("--spu", "2", *start_options(authority, authority.server(), authority.client()))


def produce_and_consume(cluster: LocalCluster, topic: str) -> None:
    cluster.run("topic", "create", topic, "-p", "2")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, topic],
        env=cluster.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_with_certificates_in_files_over_two_spus(tls_cluster: LocalCluster) -> None:
    produce_and_consume(tls_cluster, "files")


def test_with_certificates_in_the_profile(tls_cluster: LocalCluster) -> None:
    def inline(config: Config) -> None:
        tls = config.clusters["local"].tls
        tls.source = TlsSource.INLINE
        for name in ("key", "cert", "ca_cert"):
            setattr(tls.certs, name, Path(getattr(tls.certs, name)).read_text())

    update_config(tls_cluster.profile_path, inline)
    produce_and_consume(tls_cluster, "inline")
