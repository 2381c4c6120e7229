"""The blocking admin against frames of the official engine, and against peers that misbehave."""

import socket
import struct

import pytest

from fluvio_client.blocking import BlockingAdmin
from fluvio_client.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    HandshakeError,
    ResponseTimeoutError,
)
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec
from fluvio_protocol.error_code import ApiError, ErrorKind, TopicAlreadyExistsError, TopicNotFoundError
from fluvio_protocol.negotiation import IncompatibleServerError
from tests.support.scripted_peer import (
    Conversation,
    Received,
    ScriptedPeer,
    engine_frame,
    replay,
    request_body,
    response_body,
)

HANDSHAKE = "engine-py-connect-2"
SPEC = TopicSpec(replicas=TopicReplicaParam(ignore_rack_assignment=True))  # as the Python client asks


def admin_against(names: list[str], received: list[Received]) -> ScriptedPeer:
    return ScriptedPeer(replay([HANDSHAKE, *names], received))


def test_topic_list_sends_the_official_request_and_reads_the_official_answer() -> None:
    received: list[Received] = []
    with (
        admin_against(["engine-py-topic-list-2"], received) as peer,
        BlockingAdmin.connect(peer.endpoint) as admin,
    ):
        topics = admin.list_topics()
        assert admin.platform_version.startswith("0.18.2")
    assert "t-plain" in {topic.name for topic in topics}
    assert received[1].body == request_body("engine-py-topic-list-1")
    assert (received[1].header.api_key, received[1].header.api_version) == (1003, 19)


def test_create_delete_and_filters_send_the_official_requests() -> None:
    received: list[Received] = []
    names = ["engine-py-topic-create-plain-4", "engine-py-topic-delete-4", "engine-py-topic-list-filter-2"]
    with admin_against(names, received) as peer, BlockingAdmin.connect(peer.endpoint) as admin:
        admin.create_topic("t-plain", SPEC)
        admin.delete_topic("t-ret")
        assert [topic.name for topic in admin.list_topics(["plain"])] == ["t-plain"]
    wanted = ["engine-py-topic-create-plain-1", "engine-py-topic-delete-1", "engine-py-topic-list-filter-1"]
    assert [request.body for request in received[1:]] == [request_body(name) for name in wanted]


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ("engine-py-topic-create-exists-1", TopicAlreadyExistsError, "Topic 't-plain' already exists"),
        ("engine-py-topic-create-assigned-unknown-spu-2", ApiError, "invalid spu id: 77"),
    ],
)
def test_a_refused_create_raises_the_clusters_own_text(answer: str, error: type, text: str) -> None:
    with admin_against([answer], []) as peer, BlockingAdmin.connect(peer.endpoint) as admin:
        with pytest.raises(error) as caught:
            admin.create_topic("t-plain", SPEC)
    assert str(caught.value) == text


def test_a_refused_delete_raises_the_error_of_its_code() -> None:
    names = ["engine-py-topic-delete-not-found-2", "engine-py-topic-delete-system-2"]
    with admin_against(names, []) as peer, BlockingAdmin.connect(peer.endpoint) as admin:
        with pytest.raises(TopicNotFoundError, match="not found"):
            admin.delete_topic("t-nope")
        with pytest.raises(ApiError, match="system topic 'consumer-offset' can only be deleted") as caught:
            admin.delete_topic("consumer-offset")
    assert caught.value.code.kind is ErrorKind.SYSTEM_SPEC_DELETION_ATTEMPT


def test_a_watch_yields_the_snapshot_and_other_calls_still_work_between() -> None:
    def script(conversation: Conversation) -> None:
        handshake = conversation.read()
        assert handshake is not None
        conversation.answer(handshake, response_body(HANDSHAKE))
        watch = conversation.read()
        assert watch is not None
        assert watch.body == request_body("engine-py-connect-3")
        conversation.answer(watch, response_body("engine-py-connect-4"))
        listing = conversation.read()
        assert listing is not None
        conversation.answer(watch, response_body("engine-py-connect-4"))  # before the answer to the other
        conversation.answer(listing, response_body("engine-py-topic-list-2"))
        assert conversation.read() is None

    with ScriptedPeer(script) as peer, BlockingAdmin.connect(peer.endpoint) as admin:
        watch = admin.watch("SPU", timeout_s=10)
        assert [spu.name for spu in next(watch).all] == ["custom-spu-5001"]
        assert admin.list_topics()
        assert [spu.spec.id for spu in next(watch).all] == [5001]


def test_a_watch_ends_when_its_time_is_over() -> None:
    with admin_against(["engine-py-connect-4"], []) as peer, BlockingAdmin.connect(peer.endpoint) as admin:
        assert len(list(admin.watch("SPU", timeout_s=0.05))) == 1


def test_nobody_listening_is_told_with_the_address_and_the_system_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionFailedError) as caught:
        BlockingAdmin.connect(f"127.0.0.1:{port}")
    assert str(caught.value).startswith("Socket io Connection refused (os error ")
    assert str(caught.value).endswith(f"can't connect to 127.0.0.1:{port}")
    assert caught.value.hint


def test_an_address_without_port_is_refused_without_connecting() -> None:
    with pytest.raises(
        ConnectionFailedError, match="Socket io invalid socket address, can't connect to nocolon"
    ):
        BlockingAdmin.connect("nocolon")


def test_a_server_of_another_kind_is_recognised() -> None:
    def script(conversation: Conversation) -> None:
        conversation.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with ScriptedPeer(script) as peer, pytest.raises(HandshakeError, match="Socket io next response"):
        BlockingAdmin.connect(peer.endpoint)


def test_a_controller_that_is_too_old_is_refused() -> None:
    def script(conversation: Conversation) -> None:
        handshake = conversation.read()
        assert handshake is not None
        body = struct.pack(">hI", 0, 0) + b"\0\x050.8.9"
        conversation.answer(handshake, body)

    with ScriptedPeer(script) as peer, pytest.raises(IncompatibleServerError, match=r"0\.8\.9"):
        BlockingAdmin.connect(peer.endpoint)


def test_silence_times_out_with_the_official_text() -> None:
    def script(conversation: Conversation) -> None:
        handshake = conversation.read()
        assert handshake is not None
        conversation.answer(handshake, response_body(HANDSHAKE))
        while conversation.read() is not None:
            pass

    with ScriptedPeer(script) as peer, BlockingAdmin.connect(peer.endpoint, timeout_s=0.1) as admin:
        with pytest.raises(ResponseTimeoutError) as caught:
            admin.list_topics()
    text = "Socket io Timed out: 0.1 secs waiting for response. API_KEY=1003, CorrelationId=1"
    assert str(caught.value) == text


def test_a_connection_cut_inside_an_answer_is_a_lost_connection() -> None:
    def script(conversation: Conversation) -> None:
        handshake = conversation.read()
        assert handshake is not None
        conversation.answer(handshake, response_body(HANDSHAKE))
        assert conversation.read() is not None
        conversation.send(engine_frame("engine-py-topic-list-2")[:100])

    with ScriptedPeer(script) as peer, BlockingAdmin.connect(peer.endpoint) as admin:
        with pytest.raises(ConnectionLostError, match="Socket closed"):
            admin.list_topics()
