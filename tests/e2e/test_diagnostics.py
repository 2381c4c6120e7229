"""`fluvio cluster diagnostics`: what is in the archive, what is not, and what a failure leaves."""

import json
import signal
import subprocess
import tarfile
from pathlib import Path

import yaml

from fluvio_local_cluster.lifecycle.processes import stop
from fluvio_local_cluster.lifecycle.state import Phase, save_state
from tests.support.local_cluster import LocalCluster

SECRET = "-----BEGIN PRIVATE KEY-----\nMIIEsecret\n-----END PRIVATE KEY-----"


def entries_of(path: Path) -> dict[str, bytes]:
    entries = {}
    with tarfile.open(path) as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None
            entries[entry.name] = file.read()
    return entries


def archive_of(cluster: LocalCluster, *words: str) -> tuple[dict[str, bytes], str]:
    """The entries of a new archive, and what the command printed."""
    for old in cluster.home.glob("diagnostics-*"):
        old.unlink()
    done = cluster.run("cluster", "diagnostics", *words)
    [path] = cluster.home.glob("diagnostics-*.tar.gz")
    assert done.stdout.splitlines()[-1] == f"Wrote diagnostics to {path}"
    assert path.stat().st_mode & 0o777 == 0o600
    return entries_of(path), done.stdout


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
        *("cluster.json", "offsets.yml"),
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
    offsets = yaml.safe_load(entries["offsets.yml"])
    [told] = [entry for entry in offsets["controller"] if entry["partition"] == "orders-0"]
    [found] = [entry for entry in offsets["files"] if entry["partition"] == "orders-0"]
    assert (found["start"], found["leo"], found["spu"]) == (0, 1, 5001)
    assert (told["start"], told["spu"]) == (0, 5001)
    [sc, spu] = yaml.safe_load(entries["system-processes.yml"])
    assert sc["pid"] != spu["pid"]
    assert spu["rss"] > 1_000_000


def test_a_cluster_that_is_down_is_told_and_the_rest_collected(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("cluster", "shutdown")
    entries, told = archive_of(fresh_cluster)
    assert "error start copying fluvio specs from...: Socket io Connection refused" in told
    assert "flv_sc.log" in entries
    assert "admin-spec-topics.yml" not in entries
    offsets = yaml.safe_load(entries["offsets.yml"])
    assert offsets["controller"] == []
    assert offsets["files"][0]["closed"]
    assert json.loads(entries["cluster.json"])["phase"] == "stopped"
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


def test_secrets_in_what_servers_print_in_state_and_metadata_are_left_out(
    fresh_cluster: LocalCluster,
) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", "orders")
    with (cluster.log_dir / "flv_sc.log").open("a") as log:
        log.write(f"INFO dialling token=MIIEsecret2 with {SECRET} as key-of-deploy\n")
    topic = cluster.data_dir / "metadata" / "leak.yaml"
    topic.write_text(f"password: MIIEsecret3\nkey: |\n{SECRET}\n")
    path = cluster.home / "bundle.tar.gz"
    cluster.run("cluster", "diagnostics", "--quiet", "--output", str(path), DEPLOY_KEY="key-of-deploy")
    entries = entries_of(path)
    inner = cluster.home / "inner.tar.gz"
    inner.write_bytes(entries["metadata.tar.gz"])
    contents = [*entries.values(), *entries_of(inner).values()]
    assert b"token=(left out) with (left out) as (left out)\n" in entries["flv_sc.log"]
    assert not [text for text in contents if b"MIIEsecret" in text or b"key-of-deploy" in text]
    assert b"DEPLOY_KEY" not in entries["fluvio.yml"]


def test_the_archive_goes_where_it_is_told(fresh_cluster: LocalCluster, tmp_path: Path) -> None:
    done = fresh_cluster.run("cluster", "diagnostics", "--quiet", "--output", str(tmp_path))
    [path] = tmp_path.iterdir()
    assert done.stdout.endswith(f"Wrote diagnostics to {path}\n")
    absent = fresh_cluster.run(
        "cluster", "diagnostics", "--output", str(tmp_path / "no" / "a.tar.gz"), check=False
    )
    assert absent.returncode == 1
    assert "No such file or directory" in absent.stderr


def test_a_cluster_whose_first_start_was_killed_is_found_by_its_directory(
    fresh_cluster: LocalCluster,
) -> None:
    """As it is then: no profile leads to it, its phase is `starting`, the servers are dead."""
    cluster = fresh_cluster
    stop(list(cluster.processes().values()), 5.0)
    state = cluster.state
    state.phase = Phase.STARTING
    save_state(state)
    cluster.profile_path.unlink()
    path = cluster.home / "half.tar.gz"
    cluster.run("cluster", "diagnostics", "--data-dir", str(cluster.data_dir), "--output", str(path))
    entries = entries_of(path)
    assert json.loads(entries["cluster.json"])["phase"] == "starting"
    assert b"controller ready" in entries["flv_sc.log"]
    assert [name for name in entries if name.startswith("missing/reading-the-profile")]
    processes = yaml.safe_load(entries["system-processes.yml"])
    assert all("rss" not in process for process in processes)


def test_the_cluster_of_a_command_is_known_inside_of_it(throwaway_home: LocalCluster) -> None:
    path = throwaway_home.home / "inside.tar.gz"
    fluvio = str(throwaway_home.executable)
    words = ("cluster", "diagnostics", "--quiet", "--output", str(path))
    done = throwaway_home.run("cluster", "run", "--ephemeral", "--topic", "t", "--", fluvio, *words)
    assert done.stdout.startswith("Installation type: Local\n")
    entries = entries_of(path)
    assert {"flv_sc.log", "cluster.json", "offsets.yml"} <= set(entries)
    assert "t-0" in [each["partition"] for each in yaml.safe_load(entries["offsets.yml"])["files"]]
