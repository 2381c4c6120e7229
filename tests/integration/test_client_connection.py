"""The multiplexed connection, and the client as a whole: connecting, losing, cancelling, closing."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.connection import STREAM_QUEUE_LIMIT, Connection
from fluvio_client.errors import (
    ClientClosedError,
    ConnectionFailedError,
    ConnectionLostError,
    ConsumerError,
    HandshakeError,
    ResponseTimeoutError,
)
from fluvio_client.settings import ClientSettings
from fluvio_client.target import parse_endpoint
from fluvio_profiles.resolve import Target
from fluvio_protocol.api.fetch import StreamFetchRequest
from fluvio_protocol.api.offsets import FetchOffsetsRequest
from fluvio_protocol.api.produce import ProduceRequest
from fluvio_protocol.negotiation import IncompatibleServerError
from tests.support.cancelling import CancelledAtWait
from tests.support.scripted_cluster import ScriptedCluster
from tests.support.scripted_peer import Conversation, Received, ScriptedPeer, replay, response_body

HANDSHAKE = "engine-py-produce-single-2"
PRODUCED, OFFSETS = "engine-cli-produce-lines-2", "engine-cli-consume-beginning-2"
SLICE = "engine-cli-consume-beginning-4"
STREAM = StreamFetchRequest(topic="c-plain", fetch_offset=0)


def greeted(conversation: Conversation) -> None:
    request = conversation.read()
    assert request is not None
    conversation.answer(request, response_body(HANDSHAKE))


def next_request(conversation: Conversation) -> Received:
    request = conversation.read()
    assert request is not None
    return request


def run(peer: ScriptedPeer, body: Callable[[Connection], Awaitable[None]], timeout_s: float = 5.0) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            connection = await Connection.open(
                parse_endpoint(peer.endpoint), is_controller=False, timeout_s=timeout_s
            )
            try:
                await body(connection)
            finally:
                connection.close()

    asyncio.run(main())


def test_answers_out_of_order_reach_their_callers() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        first, second = next_request(conversation), next_request(conversation)
        conversation.answer(second, response_body(OFFSETS))
        conversation.answer(first, response_body(PRODUCED))

    async def body(connection: Connection) -> None:
        produced = connection.start(ProduceRequest(topics=[]))
        offsets = await connection.call(FetchOffsetsRequest(topics=[]))
        assert offsets.topics[0].name == (await produced).responses[0].name == "c-plain"

    with ScriptedPeer(script) as peer:
        run(peer, body)


def test_a_stream_that_is_not_read_does_not_stall_other_answers() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        stream = next_request(conversation)
        for _ in range(STREAM_QUEUE_LIMIT):
            conversation.answer(stream, response_body(SLICE))
        for _ in range(20):
            conversation.answer(next_request(conversation), response_body(OFFSETS))

    async def body(connection: Connection) -> None:
        stream = connection.stream(STREAM)
        for _ in range(20):
            await connection.call(FetchOffsetsRequest(topics=[]))
        for _ in range(STREAM_QUEUE_LIMIT):
            assert (await stream.next()).topic == "c-plain"

    with ScriptedPeer(script) as peer:
        run(peer, body)


def test_a_server_that_ignores_the_window_fails_that_stream_only() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        stream = next_request(conversation)
        for _ in range(STREAM_QUEUE_LIMIT + 5):
            conversation.answer(stream, response_body(SLICE))
        conversation.answer(next_request(conversation), response_body(OFFSETS))

    async def body(connection: Connection) -> None:
        stream = connection.stream(STREAM)
        await connection.call(FetchOffsetsRequest(topics=[]))
        for _ in range(STREAM_QUEUE_LIMIT):
            await stream.next()
        with pytest.raises(ConsumerError, match="without waiting for acknowledgements"):
            await stream.next()

    with ScriptedPeer(script) as peer:
        run(peer, body)


def test_a_lost_connection_fails_everything_that_waits_and_everything_after() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        stream = next_request(conversation)
        conversation.answer(stream, response_body(SLICE))
        next_request(conversation)

    async def body(connection: Connection) -> None:
        stream = connection.stream(STREAM)
        with pytest.raises(ConnectionLostError, match="Socket io Socket closed"):
            await connection.call(ProduceRequest(topics=[]))
        assert (await stream.next()).topic == "c-plain"  # came before
        with pytest.raises(ConnectionLostError):
            await stream.next()
        with pytest.raises(ConnectionLostError):
            connection.stream(STREAM)
        with pytest.raises(ConnectionLostError):
            await connection.drained()
        assert isinstance(await connection.wait_lost(), ConnectionLostError)

    with ScriptedPeer(script) as peer:
        run(peer, body)


def test_bytes_that_cannot_be_read_lose_the_connection_with_the_cause() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        conversation.answer(next_request(conversation), b"\0\0\0\x09")
        conversation.read()

    async def body(connection: Connection) -> None:
        with pytest.raises(ConnectionLostError, match="cannot be read: ProduceResponse v25"):
            await connection.call(ProduceRequest(topics=[]))

    with ScriptedPeer(script) as peer:
        run(peer, body)


def test_silence_times_out_and_the_late_answer_disturbs_nobody() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        late = next_request(conversation)
        second = next_request(conversation)
        conversation.answer(late, response_body(PRODUCED))
        conversation.answer(second, response_body(OFFSETS))

    async def body(connection: Connection) -> None:
        with pytest.raises(ResponseTimeoutError) as caught:
            await connection.call(ProduceRequest(topics=[]), timeout_s=0.05)
        text = "Socket io Timed out: 0.05 secs waiting for response. API_KEY=0, CorrelationId=1"
        assert str(caught.value) == text
        assert (await connection.call(FetchOffsetsRequest(topics=[]))).topics[0].name == "c-plain"

    with ScriptedPeer(script) as peer:
        run(peer, body)


def test_a_cancelled_call_leaves_the_connection_usable() -> None:
    with ScriptedPeer(replay([HANDSHAKE, PRODUCED, OFFSETS], [])) as peer:

        async def body(connection: Connection) -> None:
            with pytest.raises(asyncio.CancelledError):
                await CancelledAtWait(connection.call(ProduceRequest(topics=[])), 0)
            assert (await connection.call(FetchOffsetsRequest(topics=[]))).topics[0].name == "c-plain"

        run(peer, body)


@pytest.mark.parametrize("number", range(4))
def test_a_cancelled_connect_leaves_no_connection(number: int) -> None:
    ended = []

    def script(conversation: Conversation) -> None:
        while (request := conversation.read()) is not None:
            conversation.answer(request, response_body(HANDSHAKE))
        ended.append(conversation.number)

    with ScriptedPeer(script) as peer:

        async def main() -> None:
            opening = Connection.open(parse_endpoint(peer.endpoint), is_controller=False, timeout_s=5)
            try:
                (await CancelledAtWait(opening, number)).close()
            except asyncio.CancelledError:
                pass

        asyncio.run(main())
    assert ended == list(range(peer.connection_count))


def test_closing_fails_what_is_under_way() -> None:
    def script(conversation: Conversation) -> None:
        greeted(conversation)
        while conversation.read() is not None:
            pass

    async def body(connection: Connection) -> None:
        answer, stream = connection.start(ProduceRequest(topics=[])), connection.stream(STREAM)
        connection.close()
        with pytest.raises(ClientClosedError):
            await answer
        with pytest.raises(ClientClosedError):
            await stream.next()

    with ScriptedPeer(script) as peer:
        run(peer, body)


# --- connecting


def connect(endpoint: str, **settings: float) -> None:
    async def main() -> None:
        async with asyncio.timeout(10), Fluvio.connect(endpoint, settings=ClientSettings(**settings)):  # type: ignore[arg-type]
            pass

    asyncio.run(main())


def test_nobody_listening_is_told_with_the_address_and_the_system_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionFailedError) as caught:
        connect(f"127.0.0.1:{port}")
    assert str(caught.value).startswith("Socket io Connection refused (os error ")
    assert str(caught.value).endswith(f"can't connect to 127.0.0.1:{port}")


def test_a_listener_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(ConnectionFailedError, match="timed out"):
            connect(f"127.0.0.1:{silent.getsockname()[1]}", socket_timeout_s=0.1)


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x08\0\0\0\x01\xff\xff\xff\xff", b""]
)
def test_a_server_of_another_kind_is_recognised(greeting: bytes) -> None:
    def script(conversation: Conversation) -> None:
        conversation.send(greeting)

    with ScriptedPeer(script) as peer, pytest.raises(HandshakeError, match="Socket io next response"):
        connect(peer.endpoint)


def test_a_controller_that_is_too_old_is_refused() -> None:
    def script(conversation: Conversation) -> None:
        conversation.answer(next_request(conversation), struct.pack(">hI", 0, 0) + b"\0\x050.8.9")
        conversation.read()

    with ScriptedPeer(script) as peer, pytest.raises(IncompatibleServerError, match=r"0\.8\.9"):
        connect(peer.endpoint)


def test_a_profile_or_a_function_that_finds_one_may_be_given() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def main() -> None:
            for profile in (Target(cluster.endpoint), lambda: Target(cluster.endpoint)):
                async with Fluvio.connect(profile=profile) as client, client.producer("t") as producer:
                    await (await producer.send(None, b"x"))

        asyncio.run(main())
        assert cluster.spu.end("t", 0) == 2


# --- the client as a whole


def test_the_watches_are_opened_as_official_clients_open_them() -> None:
    received: list[Received] = []

    def script(conversation: Conversation) -> None:
        while (request := conversation.read()) is not None:
            received.append(request)
            if request.header.api_key == 18:
                conversation.answer(request, response_body("engine-py-connect-2"))

    with ScriptedPeer(script) as peer:
        connect(peer.endpoint)
    labels = [request.body[2:7] for request in received[1:]]
    assert [request.header.api_key for request in received] == [18, 1004, 1004, 1004]
    assert [label.split(b"\0")[0] for label in labels] == [b"SPU", b"Parti", b"Topic"]


def test_a_lost_controller_is_connected_again_and_what_changed_meanwhile_is_known() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def main() -> None:
            async with asyncio.timeout(20), Fluvio.connect(cluster.endpoint) as client:
                async with client.producer("t") as producer:
                    await (await producer.send(None, b"x"))
                cluster.topics["later"] = [5001]
                metadata = client._connections().metadata
                cluster.controller.drop_all()
                while "later" not in metadata.store.topics:
                    await metadata.changed()
                async with client.producer("later") as producer:
                    await (await producer.send(None, b"y"))

        asyncio.run(main())
        assert cluster.controller.connection_count == 2


def test_a_client_that_is_not_entered_or_left_refuses() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def main() -> None:
            client = Fluvio.connect(cluster.endpoint)
            with pytest.raises(ClientClosedError):
                client.producer("t")
            async with client:
                producer = await client.producer("t").open()
                admin = client.admin
            with pytest.raises(ClientClosedError):
                await producer.send(None, b"x")
            with pytest.raises(ClientClosedError):
                await admin.list_topics()

        asyncio.run(main())


def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def main() -> None:
            async with Fluvio.connect(cluster.endpoint):
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            asyncio.run(main())


@pytest.mark.parametrize("number", range(5))
def test_cancelled_at_any_wait_connecting_leaves_nothing(number: int) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def life() -> None:
            async with Fluvio.connect(cluster.endpoint) as client:
                await client._connections().metadata.topic("t")

        async def main() -> None:
            try:
                await CancelledAtWait(life(), number)
            except asyncio.CancelledError:
                pass
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == 1

        asyncio.run(main())
