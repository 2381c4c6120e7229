"""Metadata files that are damaged, with servers as processes: no record may be lost by that."""

import json
import os
import shutil
import signal

from tests.support.local_cluster import LocalCluster


def test_a_topic_whose_files_are_all_damaged_keeps_its_records_until_they_are_put_right(
    fresh_cluster: LocalCluster,
) -> None:
    cluster, metadata = fresh_cluster, fresh_cluster.data_dir / "metadata"
    files = [metadata / "Topic" / "precious.yaml", metadata / "Partition" / "precious-0.yaml"]
    replicas = cluster.data_dir / "spu-logs-5001"
    cluster.run("topic", "create", "precious")
    cluster.run("topic", "create", "other")
    cluster.run("produce", "precious", stdin="one\ntwo\nthree\n")
    read = ("consume", "precious", "-B", "-d", "--consumer", "audit")
    assert cluster.run(*read, "--end", "1").stdout == "one\ntwo\n"

    # The SC falls and comes back while its SPU goes on.
    os.kill(cluster.processes()["SC"].pid, signal.SIGKILL)
    copies = {path: path.read_bytes() for path in files}
    for path in files:
        path.write_bytes(b"")
    cluster.run("cluster", "resume")
    asked = cluster.run("cluster", "status")
    assert asked.stderr.count("warning: damaged metadata were set aside") == 2
    assert "precious-0.yaml." in asked.stderr
    assert len(json.loads(cluster.run("cluster", "status", "-O", "json").stdout)["lostFiles"]) == 2
    cluster.run("produce", "other", stdin="goes on\n")
    assert (replicas / "precious-0").is_dir()

    # Both start anew.
    cluster.run("cluster", "shutdown")
    cluster.run("cluster", "resume")
    cluster.run("topic", "create", "third")  # the SPU has taken a full push by now
    assert sorted(path.name for path in replicas.iterdir()) == [
        "consumer-offset-0",
        "other-0",
        "precious-0",
        "third-0",
    ]
    refused = cluster.run("topic", "create", "precious", check=False)
    assert refused.returncode == 1
    assert "its metadata are damaged" in refused.stderr

    # Put right.
    cluster.run("cluster", "shutdown")
    for path, content in copies.items():
        path.write_bytes(content)
    cluster.run("cluster", "resume")
    assert cluster.run(*read).stdout == "three\n"
    assert cluster.run("cluster", "status").stderr.count("warning") == 0

    # Lost files that were put right do not hold up later deletions.
    cluster.run("cluster", "shutdown")
    for path in (metadata / "Topic" / "other.yaml", metadata / "Partition" / "other-0.yaml"):
        path.unlink()
    cluster.run("cluster", "resume")
    cluster.run("topic", "create", "fourth")
    assert not (replicas / "other-0").exists()


def test_a_cluster_whose_metadata_are_gone_is_not_resumed(
    fresh_cluster: LocalCluster,
) -> None:
    fresh_cluster.run("topic", "create", "precious")
    fresh_cluster.run("cluster", "shutdown")
    shutil.move(fresh_cluster.data_dir / "metadata", fresh_cluster.home / "copy")
    refused = fresh_cluster.run("cluster", "resume", check=False)
    assert refused.returncode == 1
    assert "the metadata of this cluster are gone" in refused.stderr
    assert fresh_cluster.running() == []
    shutil.move(fresh_cluster.home / "copy", fresh_cluster.data_dir / "metadata")
    fresh_cluster.run("cluster", "resume")
    assert '"precious"' in fresh_cluster.run("topic", "list", "-O", "json").stdout
