"""A cluster of real server processes for a test: one SC, some SPUs, free ports, a directory of its own.

The processes are started as the installed program starts them and are stopped in the end; `kill_spu` and
`start_spu` play a crash and a restart on the same ports and data.
"""

import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from fluvio_client.blocking import BlockingAdmin
from fluvio_protocol.api.spu import CustomSpuSpec, Endpoint, IngressAddr, IngressPort, SpuStatusResolution

READY_S = 20.0
STOP_S = 10.0


@dataclass(slots=True)
class ServerProcess:
    """One running server and the ports it listens at."""

    process: subprocess.Popen[bytes]
    public_port: int
    private_port: int

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Signal it and wait for its end; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOP_S)


def start_server(arguments: list[str], output: Path) -> ServerProcess:
    """Run `python -m ...` and wait until it says that it listens."""
    read_end, write_end = os.pipe()
    with output.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments, "--ready-fd", str(write_end)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            pass_fds=[write_end],
        )
    os.close(write_end)
    line = b""
    try:
        deadline = time.monotonic() + READY_S
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([read_end], [], [], max(deadline - time.monotonic(), 0))
            chunk = os.read(read_end, 100) if readable else b""
            if not chunk:
                process.kill()
                process.wait(STOP_S)
                raise AssertionError(f"{arguments[0]} did not start:\n{output.read_text()[-4000:]}")
            line += chunk
    finally:
        os.close(read_end)
    _, public, private = line.split()
    return ServerProcess(process, int(public), int(private))


@dataclass(slots=True)
class RunningCluster:
    """`with RunningCluster(directory, spus=2) as cluster`: started and all SPUs online."""

    directory: Path
    spus: int = 1
    controller: ServerProcess | None = None
    running: dict[int, ServerProcess] = field(default_factory=dict)
    ports: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """host:port of the controller's public port."""
        assert self.controller is not None
        return f"127.0.0.1:{self.controller.public_port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.start_controller()
        for spu_id in range(5001, 5001 + self.spus):
            self.start_spu(spu_id)
        with BlockingAdmin.connect(self.endpoint, timeout_s=READY_S) as admin:
            for spu_id, server in self.running.items():
                spec = CustomSpuSpec(
                    id=spu_id,
                    public_endpoint=IngressPort(
                        port=server.public_port, ingress=[IngressAddr(ip="127.0.0.1")]
                    ),
                    private_endpoint=Endpoint(port=server.private_port, host="127.0.0.1"),
                )
                admin.create_custom_spu(f"custom-spu-{spu_id}", spec)
        self.wait_online(self.spus)

    def wait_online(self, count: int) -> None:
        """Wait until so many SPUs are online and the system topic can be used."""
        states: dict[str, SpuStatusResolution] = {}
        with BlockingAdmin.connect(self.endpoint, timeout_s=READY_S) as admin:
            for update in admin.watch("SPU", timeout_s=READY_S):
                for item in update.all + [change.content for change in update.changes]:
                    states[item.name] = item.status.resolution
                if list(states.values()).count(SpuStatusResolution.ONLINE) == count:
                    break
            else:
                raise AssertionError(f"SPUs are not online: {states}")

    def start_controller(self) -> None:
        """Start the SC, on the ports it had before if it ran before."""
        public, private = self.ports.get(0, (0, 0))
        arguments = ["fluvio_local_cluster.sc", "--local", str(self.directory / "metadata")]
        arguments += ["--bind-public", f"127.0.0.1:{public}", "--bind-private", f"127.0.0.1:{private}"]
        self.controller = start_server(arguments, self.directory / "sc.log")
        self.ports[0] = self.controller.public_port, self.controller.private_port

    def start_spu(self, spu_id: int) -> None:
        """Start an SPU, on the ports it had before if it ran before."""
        assert self.controller is not None
        public, private = self.ports.get(spu_id, (0, 0))
        arguments = ["fluvio_local_cluster.spu", "-i", str(spu_id)]
        arguments += ["-p", f"127.0.0.1:{public}", "-v", f"127.0.0.1:{private}"]
        arguments += ["--sc-addr", f"127.0.0.1:{self.controller.private_port}"]
        arguments += ["--log-base-dir", str(self.directory / "data")]
        server = start_server(arguments, self.directory / f"spu-{spu_id}.log")
        self.running[spu_id] = server
        self.ports[spu_id] = server.public_port, server.private_port

    def kill_spu(self, spu_id: int) -> None:
        """Kill an SPU as a crash would."""
        self.running.pop(spu_id).stop(signal.SIGKILL)

    def stop(self) -> None:
        """Stop everything that runs."""
        for server in self.running.values():
            server.stop()
        self.running.clear()
        if self.controller is not None:
            self.controller.stop()
            self.controller = None
