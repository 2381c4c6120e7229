"""`fluvio cluster spu register` and `unregister`: an SPU that the cluster did not start joins and leaves."""

import json
from typing import Any

from fluvio_client.blocking import BlockingAdmin
from fluvio_protocol.api.spu import SpuStatusResolution
from tests.support.local_cluster import LocalCluster
from tests.support.running_cluster import start_server

JOINED_S = 20.0


def custom_spus(cluster: LocalCluster) -> dict[int, Any]:
    rows = json.loads(cluster.run("cluster", "spu", "list", "--custom", "-O", "json").stdout)
    return {row["spec"]["spuId"]: row for row in rows}


def wait_online(cluster: LocalCluster, spu_id: int) -> None:
    with BlockingAdmin.connect(cluster.endpoint) as admin:
        for update in admin.watch("SPU", timeout_s=JOINED_S):
            for item in (*update.all, *(change.content for change in update.changes)):
                if item.spec.id == spu_id and item.status.resolution is SpuStatusResolution.ONLINE:
                    return
    raise AssertionError(f"SPU {spu_id} is not online")


def test_an_spu_that_somebody_else_starts_joins_holds_records_and_leaves(fresh_cluster: LocalCluster) -> None:
    private = fresh_cluster.state.sc.plan.private
    arguments = ["fluvio_local_cluster.spu", "-i", "6001", "-p", "127.0.0.1:0", "-v", "127.0.0.1:0"]
    arguments += ["--sc-addr", str(private), "--log-base-dir", str(fresh_cluster.home / "elsewhere")]
    server = start_server(arguments, fresh_cluster.home / "elsewhere.log")
    try:
        addresses = ("-p", f"127.0.0.1:{server.public_port}", "-v", f"127.0.0.1:{server.private_port}")
        done = fresh_cluster.run("cluster", "spu", "register", "-i", "6001", "-r", "rack1", *addresses)
        assert (done.stdout, done.stderr) == ("", "")
        wait_online(fresh_cluster, 6001)
        joined = custom_spus(fresh_cluster)[6001]
        assert (joined["name"], joined["spec"]["rack"]) == ("custom-spu-6001", "rack1")
        assert joined["spec"]["publicEndpoint"]["port"] == server.public_port

        (fresh_cluster.home / "rows.json").write_text('[{"id": 0, "replicas": [6001]}]')
        fresh_cluster.run("topic", "create", "there", "--replica-assignment", "rows.json")
        fresh_cluster.run("produce", "there", stdin="far\n")
        assert fresh_cluster.run("consume", "there", "-B", "-d").stdout == "far\n"

        refused = fresh_cluster.run("cluster", "spu", "unregister", "-i", "6001", check=False)
        assert refused.returncode == 1
        assert "is the only holder of partition `there-0`" in refused.stderr
        assert 6001 in custom_spus(fresh_cluster)
        done = fresh_cluster.run("cluster", "spu", "unregister", "--name", "custom-spu-6001", "--force")
        assert (done.stdout, done.stderr) == ("", "")
        assert 6001 not in custom_spus(fresh_cluster)
    finally:
        server.stop()


def test_what_cannot_be_registered_or_taken_away_is_said(local_cluster: LocalCluster) -> None:
    addresses = ("-p", "127.0.0.1:9510", "-v", "127.0.0.1:9511")
    for words, text, code in (
        (("register", "-i", "5001", *addresses), "spu 'custom-spu-5001(5001)' already defined", 1),
        (("register", "-i", "6003", "-n", "../x", *addresses), "invalid spu name: `../x` must be", 1),
        (("register", "--id=-1", *addresses), "invalid spu id: -1", 1),
        (("register", "-i", "6003", "-p", "h:0", "-v", "h:1"), "invalid host:port format h:0", 1),
        (("unregister", "-i", "7777"), "spu 7777 not found", 3),
        (("unregister", "-n", "east"), 'spu "east" not found', 3),
    ):
        done = local_cluster.run("cluster", "spu", *words, check=False)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith(text)
    assert set(custom_spus(local_cluster)) == {5001}
