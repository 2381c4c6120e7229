"""Back pressure and collecting of frames, on a transport without a socket."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fluvio_local_cluster.net.connection import Connection, ConnectionClosedError
from fluvio_local_cluster.net.intake import Intake
from fluvio_local_cluster.net.limits import NetLimits
from tests.support.memory_transport import MemoryTransport

LIMITS = NetLimits(
    max_unprocessed_bytes=3000,
    max_unprocessed_total_bytes=5000,
    max_requests_waiting=50,
    unpaused_bytes=0,
)


def framed(size: int) -> bytes:
    return size.to_bytes(4, "big") + bytes(size)


def run(body: Callable[[Intake], Awaitable[None]]) -> None:
    asyncio.run(body(Intake(LIMITS.max_unprocessed_total_bytes, bytearray(1000))))  # type: ignore[arg-type]


def connect(intake: Intake, *, is_encrypted: bool = False) -> tuple[Connection, MemoryTransport]:
    connection = Connection(1, LIMITS, intake)
    return connection, MemoryTransport(connection, is_encrypted=is_encrypted)


async def want_more(connection: Connection) -> None:
    """Say that the last frame is processed, when there is no other."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await connection.next_frame()


def test_reading_pauses_above_the_limit_and_resumes_when_frames_are_processed() -> None:
    async def body(intake: Intake) -> None:
        connection, transport = connect(intake)
        data = framed(500) * 20
        taken = transport.deliver(data)
        assert transport.is_paused
        assert 3000 < taken < 5000
        for _ in range(3):
            await connection.next_frame()
        assert not transport.is_paused
        transport.deliver(data[taken:])
        assert transport.is_paused

    run(body)


def test_many_tiny_requests_pause_reading_too() -> None:
    async def body(intake: Intake) -> None:
        _, transport = connect(intake)
        transport.deliver(framed(1) * 1000)
        assert transport.is_paused
        assert intake.total_bytes < 300

    run(body)


def test_a_full_intake_pauses_others_until_somebody_is_processed() -> None:
    async def body(intake: Intake) -> None:
        (one, first), (_, second) = connect(intake), connect(intake)
        first.deliver(framed(500) * 20)
        second.deliver(framed(500) * 20)
        third_connection, third = connect(intake)
        third.deliver(framed(500) * 2)
        assert (first.is_paused, second.is_paused, third.is_paused) == (True, True, True)
        while one.has_frame:
            await one.next_frame()
        assert not third.is_paused
        third_connection.close("done")
        one.close("done")

    run(body)


def test_begun_requests_count_and_one_after_the_other_is_read_to_its_end() -> None:
    async def body(intake: Intake) -> None:
        waits: list[int] = []
        intake.on_full = lambda: waits.append(intake.total_bytes)
        data = framed(2500)
        peers = [connect(intake) for _ in range(8)]
        delivered = [transport.deliver(data[:1500]) for _, transport in peers]
        assert [transport.is_paused for _, transport in peers] == 3 * [False] + 5 * [True]
        assert intake.favoured is peers[2][0]
        served: list[int] = []
        most = intake.total_bytes
        while len(served) < len(peers):
            ready = [i for i, (_, t) in enumerate(peers) if i not in served and not t.is_paused]
            number = next(i for i in ready if intake.favoured in (None, peers[i][0]))
            connection, transport = peers[number]
            delivered[number] += transport.deliver(data[delivered[number] :])
            most = max(most, intake.total_bytes)
            assert delivered[number] == len(data)
            await connection.next_frame()
            served.append(number)
            await want_more(connection)
        assert served[0] == 2
        assert most <= 5000 + 2500 + 8 * 1000
        assert min(waits) > 5000
        assert (intake.total_bytes, intake.favoured, intake.waiting) == (0, None, {})

    run(body)


def test_a_favoured_connection_that_closes_leaves_its_turn_to_the_next() -> None:
    async def body(intake: Intake) -> None:
        peers = [connect(intake) for _ in range(6)]
        for _, transport in peers:
            transport.deliver(framed(2900)[:2000])
        turns = []
        while intake.favoured is not None:
            turns.append(next(i for i, (connection, _) in enumerate(peers) if connection is intake.favoured))
            peers[turns[-1]][0].close("gone")
        assert turns == [1, 2, 3]  # then there is room for the others
        assert not any(transport.is_paused for connection, transport in peers if not connection.is_closed)

    run(body)


def test_small_requests_are_read_however_much_others_hold() -> None:
    async def body(intake: Intake) -> None:
        limits = dataclasses.replace(LIMITS, unpaused_bytes=100)
        small = Connection(2, limits, intake)
        transport = MemoryTransport(small)
        for _ in range(3):
            connect(intake)[1].deliver(framed(500) * 20)
        assert intake.is_full
        for _ in range(5):
            transport.deliver(framed(50))
            assert len(await small.next_frame()) == 50
        transport.deliver(framed(200))
        assert transport.is_paused

    run(body)


def test_a_closed_connection_gives_its_bytes_back() -> None:
    async def body(intake: Intake) -> None:
        one, transport = connect(intake)
        transport.deliver(framed(500) * 20)
        await one.next_frame()
        one.close("done")
        assert intake.total_bytes == 0
        with pytest.raises(ConnectionClosedError):
            await one.next_frame()
        with pytest.raises(ConnectionClosedError):
            one.write(b"x")

    run(body)


def test_frames_written_soon_leave_in_order_and_before_a_later_one() -> None:
    async def body(intake: Intake) -> None:
        connection, transport = connect(intake)
        connection.write_soon(b"one ")
        connection.write_soon(b"two ")
        assert transport.written == b""
        connection.write(b"three ")
        connection.write_soon(b"four")
        await asyncio.sleep(0)
        assert transport.written == b"one two three four"

    run(body)


def test_frames_written_soon_leave_before_the_connection_closes() -> None:
    async def body(intake: Intake) -> None:
        connection, transport = connect(intake)
        connection.write_soon(b"last words")
        connection.close("done")
        assert transport.written == b"last words"

    run(body)


def test_send_waits_while_the_transport_is_full() -> None:
    async def body(intake: Intake) -> None:
        connection, _ = connect(intake)
        connection.pause_writing()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(connection.send(b"x"))
            await asyncio.sleep(0)
            assert not sending.done()
            assert connection.stalled_since is not None
            connection.resume_writing()
        assert connection.stalled_since is None

    run(body)


def test_a_pause_of_ours_does_not_count_against_the_peer() -> None:
    async def body(intake: Intake) -> None:
        connection, transport = connect(intake)
        transport.deliver(framed(500) * 7 + framed(600)[:300])
        assert transport.is_paused
        assert connection.deadline is None
        while connection.has_frame:
            await connection.next_frame()
        await want_more(connection)
        assert not transport.is_paused
        assert connection.deadline is not None

    run(body)


def test_a_transport_that_cannot_send_files_gets_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 100)

    async def body(intake: Intake) -> None:
        connection, transport = connect(intake, is_encrypted=True)
        with (tmp_path / "file").open("rb") as file:
            await connection.send_slice(b"head", file, 1, 20_000)
            assert transport.written == b"head" + (bytes(range(256)) * 100)[1:20_001]
            with pytest.raises(ConnectionClosedError, match="early"):
                await connection.send_slice(b"head", file, 20_000, 20_000)
        assert transport.is_ended

    run(body)


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("is_cancelled_first", [False, True])
def test_who_is_cancelled_while_the_peer_closes_is_cancelled(turns: int, is_cancelled_first: bool) -> None:
    """Else a server that is stopped in that moment runs on: Python before 3.13 forgets one of the two."""

    async def body(intake: Intake) -> None:
        connection, _ = connect(intake)

        async def forever() -> None:
            await asyncio.get_running_loop().create_future()

        async def stay_connected() -> None:
            await connection.run(forever())
            await forever()

        async with asyncio.TaskGroup() as group, asyncio.timeout(5):
            running = group.create_task(stay_connected())
            await asyncio.sleep(0)
            steps = [lambda: connection.connection_lost(None), running.cancel]
            for step in reversed(steps) if is_cancelled_first else steps:
                step()
                for _ in range(turns):
                    await asyncio.sleep(0)
            await asyncio.wait([running])
            assert running.cancelled()

    run(body)
