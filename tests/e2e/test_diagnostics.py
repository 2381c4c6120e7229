"""`fluvio cluster diagnostics`: what is in the archive, what is not, and what a failure leaves."""

import signal
import subprocess
import tarfile
from pathlib import Path

import yaml

from tests.support.local_cluster import LocalCluster

SECRET = "-----BEGIN PRIVATE KEY-----\nMIIEsecret\n-----END PRIVATE KEY-----"


def archive_of(cluster: LocalCluster, *words: str) -> tuple[dict[str, bytes], str]:
    """The entries of a new archive, and what the command printed."""
    for old in cluster.home.glob("diagnostics-*"):
        old.unlink()
    done = cluster.run("cluster", "diagnostics", *words)
    [path] = cluster.home.glob("diagnostics-*.tar.gz")
    assert done.stdout.splitlines()[-1] == f"Wrote diagnostics to {path}"
    assert path.stat().st_mode & 0o777 == 0o600
    entries = {}
    with tarfile.open(path) as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None
            entries[entry.name] = file.read()
    return entries, done.stdout


def test_an_archive_holds_what_helps_and_no_secret_or_record(
    fresh_cluster: LocalCluster, tmp_path: Path
) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", "orders")
    cluster.run("produce", "orders", stdin="secret record\n")
    text = cluster.profile_path.read_text()
    certs = f"domain = 'd'\nkey = '''{SECRET}'''\ncert = '''{SECRET}'''\nca_cert = '''{SECRET}'''\n"
    tls = "tls_policy = 'verified'\ntls_source = 'inline'\n"
    cluster.profile_path.write_text(
        f"{text}\n[profile.tls]\ncluster = 'tls'\n[cluster.tls]\nendpoint = 'h:1'\n[cluster.tls.tls]\n{tls}"
        f"[cluster.tls.tls.certs]\n{certs}[cluster.tls.metadata.tool]\ntoken = 'MIIEsecret'\n"
    )
    entries, told = archive_of(cluster, "--quiet")
    assert set(entries) == {
        *(
            "fluvio.yml",
            "platform.yml",
            "admin-spec-topics.yml",
            "admin-spec-partitions.yml",
            "admin-spec-spus.yml",
        ),
        *("flv_sc.log", "spu_log_5001.log", "metadata.tar.gz", "5001-disk.log", "profile.toml"),
        *("system-sysinfo.yml", "system-processes.yml"),
    }
    assert told.startswith("Installation type: Local\nProfile: local\nstart copying fluvio specs from...\n")
    assert b"- name: orders\n" in entries["admin-spec-topics.yml"]
    assert b"orders-0/00000000000000000000.log" in entries["5001-disk.log"]
    assert b"endpoint = " in entries["profile.toml"]
    (tmp_path / "metadata.tar.gz").write_bytes(entries["metadata.tar.gz"])
    with tarfile.open(tmp_path / "metadata.tar.gz") as metadata:
        assert any(name.endswith("orders.yaml") for name in metadata.getnames())
    assert not [
        name for name, content in entries.items() if b"MIIEsecret" in content or b"secret record" in content
    ]
    [sc, spu] = yaml.safe_load(entries["system-processes.yml"])
    assert sc["pid"] != spu["pid"]
    assert spu["rss"] > 1_000_000


def test_a_cluster_that_is_down_is_told_and_the_rest_collected(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("cluster", "shutdown")
    entries, told = archive_of(fresh_cluster)
    assert "error start copying fluvio specs from...: Socket io Connection refused" in told
    assert "flv_sc.log" in entries
    assert "admin-spec-topics.yml" not in entries
    [missing] = [name for name in entries if name.startswith("missing/")]
    assert b"Connection refused" in entries[missing]
    assert "---------" in told  # without --quiet what is found is shown


def test_a_cluster_of_others_has_what_its_controller_tells(throwaway_home: LocalCluster) -> None:
    throwaway_home.run("profile", "add", "far", "127.0.0.1:1", "docker")
    entries, told = archive_of(throwaway_home)
    assert told.startswith("Installation type: Docker\nProfile: far\n")
    assert "profile.toml" in entries
    assert not [name for name in entries if name.endswith(".log")]


def test_nothing_half_written_is_left(throwaway_home: LocalCluster) -> None:
    import socket

    nothing = throwaway_home.run("cluster", "diagnostics", check=False)
    assert (nothing.returncode, nothing.stdout) == (3, "")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        throwaway_home.run("profile", "add", "silent", f"127.0.0.1:{silent.getsockname()[1]}", "docker")
        running = subprocess.Popen(
            [throwaway_home.executable, "cluster", "diagnostics"],
            cwd=throwaway_home.home,
            env=throwaway_home.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        silent.accept()[0]
        assert list(throwaway_home.home.glob(".diagnostics-*.tmp"))
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 130
    assert not [path for path in throwaway_home.home.iterdir() if "diagnostics" in path.name]
