"""A cluster that speaks TLS: every kind of command, and everybody who must not get in."""

import hashlib
from pathlib import Path

import pytest

from fluvio_profiles.model import Config, TlsPolicy, TlsSource
from fluvio_profiles.store import load_config, update_config
from tests.support.certificates import DOMAIN, Authority, Pair, start_options
from tests.support.local_cluster import FREE_PORTS, LocalCluster

LINES, LINE_BYTES = 20_000, 1_000


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certs")


@pytest.fixture
def tls_cluster(throwaway_home: LocalCluster, authority: Authority) -> LocalCluster:
    throwaway_home.start("--spu", "2", *start_options(authority, authority.server(), authority.client()))
    return throwaway_home


def test_every_kind_of_command_works_and_the_cluster_comes_back(tls_cluster: LocalCluster) -> None:
    cluster = tls_cluster
    cluster.run("topic", "create", "greetings", "-p", "2")
    cluster.run("produce", "greetings", stdin="one\ntwo\nthree\n")
    assert sorted(cluster.run("consume", "greetings", "-B", "-d").stdout.split()) == ["one", "three", "two"]
    cluster.run("consume", "greetings", "-B", "-d", "--consumer", "reader")
    assert "reader" in cluster.run("consumer", "list").stdout
    cluster.run("consumer", "reset", "reader", "--to", "start")
    assert " -1 " in cluster.run("consumer", "describe", "reader").stdout
    cluster.run("cluster", "status")
    assert "healthy" in cluster.run("cluster", "health").stdout
    assert "verified" in cluster.run("profile", "validate").stdout
    assert "0.18.2 (local)" in cluster.run("version").stdout
    cluster.run("cluster", "shutdown")
    cluster.run("cluster", "resume")
    assert sorted(cluster.run("consume", "greetings", "-B", "-d").stdout.split()) == ["one", "three", "two"]


def test_many_records_come_through_whole(tls_cluster: LocalCluster, tmp_path: Path) -> None:
    cluster, file = tls_cluster, tmp_path / "lines"
    file.write_text("".join(f"{number:>{LINE_BYTES}}\n" for number in range(LINES)))
    cluster.run("topic", "create", "many")
    cluster.run("produce", "many", "--file", str(file))
    read = cluster.run("consume", "many", "-B", "-d").stdout
    assert hashlib.sha256(read.encode()).digest() == hashlib.sha256(file.read_bytes()).digest()


def test_certificates_may_stand_in_the_profile_itself(tls_cluster: LocalCluster) -> None:
    tls = load_config(tls_cluster.profile_path).clusters["local"].tls
    assert tls.policy is TlsPolicy.VERIFIED

    def inline(config: Config) -> None:
        tls = config.clusters["local"].tls
        tls.source, certs = TlsSource.INLINE, tls.certs
        for name in ("key", "cert", "ca_cert"):
            setattr(certs, name, Path(getattr(certs, name)).read_text())

    update_config(tls_cluster.profile_path, inline)
    tls_cluster.run("topic", "create", "inlined")
    tls_cluster.run("produce", "inlined", stdin="x\n")
    assert tls_cluster.run("consume", "inlined", "-B", "-d").stdout == "x\n"


def options(authority: Authority, client: Pair, *, domain: str = DOMAIN) -> list[str]:
    return [
        *("--tls", "--enable-client-cert", "--domain", domain, "--ca-cert", str(authority.cert)),
        *("--client-cert", str(client.cert), "--client-key", str(client.key)),
    ]


def test_nobody_gets_in_whom_the_ca_has_not_signed_and_everybody_is_told_why(
    tls_cluster: LocalCluster, authority: Authority, tmp_path: Path
) -> None:
    cluster = tls_cluster
    other = Authority(tmp_path / "other", "other")
    refused = "may be that it does not accept this certificate"
    callers = {
        "plain": ([], "Socket io next response"),
        "anonymous": (["--tls"], "wants a client certificate"),
        "signed by another": (options(authority, other.client()), refused),
        "expired": (options(authority, authority.client("late", days=-1)), refused),
        "believes another": (options(other, authority.client()), "not signed by the profile's CA"),
        "takes it for another": (options(authority, authority.client(), domain="x.org"), "is not for x.org"),
    }
    for who, (given, said) in callers.items():
        for command in (("topic", "list"), ("consume", "t", "-d")):  # the blocking and the asyncio client
            done = cluster.run("-c", cluster.endpoint, *given, *command, check=False)
            assert done.returncode == 4
            assert said in done.stderr, (who, done.stderr)
    cluster.run("topic", "list")  # the one that may, still may
    log = (cluster.log_dir / "flv_sc.log").read_text()
    for cause in (
        "the client does not speak TLS",
        "the client showed no certificate",
        "the client's certificate is not accepted: certificate has expired",
    ):
        assert cause in log
    assert "Traceback" not in log


def test_a_profile_with_tls_at_a_cluster_without_says_so(
    throwaway_home: LocalCluster, authority: Authority
) -> None:
    throwaway_home.start()
    given = options(authority, authority.client())
    for command in (("topic", "list"), ("consume", "t", "-d")):
        done = throwaway_home.run("-c", throwaway_home.endpoint, *given, *command, check=False)
        assert done.returncode == 4
        assert "the server does not speak TLS" in done.stderr


def test_certificates_that_do_not_belong_together_are_refused_before_anything_starts(
    throwaway_home: LocalCluster, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "other")
    server, client = authority.server(), authority.client()
    wrong_key = Pair(server.cert, client.key)
    missing = Pair(tmp_path / "nowhere.crt", server.key)
    cases = [
        (authority.server("alone", (DOMAIN,)), client, f"is not for custom-spu-5001.{DOMAIN}"),
        (authority.server("late", days=-1), client, f"the certificate of {DOMAIN} has expired"),
        (other.server(), client, "not signed by the profile's CA"),
        (server, other.client(), "the client's certificate is not accepted"),
        (wrong_key, client, "the key belongs to another certificate"),
        (missing, client, "nowhere.crt: No such file or directory"),
    ]
    for server_pair, client_pair, said in cases:
        given = start_options(authority, server_pair, client_pair)
        done = throwaway_home.run("cluster", "start", *FREE_PORTS, *given, check=False)
        assert done.returncode == 1
        assert said in done.stderr
        assert not throwaway_home.data_dir.exists()


def test_half_of_the_options_are_named_as_missing(throwaway_home: LocalCluster) -> None:
    given = ("--tls", "--domain", DOMAIN, "--ca-cert", "ca.crt")
    done = throwaway_home.run("cluster", "start", *given, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "Unknown error: Missing required args after --tls:"
        "--client-cert, --client-key, --server-cert, --server-key\n"
    )
