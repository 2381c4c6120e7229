"""What an SPU counts, of each sort once: fsyncs, streams, fetches, removals by retention, a tail cut off."""

import asyncio
from pathlib import Path
from typing import Any

from fluvio_local_cluster.metrics import HistogramReading
from fluvio_local_cluster.spu.metric_families import (
    SpuFacts,
    partition_families,
    partition_rows,
    spu_families,
)
from fluvio_local_cluster.spu.server import Spu
from fluvio_local_cluster.storage import SpaceReserve, SyncPolicy
from fluvio_protocol.api.fetch import FetchableTopic, FetchPartition, FetchRequest
from fluvio_protocol.api.topic import TopicStorageConfig
from fluvio_protocol.batch import split
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, run_with_spu
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import connect


def figures(spu: Spu) -> dict[str, Any]:
    """Values by name and labels, joined by spaces; of histograms the count."""
    replicas = spu.replicas
    servers = [server for server in (spu.public, spu.private) if server is not None]
    facts = SpuFacts(
        partitions=len(replicas.leaders),
        failed_replicas=len(replicas.failed),
        full_replicas=len(replicas.full),
        is_out_of_storage=replicas.space.is_full,
        open_streams=spu.open_streams,
        servers=servers,
    )
    families = spu_families(replicas.metrics, facts) + partition_families(partition_rows(replicas.leaders))
    return {
        " ".join((family.name.removeprefix("fluvio_spu_"), *labels)): value.count
        if isinstance(value, HistogramReading)
        else value
        for family in families
        for labels, value in family.samples
    }


def test_each_request_is_counted_with_its_batches_and_fsync(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t")
        batch = one_batch(b"x" * 100, b"y")
        async with connect(public_port(spu)) as client:
            await client.produce("t", batch, batch)  # appended together
            await client.produce("t", batch)
            await client.produce("elsewhere", batch)  # refused: counted as a request, not as records
            found = figures(spu)
            assert found["produce_requests_total"] == found["produce_duration_seconds"] == 3
            assert found["produce_batches_total"] == 3
            assert found["produce_records_total client"] == found["partition_log_end_offset t 0"] == 6
            assert found["produce_bytes_total client"] == 3 * len(batch) == found["partition_size_bytes t 0"]
            assert found["fsync_duration_seconds"] == 2
            assert found["partition_unsynced_bytes t 0"] == 0
            assert found["connections_open public"] == found["connections_accepted_total public"] == 1
            assert found["requests_in_flight public"] == 0

            partition = FetchPartition(partition_index=0, fetch_offset=2, max_bytes=1)
            topic = FetchableTopic(name="t", fetch_partitions=[partition])
            await client.ask(FetchRequest(topics=[topic], max_bytes=1), 10)
            stream = await client.stream("t", max_bytes=len(batch))
            await stream.push()
            found = figures(spu)
            assert found["streams_open"] == 1
            assert found["fetch_requests_total"] == found["push_total"] == found["push_duration_seconds"] == 1
            assert found["fetch_records_total client"] == 4  # one batch each
            assert found["fetch_bytes_total client"] == 2 * len(batch)
        assert spu.public is not None
        await spu.public.wait_empty()
        assert (figures(spu)["streams_open"], figures(spu)["connections_open public"]) == (0, 0)

    run_with_spu(tmp_path, body, fsync=SyncPolicy.parse("always"))


def test_what_retention_removed_is_counted(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(
            replica("t", storage=TopicStorageConfig(segment_size=1000, max_partition_size=2000))
        )
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            for _ in range(6):
                await client.produce("t", one_batch(b"x" * 800))
        before = figures(spu)
        await spu.upkeep.clean()
        after = figures(spu)
        removed = after["retention_segments_removed_total"]
        assert removed > 0
        assert after["partition_log_start_offset t 0"] == removed
        freed = before["partition_size_bytes t 0"] - after["partition_size_bytes t 0"]
        assert after["retention_removed_bytes_total"] == freed > 0

    run_with_spu(tmp_path, body)


def test_a_torn_tail_that_was_cut_is_told(tmp_path: Path) -> None:
    async def first(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await client.produce("t", one_batch(b"x" * 100))

    run_with_spu(tmp_path, first)
    directory = tmp_path / "spu-logs-5001" / "t-0"
    (directory / "clean").unlink()
    [segment] = directory.glob("*.log")
    whole = segment.read_bytes()
    assert len(split(whole)) == 1
    segment.write_bytes(whole + whole[:50])

    async def second(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t", leo=1)
        found = figures(spu)
        assert found["partition_recovery_cut_bytes t 0"] == 50
        assert found["partition_recovery_verified_bytes t 0"] >= len(whole)
        assert found["partition_damaged_ranges t 0"] == 0

    run_with_spu(tmp_path, second)


def test_a_disk_without_space_is_told(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t")
        assert figures(spu)["out_of_storage"] == 0
        async with connect(public_port(spu)) as client, asyncio.timeout(10):
            [answer] = await client.produce("t", one_batch(b"x"))
        assert answer.base_offset <= 0
        found = figures(spu)
        assert (found["out_of_storage"], found["partitions_full"]) == (1, 1)
        assert found["produce_records_total client"] == 0

    run_with_spu(tmp_path, body, space_reserve=SpaceReserve(2**60, 0.0))
