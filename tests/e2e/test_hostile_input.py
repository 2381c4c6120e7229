"""Peers that send anything but what they should: real servers answer everybody else throughout.

While each test runs, a well-behaved client works on both public ports and its slowest answer is bounded.
Afterwards the servers have written at most one line per bad connection and are as small as before.
"""

import random
import select
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil
import pytest

from fluvio_protocol.api.admin import ListEnvelope, ListRequest, wrap
from fluvio_protocol.api.fetch import StreamFetchRequest
from fluvio_protocol.frame import encode_request
from tests.fuzz.mutations import mutate
from tests.support.captured_frames import CapturedFrame, engine_frames, golden_frames, internal_frames
from tests.support.raw_cluster import RawCluster, ServerProcess
from tests.support.raw_peer import RawPeer, SteadyClient, produce
from tests.support.record_sets import one_batch

TIMEOUT_S = 0.5  # for a first frame, and for the rest of a frame
CLOSED_S = TIMEOUT_S + 1.5  # it is noticed some time later, on a busy machine
STALL_S = 1.0
OPTIONS = (
    *("--first-frame-timeout-ms", f"{TIMEOUT_S * 1000:.0f}", "--frame-timeout-ms", f"{TIMEOUT_S * 1000:.0f}"),
    *("--stall-timeout-ms", f"{STALL_S * 1000:.0f}"),
)
GROWTH_BYTES = 8 * 1024 * 1024  # what a server may keep after a test: pools of the allocator, caches
STEADY = "steady"
PORTS = ("sc-public", "sc-private", "spu-public", "spu-private")
FIRST_SPU_ID = 7001  # none that captured frames name: they would register in its place


class Siege(Protocol):
    """See the fixture."""

    def __call__(self, attack: Callable[[], int], opened: int = 0) -> None: ...


@dataclass(slots=True)
class Servers:
    """The cluster under attack."""

    cluster: RawCluster

    @property
    def all(self) -> list[ServerProcess]:
        return [self.cluster.sc, *self.cluster.spus]

    def port(self, name: str) -> int:
        server = self.cluster.sc if name.startswith("sc") else self.cluster.spus[0]
        return server.public_port if name.endswith("public") else server.private_port

    def log_sizes(self) -> list[int]:
        return [len(server.said().splitlines()) for server in self.all]

    def log_lines(self, before: list[int]) -> list[str]:
        """What each server has said since `log_sizes` told `before`."""
        return [
            line
            for server, size in zip(self.all, before, strict=True)
            for line in server.said().splitlines()[size:]
        ]

    def descriptors(self) -> list[int]:
        return [server.descriptor_count() for server in self.all]

    def memory(self) -> list[int]:
        return [server.rss_bytes() for server in self.all]

    def await_descriptors(self, wanted: list[int], timeout_s: float = 5.0) -> None:
        """Wait until no server has more descriptors than `wanted`; a request in between lets them work."""
        deadline = time.monotonic() + timeout_s
        while any(now > then for now, then in zip(self.descriptors(), wanted, strict=True)):
            if time.monotonic() > deadline:
                open_files = [psutil.Process(server.pid).open_files() for server in self.all]
                raise AssertionError(f"{self.descriptors()} descriptors, not {wanted}; files: {open_files}")
            for name in ("sc-public", "spu-public"):
                with RawPeer(self.port(name)) as peer:
                    peer.shake_hands()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("hostile")
    with RawCluster(folder, options=OPTIONS, first_spu_id=FIRST_SPU_ID) as cluster:
        cluster.create_topic(STEADY)
        with SteadyClient(cluster, STEADY):
            pass  # from now on the files that it needs are open
        yield Servers(cluster)


@pytest.fixture
def siege(servers: Servers) -> Siege:
    """Runs an attack, which returns the number of its bad connections, and checks what the module says.

    `opened` is how many files a server may have to open for it, which it then keeps open.
    """

    def run(attack: Callable[[], int], opened: int = 0) -> None:
        before, descriptors, memory = servers.log_sizes(), servers.descriptors(), servers.memory()
        begin = time.monotonic()
        with SteadyClient(servers.cluster, STEADY) as steady:
            count = attack()
        servers.await_descriptors([count + opened for count in descriptors])
        lines = servers.log_lines(before)
        limits = [line for line in lines if "see --max-" in line]  # one each ten seconds, whoever causes it
        assert len(limits) <= len(servers.all) * (1 + (time.monotonic() - begin) // 10), limits
        own = [line for line in lines if line not in limits]
        assert len(own) <= count, f"{len(own)} lines for {count} connections: {own[:20]}"
        odd = [line for line in lines if " INFO " not in line and " WARNING " not in line]
        assert not odd, f"a server met what it did not expect, or let a peer break its lines: {odd}"
        grown = [now - then for now, then in zip(servers.memory(), memory, strict=True)]
        assert max(grown) < GROWTH_BYTES, f"the servers grew by {grown} bytes"
        print(f"slowest answer {steady.slowest_s * 1000:.0f} ms of {steady.answers}, grown {grown} bytes")

    return run


def client_hello() -> bytes:
    """What a TLS client sends first."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="fluvio.local").do_handshake()
    return outgoing.read()


FOREIGN = {
    "blank lines": b"\r\n\r\n",
    "a scanner's question": b"\x00\x1e\x00\x06\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind",
    "SMB": b"\x00\x00\x00\xa4\xffSMB\x72\x00\x00\x00\x00\x08\x01\x40" + bytes(100),
    "RDP": b"\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
    "TLS": client_hello(),
    "a length of 2 GB": b"\x7f\xff\xff\xff" + bytes(1000),
    "a negative length": b"\xff\xff\xff\xff" + bytes(1000),
    "a length of 0": bytes(4),
    "nothing": b"",
    "half a length": b"\x00\x00",
    "half a frame": b"\x00\x00\x00\x64" + bytes(50),
    "the start of 60 MB": b"\x03\x93\x87\x00" + bytes(100_000),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_frame_or_never_becomes_one_is_closed_soon(
    servers: Servers, siege: Siege, what: str
) -> None:
    def attack() -> int:
        with ExitStack() as stack:
            peers = [stack.enter_context(RawPeer(servers.port(name))) for name in PORTS for _ in range(3)]
            for peer in peers:
                peer.send(FOREIGN[what])
            begin = time.monotonic()
            for peer in peers:
                assert peer.read_to_end(CLOSED_S) == 0
            if what in ("HTTP", "TLS", "SSH", "a length of 2 GB", "a negative length", "a length of 0"):
                assert time.monotonic() - begin < TIMEOUT_S, "closed by the deadline only"
        return len(peers)

    siege(attack)


def test_a_frame_that_trickles_in_is_closed_by_the_deadline(servers: Servers, siege: Siege) -> None:
    def attack() -> int:
        for name in PORTS:
            with RawPeer(servers.port(name)) as peer:
                peer.send(b"\x00\x00\x01\x00")
                begin = time.monotonic()
                while not peer.is_closed_within(0.1):
                    peer.send(b"\x00")
                    assert time.monotonic() - begin < CLOSED_S
        return len(PORTS)

    siege(attack)


def test_a_thousand_connections_opened_and_dropped_leave_nothing(servers: Servers, siege: Siege) -> None:
    def attack() -> int:
        for number in range(1000):
            with RawPeer(servers.port(PORTS[number % 4])) as peer:
                peer.send((b"", b"\x00", b"\x00\x00\x00\x64abc")[number % 3])
        return 0  # nothing wrong was said: there is nothing to log

    siege(attack)


def test_two_hundred_idle_clients_stay_and_can_go_on(servers: Servers, siege: Siege) -> None:
    def attack() -> int:
        with ExitStack() as stack:
            names = ("sc-public", "spu-public")
            peers = [stack.enter_context(RawPeer(servers.port(name))) for name in names for _ in range(100)]
            for peer in peers:
                peer.shake_hands()
            # Longer than any deadline for a frame: who has begun none is not late.
            assert not peers[0].is_closed_within(2 * TIMEOUT_S)
            for peer in peers[1:]:
                peer.shake_hands()
        return 0

    siege(attack)


# --- frames that are whole ---------------------------------------------------------------------------------

HEADER_KEYS = (*range(10), 16, 18, *range(1000, 1012), 2000, 2001, 32_767, 65_535)


def test_garbage_under_a_valid_header_is_refused_for_each_api_key(servers: Servers, siege: Siege) -> None:
    chance = random.Random(1)
    frames = [
        header_of(key, version) + chance.randbytes(size)
        for key in HEADER_KEYS
        for version, size in ((0, 3), (17, 40), (25, 400), (-1, 40), (32_767, 5))
    ]
    siege(lambda: send_all_whole(servers, frames))


def header_of(key: int, version: int) -> bytes:
    """A request header."""
    return key.to_bytes(2, "big") + version.to_bytes(2, "big", signed=True) + b"\x00\x00\x00\x07\x00\x04test"


def send_all_whole(servers: Servers, payloads: list[bytes]) -> int:
    """Send each payload as one whole frame to every port, each on a connection of its own; returns how many.

    Each is answered or closed in time.
    """
    for payload in payloads:
        frame = len(payload).to_bytes(4, "big") + payload
        for name in PORTS:
            with RawPeer(servers.port(name)) as peer:
                peer.send(frame)
                peer.end_sending()  # what came is answered, then the server closes
                try:
                    peer.read_to_end(5.0)
                except TimeoutError:
                    raise AssertionError(f"{name} neither answers nor closes: {payload.hex()}") from None
    return len(payloads) * len(PORTS)


def requests(frames: list[CapturedFrame]) -> list[bytes]:
    """Payloads of the captured requests, each once."""
    return list(dict.fromkeys(frame.payload for frame in frames if not frame.is_answer))


def test_mutated_frames_of_official_peers_harm_nobody(servers: Servers, siege: Siege) -> None:
    captured = requests([*golden_frames(), *engine_frames(), *internal_frames()])
    chance = random.Random(2)

    def attack() -> int:
        count = send_all_whole(servers, [mutate(payload, chance) for payload in captured])
        with servers.cluster.admin() as admin:
            created = [topic.name for topic in admin.list_topics() if topic.name != STEADY]
            for name in created:
                admin.delete_topic(name)
        assert created, "no frame was still good: they are damaged too much to get anywhere"
        return count + 2 * len(created)  # that a topic comes or goes may be said

    siege(attack, opened=1)  # the log of consumer offsets


# --- peers that do not read --------------------------------------------------------------------------------


def test_a_client_that_never_reads_its_streams_costs_no_memory_and_is_closed(
    servers: Servers, siege: Siege
) -> None:
    servers.cluster.create_topic("unread")
    with RawPeer(servers.port("spu-public")) as peer:
        for _ in range(16):
            assert produce(peer, "unread", one_batch(bytes(900_000))).is_ok

    def attack() -> int:
        request = StreamFetchRequest(topic="unread", fetch_offset=0, max_bytes=16_000_000)
        with RawPeer(servers.port("spu-public")) as peer:
            peer.shake_hands()
            peer.send(b"".join(encode_request(request, 25, number) for number in range(50)))
            assert await_silent_close(peer), "the connection was not closed"
        return 1

    siege(attack)


def test_a_client_that_never_reads_its_answers_costs_no_memory_and_is_closed(
    servers: Servers, siege: Siege
) -> None:
    def attack() -> int:
        request = wrap(ListEnvelope, "Topic", ListRequest(), 19)
        with RawPeer(servers.port("sc-public"), timeout_s=20) as peer:
            peer.shake_hands()
            # So much that neither its answers nor itself fit into the buffers of two sockets.
            peer.send(bytes(encode_request(request, 19, 1)) * 300_000)
            assert await_silent_close(peer), "the connection was not closed"
        return 1

    siege(attack)


def await_silent_close(peer: RawPeer) -> bool:
    """Wait, without reading, until the server has given up: the socket then reports an error."""
    poll = select.poll()
    poll.register(peer.fileno(), 0)  # errors and hang-ups only
    return bool(poll.poll((STALL_S + CLOSED_S + 2) * 1000))


def test_at_the_limit_of_connections_more_are_refused_and_others_served(tmp_path: Path) -> None:
    limit = 20
    with RawCluster(tmp_path, options=("--max-connections", str(limit))) as cluster:
        cluster.create_topic(STEADY)
        lines_before = {server: len(server.said().splitlines()) for server in (cluster.sc, *cluster.spus)}
        with SteadyClient(cluster, STEADY), ExitStack() as stack:
            for server in (cluster.sc, *cluster.spus):
                accepted = [stack.enter_context(RawPeer(server.public_port)) for _ in range(limit - 1)]
                for peer in accepted:
                    peer.shake_hands()
                for _ in range(10):
                    with RawPeer(server.public_port) as refused:
                        assert refused.read_to_end() == 0
                said = server.said().splitlines()[lines_before[server] :]
                # One line tells of all that come within ten seconds: peers must not fill the disk with lines.
                refusals = [line for line in said if "refusing a connection" in line]
                assert 1 <= len(refusals) < 10
                assert [line for line in said if " INFO " not in line] == refusals
                for peer in accepted:
                    peer.shake_hands()  # those that were there are served on
                accepted[0].end_sending()
                assert accepted[0].is_closed_within(5)
                with RawPeer(server.public_port) as late:
                    late.shake_hands()
