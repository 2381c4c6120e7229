"""What official clients really sent, byte for byte, answered as the official engine answered.

The controller is given the state that the engine had; the requests are the captured frames, the answers are
compared with the captured ones: whole frames where nothing in them is by chance (epochs, order of lists).
"""

import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fluvio_local_cluster.sc.server import ScServer
from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListResponse,
    Status,
    TypedPayload,
    WatchEnvelope,
    unwrap,
)
from fluvio_protocol.api.api_versions import ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.api.topic import SegmentBasedPolicy, TopicStorageConfig
from fluvio_protocol.error_code import ErrorKind
from fluvio_protocol.frame import encode_request, read_correlation_id, read_request_header
from fluvio_protocol.wire import Reader, decode
from tests.support.controllers import Client, SpuDouble, controller, run_scenario, topic_spec

DATA = Path(__file__).parent.parent / "data"


@cache
def frames() -> dict[str, dict[str, Any]]:
    document = json.loads((DATA / "engine-frames.json").read_text())
    return {frame["id"]: frame for frame in document["frames"]}


def request_bytes(name: str) -> bytes:
    return bytes.fromhex(frames()[name]["hex"])


def answer_bytes(name: str) -> bytes:
    """An answer without its length."""
    return bytes.fromhex(frames()[name]["hex"])[4:]


@contextlib.asynccontextmanager
async def prepared(directory: Path) -> AsyncIterator[tuple[ScServer, Client]]:
    """A controller with SPU 5001 serving and the topics that the captured requests speak of."""
    async with controller(directory) as server:
        assert server.public is not None
        assert server.private is not None
        async with await Client.connect(server.public.port) as client:
            await client.register(5001)
            async with await SpuDouble.register(server.private.port, 5001) as spu:
                asked = client.send_create("Topic", "t-plain", _computed())
                await spu.wait_for_replica("consumer-offset-0", "t-plain-0")
                spu.report("consumer-offset-0", "t-plain-0")
                assert (await client.answer(asked)).error_code.is_ok
                yield server, client


def _computed() -> Any:
    spec = topic_spec()
    spec.replicas.ignore_rack_assignment = True  # type: ignore[union-attr]
    return spec


EXACT = [  # request, answer: equal to the last byte
    ("engine-py-topic-delete-not-found-1", "engine-py-topic-delete-not-found-2"),
    ("engine-py-topic-delete-system-1", "engine-py-topic-delete-system-2"),
    ("engine-py-smartmodule-delete-not-found-1", "engine-py-smartmodule-delete-not-found-2"),
    ("engine-cli-topic-delete-not-found-1", "engine-cli-topic-delete-not-found-2"),
    ("engine-cli-spu-unregister-not-found-1", "engine-cli-spu-unregister-not-found-2"),
    ("engine-cli-spu-unregister-name-not-found-1", "engine-cli-spu-unregister-name-not-found-2"),
    ("engine-cli-table-format-delete-not-found-1", "engine-cli-table-format-delete-not-found-2"),
    ("engine-cli-remote-unregister-not-found-1", "engine-cli-remote-unregister-not-found-2"),
    ("engine-py-topic-list-filter-1", "engine-py-topic-list-filter-2"),
]


@pytest.mark.parametrize(("asked", "answered"), EXACT, ids=[answered for _, answered in EXACT])
def test_the_answer_is_the_engines_to_the_last_byte(tmp_path: Path, asked: str, answered: str) -> None:
    async def scenario() -> None:
        async with prepared(tmp_path) as (_, client):
            client.writer.write(request_bytes(asked))
            assert await client.next_frame() == answer_bytes(answered)

    run_scenario(scenario())


REFUSED = [  # captured answers to creates whose requests were not captured
    "engine-py-topic-create-exists-1",
    "engine-py-topic-create-invalid-name-2",
    "engine-py-topic-create-name-long-2",
    "engine-py-topic-create-invalid-retention-2",
    "engine-py-topic-create-invalid-segment-2",
    "engine-py-topic-create-invalid-max-2",
    "engine-py-topic-create-zero-partitions-2",
]


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_have_the_engines_code_and_text(tmp_path: Path, name: str) -> None:
    reader = Reader(answer_bytes(name))
    read_correlation_id(reader)
    expected = decode(Status, reader, 19)
    spec = topic_spec(0 if "zero-partitions" in name else 1)
    if "retention" in name:
        spec.cleanup_policy = SegmentBasedPolicy(time_in_seconds=5)
    if "segment" in name:
        spec.storage = TopicStorageConfig(segment_size=10)
    if "invalid-max" in name:
        spec.storage = TopicStorageConfig(max_partition_size=100)

    async def scenario() -> None:
        async with prepared(tmp_path) as (_, client):
            assert await client.create_topic(expected.name, spec) == expected

    run_scenario(scenario())


@pytest.mark.parametrize(
    "name", ["engine-py-connect-1", "engine-cli-topic-create-1", "engine-node-connect-1"]
)
def test_every_client_gets_the_table_of_calls(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                client.writer.write(request_bytes(name))
                frame = await client.next_frame()
                assert frame is not None
                reader = Reader(frame)
                assert read_correlation_id(reader) == 1
                answer = decode(ApiVersionsResponse, reader, 2)
                table = {key.api_key: (key.min_version, key.max_version) for key in answer.api_keys}
                assert table == {
                    **dict.fromkeys((1001, 1002, 1003, 1004), (15, 19)),
                    1005: (14, 19),
                    1006: (1, 19),
                }
                assert answer.platform_version == "0.18.2"

    run_scenario(scenario())


@pytest.mark.parametrize("version", ["", "not a version", "99.0.0-dev+x"])
def test_a_client_version_that_is_none_is_welcome(tmp_path: Path, version: str) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                body = ApiVersionsRequest(client_version=version)
                client.writer.write(encode_request(body, 2, 1))
                assert await client.next_frame() is not None
                assert len(await client.list("Topic", system=True)) == 1

    run_scenario(scenario())


def test_an_official_connect_gets_its_three_snapshots_in_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with prepared(tmp_path) as (server, _):
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                for name in ("engine-py-connect-3", "engine-py-connect-5", "engine-py-connect-6"):
                    client.writer.write(request_bytes(name))
                seen = []
                for correlation_id, label in ((1, "SPU"), (2, "Partition"), (3, "Topic")):
                    frame = await client.next_frame()
                    assert frame is not None
                    reader = Reader(frame)
                    assert read_correlation_id(reader) == correlation_id
                    answer = decode(TypedPayload, reader, 19)
                    assert answer.type == label
                    seen.append(unwrap(answer, 19, answer_to=WatchEnvelope))
                assert all(update.all and not update.changes for update in seen)
                engine = _decoded_watch("engine-py-connect-7")
                assert seen[1].all[0] == engine.all[0]  # the system partition, as the engine shows it

    run_scenario(scenario())


def _decoded_watch(name: str) -> Any:
    reader = Reader(answer_bytes(name))
    read_correlation_id(reader)
    return unwrap(decode(TypedPayload, reader, 19), 19, answer_to=WatchEnvelope)


@pytest.mark.parametrize("version", [15, 16, 17, 18])
@pytest.mark.parametrize(
    ("label", "expected"),
    [("topic", ["t-plain"]), ("partition", ["consumer-offset-0"]), ("smartmodule", [])],
)
def test_lists_are_answered_at_the_version_of_the_request(
    tmp_path: Path, label: str, expected: list[str], version: int
) -> None:
    data = request_bytes(f"engine-probe-list-{label}-v{version}-1")

    async def scenario() -> None:
        async with prepared(tmp_path) as (server, _):
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                client.version = version
                client.writer.write(data)
                correlation_id = read_request_header(Reader(data[4:])).correlation_id
                answer = await client.answer(correlation_id, TypedPayload)
                found: ListResponse[Any, Any] = unwrap(answer, version, answer_to=ListEnvelope)
                assert [stored.name for stored in found.inner] == expected

    run_scenario(scenario())


def test_the_official_directory_is_listed_by_every_label(tmp_path: Path) -> None:
    path = tmp_path / "metadata"
    shutil.copytree(DATA / "engine-metadata", path)

    async def scenario() -> None:
        async with controller(path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                listed = {
                    label: [stored.name for stored in await client.list(label)]
                    for label in (
                        "Topic",
                        "Partition",
                        "SPU",
                        "CustomSpu",
                        "SpuGroup",
                        "SmartModule",
                        "TableFormat",
                        "Mirror",
                    )
                }
                assert listed["Topic"] == ["assigned", "dd", "mir", "mirh", "plain", "tuned", "waiting"]
                assert len(listed["Partition"]) == 8
                assert (
                    listed["SPU"] == listed["CustomSpu"] == ["custom-spu-5001", "custom-spu-5002", "edge-spu"]
                )
                assert listed["SpuGroup"] == ["grp"]
                assert listed["TableFormat"] == ["hosts"]
                assert listed["Mirror"] == ["edge1", "hq"]
                (tiny,) = await client.list("SmartModule", "tiny", summary=True)
                assert (tiny.spec.summary.wasm_length, tiny.spec.wasm.payload) == (28, b"")
                assert await client.list("SmartModule", "tin") == []
                for label in ("SpuGroup", "SmartModule", "TableFormat", "Mirror"):
                    async with await Client.connect(server.public.port) as watcher:
                        update = await watcher.update(watcher.watch(label))
                        assert [stored.name for stored in update.all] == listed[label]

    run_scenario(scenario())


@pytest.mark.parametrize(
    "name", ["engine-cli-spg-create-1", "engine-cli-smartmodule-create-1", "engine-cli-remote-register-1"]
)  # fmt: skip
def test_what_cannot_be_created_yet_says_so_and_the_connection_goes_on(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                data = request_bytes(name)
                client.writer.write(data)
                status = await client.answer(read_request_header(Reader(data[4:])).correlation_id)
                assert status.error_code.kind is ErrorKind.OTHER
                assert status.error_message.startswith("not supported yet: creating a ")
                assert len(await client.list("Topic", system=True)) == 1

    run_scenario(scenario())


def test_an_unknown_label_closes_a_list_but_not_the_controller(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                client.writer.write(request_bytes("engine-probe-list-unknown-label-1"))
                assert await client.next_frame() is None
            async with await Client.connect(server.public.port) as client:
                assert len(await client.list("Topic", system=True)) == 1

    run_scenario(scenario())
