"""The SPU as a process: readiness, signals, exit codes, and being killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.record_sets import one_batch
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import connect


@contextmanager
def spu_process(
    directory: Path, sc_port: int, public: int = 0, options: Sequence[str] = (), wrapper: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process and its public port (0: it ended before it was ready). `wrapper`: a command that runs it."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "fluvio_local_cluster.spu", "-i", "5001", "-p", f"127.0.0.1:{public}"]
    command += ["-v", "127.0.0.1:0", "--sc-addr", f"127.0.0.1:{sc_port}", "--log-base-dir", str(directory)]
    process = subprocess.Popen(
        [*wrapper, *command, *options, "--ready-fd", str(writing)],
        pass_fds=[writing],
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as ready:
            line = ready.read()
        yield process, int(line.split()[1]) if line else 0
    finally:
        process.kill()
        process.communicate()


async def fill(sc: ScriptedSc, port: int, count: int) -> None:
    await sc.push_all(replica("t"))
    await sc.told("t")
    async with connect(port) as client:
        for i in range(count):
            await client.produce("t", one_batch(b"%d" % i))


def test_sigterm_ends_it_orderly_even_with_clients_and_streams(tmp_path: Path) -> None:
    async def main() -> None:
        async with ScriptedSc() as sc:
            with spu_process(tmp_path, sc.port) as (process, port):
                await sc.registered()
                await fill(sc, port, 3)
                async with connect(port) as client:
                    await (await client.stream("t")).push()
                    process.send_signal(signal.SIGUSR1)
                    process.terminate()
                    assert await asyncio.to_thread(process.wait, 10) == 0
                assert process.stderr is not None
                output = process.stderr.read()
                assert "replica=t-0 start=0 hw=3 leo=3" in output
                assert "Traceback" not in output
                assert "Task was destroyed" not in output
        assert (tmp_path / "spu-logs-5001" / "t-0" / "clean").exists()

    asyncio.run(main())


def test_a_killed_process_has_every_acknowledged_record_when_it_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with ScriptedSc() as sc:
            with spu_process(tmp_path, sc.port) as (process, port):
                await sc.registered()
                await fill(sc, port, 200)
                process.kill()
                process.wait(10)
            sc.reports.clear()
            with spu_process(tmp_path, sc.port) as (_, port):
                await sc.registered(2)
                await sc.push_all(replica("t"))
                await sc.told("t", leo=200)
                async with connect(port) as client:
                    found = await (await client.stream("t")).read_to(200)
                assert found == [(i, b"%d" % i) for i in range(200)]

    asyncio.run(main())


def test_a_port_in_use_is_an_error_with_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with spu_process(tmp_path, 1, taken.getsockname()[1]) as (process, port):
            assert process.wait(10) == 1
            assert port == 0
            assert process.stderr is not None
            output = process.stderr.read()
    assert "SPU cannot run spu=5001" in output
    assert "Traceback" not in output


def test_it_stops_when_told_while_the_sc_is_unreachable(tmp_path: Path) -> None:
    with spu_process(tmp_path, 1) as (process, port):
        assert port
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
