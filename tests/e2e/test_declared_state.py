"""`plan`, `apply` and `export` on a real cluster: what they print, how they end, what is there afterwards."""

import json
import signal
from pathlib import Path
from typing import Any

import pexpect
import psutil
import pytest

from fluvio_profiles.store import load_config
from tests.support.local_cluster import LocalCluster

DECLARED = """\
version: 1
topics:
  orders: {partition: {count: 2}, retention: {time: 2d, segment-size: 64 MB}}
  'on': {compression: {type: lz4}}
table-formats:
  hosts: {columns: [{keyPath: ip, width: 20, primaryKey: true}]}
profiles:
  prod: {endpoint: "sc.example.com:9003", installation: docker, protection: protected}
"""


def declare(cluster: LocalCluster, text: str = DECLARED, name: str = "declared.yaml") -> str:
    path = cluster.home / name
    path.write_text(text)
    return str(path)


def actions(cluster: LocalCluster, *words: str, code: int = 8) -> dict[str, str]:
    """What a plan would do, by kind and name."""
    done = cluster.run("plan", *words, "-O", "json", check=False)
    assert done.returncode == code, done.stderr
    view = json.loads(done.stdout)
    assert view["drift"] is (code == 8)
    return {f"{each['kind']} {each['name']}": each["action"] for each in view["objects"]}


def topics(cluster: LocalCluster) -> dict[str, Any]:
    return {
        each["name"]: each["spec"] for each in json.loads(cluster.run("topic", "list", "-O", "json").stdout)
    }


class Person:
    """Somebody at a terminal."""

    def __init__(self, cluster: LocalCluster, *words: str) -> None:
        self.child: pexpect.spawn[str] = pexpect.spawn(
            str(cluster.executable),
            list(words),
            env={**cluster.env, "TERM": "xterm"},
            cwd=str(cluster.home),
            encoding="utf-8",
            timeout=60,
            echo=False,
        )

    def sees(self, text: str) -> None:
        self.child.expect_exact(text)

    def ends(self) -> tuple[int | None, str]:
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus, str(self.child.before)


def test_apply_makes_what_is_declared_and_then_has_nothing_to_do(fresh_cluster: LocalCluster) -> None:
    file = declare(fresh_cluster)
    assert actions(fresh_cluster, "-f", file) == {
        "topic on": "create",
        "topic orders": "create",
        "table-format hosts": "create",
        "profile prod": "create",
    }
    assert fresh_cluster.run("apply", "-f", file).stdout.splitlines() == [
        'topic "on" created',
        'topic "orders" created',
        'table-format "hosts" created',
        'profile "prod" created',
        "4 as declared: 4 created",
    ]
    fresh_cluster.run("produce", "orders", stdin="x\n")
    assert topics(fresh_cluster)["orders"]["replicas"]["computed"]["partitions"] == 2
    config = load_config(fresh_cluster.profile_path)
    assert (config.current_profile, config.clusters["prod"].endpoint) == ("local", "sc.example.com:9003")
    plan = fresh_cluster.run("plan", "-f", file)
    assert plan.stdout.splitlines()[1:] == [
        '  not declared: profile "local"; `--prune` deletes them',
        "4 as declared",
    ]
    again = fresh_cluster.run("apply", "-f", file, "--prune", "--yes")
    assert again.stdout == "4 as declared, nothing was to be done\n"


def test_an_export_has_no_difference_to_what_it_was_made_of(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("apply", "-f", declare(fresh_cluster))
    fresh_cluster.run("topic", "create", "2024-01-01", "--max-partition-size", "2gib")
    fresh_cluster.run(
        "topic", "create", "placed", "-f", declare(fresh_cluster, '[{"id": 0, "replicas": [5001]}]')
    )
    config = fresh_cluster.profile_path
    config.write_text(
        config.read_text() + '\n[profile.tls]\ncluster = "tls"\n[profile.lost]\ncluster = "nowhere"\n'
        '[cluster.tls]\nendpoint = "h:9003"\n[cluster.tls.tls]\ntls_policy = "verified"\n'
        'tls_source = "inline"\n'
        '[cluster.tls.tls.certs]\ndomain = "d"\nkey = "-SECRET-\\nline"\ncert = "C"\nca_cert = "CA"\n'
    )
    for form in ("yaml", "toml", "json"):
        exported = fresh_cluster.run("export", "-O", form)
        assert "SECRET" not in exported.stdout
        assert (
            exported.stderr
            == 'profile "lost" is left out: its cluster `nowhere` is not in the profile file\n'
        )
        file = declare(fresh_cluster, exported.stdout, f"export.{form}")
        found = actions(fresh_cluster, "-f", file, "--prune", code=0)
        assert set(found.values()) == {"none"}
        assert {"topic 2024-01-01", "topic on", "topic placed", "table-format hosts", "profile tls"} <= set(
            found
        )
    one = fresh_cluster.run("export", "--only", "topics").stdout
    assert fresh_cluster.run("plan", "-f", "-", stdin=one).returncode == 0
    assert "profiles" not in one


def test_what_cannot_be_changed_is_said_and_the_rest_is_done(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "orders", "-p", "3")
    fresh_cluster.run("topic", "create", "clicks", "-p", "1")
    file = declare(
        fresh_cluster,
        "version: 1\ntopics:\n  orders: {partition: {count: 2}}\n"
        "  clicks: {partition: {count: 3}, retention: {time: 1d}}\n"
        "  copies: {partition: {replication: 3}}\n",
    )
    plan = fresh_cluster.run("plan", "-f", file, check=False)
    assert plan.returncode == 8
    assert "partition.count: 3 -> 2, cannot be changed: partitions cannot be taken away" in plan.stdout
    assert "retention.time: 7days -> 1day, cannot be changed: the protocol has no update of it" in plan.stdout
    assert "the cluster refuses it: not supported yet: replication factor 3" in plan.stdout
    done = fresh_cluster.run("apply", "-f", file, "-O", "json", check=False)
    assert done.returncode == 8
    assert json.loads(done.stderr)["error"]["code"] == "declared-drift"
    view = json.loads(done.stdout)
    assert view["drift"] is True
    assert {each["name"]: each["result"] for each in view["objects"]} == {
        "clicks": "done",
        "orders": None,
        "copies": None,
    }
    found = topics(fresh_cluster)
    assert {name: spec["replicas"]["computed"]["partitions"] for name, spec in found.items()} == {
        "orders": 3,
        "clicks": 3,
    }
    assert actions(fresh_cluster, "-f", file)["topic clicks"] == "blocked"


def test_only_prune_deletes_and_it_asks(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "old")
    file = declare(fresh_cluster, "version: 1\ntopics: {new: }\nprofiles: {}\n")
    fresh_cluster.run("apply", "-f", file)
    assert set(topics(fresh_cluster)) == {"old", "new"}
    refused = fresh_cluster.run("apply", "-f", file, "--prune", check=False)
    assert (refused.returncode, refused.stderr) == (1, "IO error: not a terminal\n")
    for answer, code, left in (("no", 1, {"old", "new"}), ("yes", 0, {"new"})):
        person = Person(fresh_cluster, "apply", "-f", file, "--prune")
        person.sees('- topic "old"')
        person.sees("type `yes` to go on: ")
        person.child.sendline(answer)
        assert person.ends()[0] == code
        assert set(topics(fresh_cluster)) == left
    assert load_config(fresh_cluster.profile_path).current_profile == "local"


def test_the_clusters_protection_holds(fresh_cluster: LocalCluster) -> None:
    file = declare(fresh_cluster, "version: 1\ntopics: {new: }\ntable-formats: {f: }\n")
    fresh_cluster.run("profile", "set", "local", "--read-only")
    assert set(actions(fresh_cluster, "-f", file).values()) == {"create"}
    refused = fresh_cluster.run("apply", "-f", file, "--yes", check=False)
    assert refused.stderr == "cluster `local` is read-only for you: `fluvio apply` was not run\n"
    fresh_cluster.run("profile", "set", "local", "--protected")
    fresh_cluster.run("apply", "-f", file)
    other = declare(fresh_cluster, "version: 1\ntopics: {}\ntable-formats: {f: {smartmodule: m}}\n")
    for words in (("--prune", "--yes"), ("--yes",)):
        asked = fresh_cluster.run("apply", "-f", other, *words, check=False)
        assert "cluster `local` is protected" in asked.stderr
    assert "new" in topics(fresh_cluster)
    fresh_cluster.run("--yes-i-mean", "local", "apply", "-f", other, "--prune", "--yes")
    assert topics(fresh_cluster) == {}
    fresh_cluster.run("profile", "set", "local", "--read-only")
    assert fresh_cluster.run("apply", "-f", other).stdout == "1 as declared, nothing was to be done\n"
    fresh_cluster.run("profile", "set", "local", "--normal")


def test_profiles_alone_need_no_cluster(throwaway_home: LocalCluster) -> None:
    file = declare(throwaway_home, 'version = 1\n[profiles.a]\nendpoint = "h:1"\ncluster = "c"\n', "a.toml")
    assert throwaway_home.run("apply", "-f", file).stdout == 'profile "a" created\n1 as declared: 1 created\n'
    assert throwaway_home.run("plan", "-f", file, "--prune").stdout == "1 as declared\n"
    assert load_config(throwaway_home.profile_path).profiles["a"].cluster == "c"
    (throwaway_home.home / "more").mkdir()
    declare(throwaway_home, "version: 1\nprofiles: {b: {endpoint: 'h:2'}}\n", "more/b.yaml")
    both = ("-f", file, "-f", str(throwaway_home.home / "more"))
    assert actions(throwaway_home, *both) == {"profile a": "none", "profile b": "create"}
    exported = throwaway_home.run("export", "--only", "profiles").stdout
    assert throwaway_home.run("plan", "-f", "-", stdin=exported).stdout == "1 as declared\n"
    missing = throwaway_home.run("plan", "-f", declare(throwaway_home), check=False)
    assert "no active profile" in missing.stderr
    assert missing.returncode == 3


def test_the_schema_is_printed(throwaway_home: LocalCluster) -> None:
    file = Path(__file__).parents[2] / "fluvio_cli/declared/declaration.schema.json"
    assert throwaway_home.run("export", "--schema").stdout == file.read_text()


def test_a_topic_that_cannot_be_provisioned_is_said_and_waited_for_the_next_time(
    throwaway_home: LocalCluster,
) -> None:
    throwaway_home.start()
    spu = psutil.Process(throwaway_home.processes()["SPU 5001"].pid)
    file = declare(throwaway_home, "version: 1\ntopics: {t: }\n")
    spu.suspend()
    try:
        done = throwaway_home.run("apply", "-f", file, check=False, FLV_SOCKET_WAIT="1")
        assert (done.returncode, done.stderr) == (
            5,
            "not provisioned yet: `t`: partition `t-0` is not online\n",
        )
        assert done.stdout == 'topic "t" created, but not provisioned: partition `t-0` is not online\n'
    finally:
        spu.resume()
    assert throwaway_home.run("apply", "-f", file).returncode == 0


def test_ctrl_c_tells_what_is_done_and_how_to_go_on(fresh_cluster: LocalCluster) -> None:
    spu = psutil.Process(fresh_cluster.processes()["SPU 5001"].pid)
    file = declare(fresh_cluster, "version: 1\ntopics: {t: }\ntable-formats: {f: }\n")
    spu.suspend()
    try:
        person = Person(fresh_cluster, "apply", "-f", file, "--yes")
        person.sees("waiting for the partitions of 1 topic")
        person.child.kill(signal.SIGINT)
        code, printed = person.ends()
    finally:
        spu.resume()
    assert code == 130
    assert "1 of 2 done; the same command goes on with the rest" in printed
    fresh_cluster.run("apply", "-f", file)
    fresh_cluster.run("plan", "-f", file)


@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes")])
def test_a_cluster_that_does_not_answer_is_told(throwaway_home: LocalCluster, words: tuple[str, ...]) -> None:
    throwaway_home.run("profile", "add", "none", "127.0.0.1:1")
    done = throwaway_home.run(*words, "-f", declare(throwaway_home), check=False)
    assert done.returncode == 4
