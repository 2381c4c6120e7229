"""One controller and its SPUs as real processes, started one by one, so that a test can kill one of them.

Nothing of the life cycle commands is in it: a server gets its options from the test, says on a pipe that
it listens, and is ended by a signal. A server that is started again gets its old ports and data.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

from fluvio_client.blocking import BlockingAdmin
from fluvio_protocol.api.spu import CustomSpuSpec, Endpoint, IngressAddr, IngressPort, SpuStatusResolution
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec
from tests.support.ports import free_ports

HOST = "127.0.0.1"
_STOP_S = 15.0
_ONLINE_S = 20.0


class ServerProcess:
    """A server process. `output` is the file with all it has said, also before it was started again."""

    def __init__(
        self, name: str, arguments: Sequence[str], output: Path, wrapper: Sequence[str] = ()
    ) -> None:
        """`arguments`: a module and its options; `wrapper`: a command that runs the rest."""
        self.name, self.output = name, output
        self._wrapper = list(wrapper)
        self.public_port = self.private_port = 0
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def public(self) -> str:
        """host:port of the public port."""
        return f"{HOST}:{self.public_port}"

    def start(self) -> None:
        """Start it and wait until it listens; the test fails with its output if it does not."""
        assert self._process is None
        read_end, write_end = os.pipe()
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._wrapper, sys.executable, "-P", "-m", *self._arguments, "--ready-fd", str(write_end)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(write_end,),
                start_new_session=True,
            )
        os.close(write_end)
        with os.fdopen(read_end, "r") as pipe:
            words = pipe.read().split()  # ends when the server closes the pipe, or dies
        assert words[:1] == ["ready"], f"{self.name} did not start:\n{self.said()}"
        self.public_port, self.private_port = int(words[1]), int(words[2])

    def run_under(self, *wrapper: str) -> None:
        """From the next start on, with this command in front."""
        self._wrapper = list(wrapper)

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it in order; returns the exit code. A test that has killed it may still call this."""
        return self._end(signal.SIGTERM) if self._process is not None else 0

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        try:
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.name} did not end on {number.name}:\n{self.said()}") from None

    def said(self) -> str:
        """Its output."""
        return self.output.read_text(errors="replace")

    def rss_bytes(self) -> int:
        """Memory that is resident."""
        rss: int = psutil.Process(self.pid).memory_info().rss
        return rss

    def descriptor_count(self) -> int:
        """Open descriptors."""
        count: int = psutil.Process(self.pid).num_fds()
        return count


class RawCluster:
    """A controller and `spu_count` SPUs (ids from `first_spu_id`) with their files below `folder`.

    `options` are given to every server, `spu_options` to SPUs. As a context manager it starts all, registers
    the SPUs and waits until they are online; at the end it stops what still runs.
    """

    def __init__(
        self,
        folder: Path,
        spu_count: int = 1,
        options: Sequence[str] = (),
        first_spu_id: int = 5001,
        spu_options: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        sc_public, sc_private, *spu_ports = free_ports(2 + 2 * spu_count)
        self.sc = ServerProcess(
            "the controller",
            [
                "fluvio_local_cluster.sc",
                *("--local", str(folder / "metadata")),
                *("--bind-public", f"{HOST}:{sc_public}"),
                *("--bind-private", f"{HOST}:{sc_private}"),
                *options,
            ],
            folder / "sc.log",
        )
        self._spu_ids = list(range(first_spu_id, first_spu_id + spu_count))
        self._spu_options = [*options, *spu_options]
        self.spus = [
            self._spu(
                spu_id, sc_private, spu_ports[2 * index], spu_ports[2 * index + 1], [*options, *spu_options]
            )
            for index, spu_id in enumerate(self._spu_ids)
        ]

    def _spu(
        self, number: int, sc_private: int, public: int, private: int, options: Sequence[str]
    ) -> ServerProcess:
        arguments = [
            "fluvio_local_cluster.spu",
            *("-i", str(number)),
            *("-p", f"{HOST}:{public}"),
            *("-v", f"{HOST}:{private}"),
            *("--sc-addr", f"{HOST}:{sc_private}"),
            *("--log-base-dir", str(self.folder / f"spu-{number}")),
            *options,
        ]
        return ServerProcess(f"SPU {number}", arguments, self.folder / f"spu-{number}.log")

    @property
    def endpoint(self) -> str:
        """What clients connect to."""
        return self.sc.public

    def __enter__(self) -> Self:
        try:
            self.sc.start()
            for spu in self.spus:
                spu.start()
            with self.admin() as admin:
                for number, spu in zip(self._spu_ids, self.spus, strict=True):
                    admin.create_custom_spu(f"custom-spu-{number}", _spec(number, spu))
            self.await_online()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add_spu(self) -> ServerProcess:
        """One more, online, with the next id."""
        number = max(self._spu_ids, default=5000) + 1
        public, private = free_ports(2)
        spu = self._spu(number, self.sc.private_port, public, private, self._spu_options)
        spu.start()
        self.spus.append(spu)
        self._spu_ids.append(number)
        with self.admin() as admin:
            admin.create_custom_spu(f"custom-spu-{number}", _spec(number, spu))
        self.await_online()
        return spu

    def forget_spu(self, number: int) -> None:
        """Stop an SPU that was unregistered."""
        index = self._spu_ids.index(number)
        del self._spu_ids[index]
        self.spus.pop(index).stop()

    def stop(self) -> None:
        """Stop all that runs, SPUs first."""
        for server in (*self.spus, self.sc):
            server.stop()

    def admin(self) -> BlockingAdmin:
        """A new connection to the controller."""
        return BlockingAdmin.connect(self.endpoint, timeout_s=30)

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Create a topic; its partitions are online afterwards."""
        with self.admin() as admin:
            admin.create_topic(name, TopicSpec(replicas=TopicReplicaParam(partitions=partitions)))

    def await_online(self) -> None:
        """Wait until the controller says that all SPUs are online, as its watch tells."""
        wanted = {f"custom-spu-{number}" for number in self._spu_ids}
        online: set[str] = set()
        with self.admin() as admin:
            for update in admin.watch("SPU", timeout_s=_ONLINE_S):
                for spu in (*update.all, *(message.content for message in update.changes)):
                    (online.add if spu.status.resolution == SpuStatusResolution.ONLINE else online.discard)(
                        spu.name
                    )
                if wanted <= online:
                    return
        raise AssertionError(f"online within {_ONLINE_S} s are only {sorted(online)}")


def _spec(number: int, spu: ServerProcess) -> CustomSpuSpec:
    return CustomSpuSpec(
        id=number,
        public_endpoint=IngressPort(port=spu.public_port, ingress=[IngressAddr(hostname=HOST)]),
        private_endpoint=Endpoint(port=spu.private_port, host=HOST),
    )
