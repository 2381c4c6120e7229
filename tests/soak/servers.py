"""The cluster's processes: looked at, killed, shut down, resumed."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

from fluvio_local_cluster.lifecycle.state import ClusterState, load_state
from tests.soak.figures import Point, Slope, slope
from tests.soak.plan import How, Restart
from tests.support.throwaway_home import ThrowawayHome

_END_S = 10.0


@dataclass(slots=True)
class Life:
    """One process of a server, from a start to an end."""

    pid: int
    memory: list[Point] = field(default_factory=list)  # monotonic seconds, resident MB (10^6 bytes)
    descriptors: int = 0  # now
    most_descriptors: int = 0


@dataclass(slots=True)
class Server:
    """The controller or an SPU, through all its lives."""

    label: str
    lives: list[Life] = field(default_factory=list)

    def slope(self, warm_up_s: float) -> Slope:
        """Of its memory, see `figures.slope`."""
        return slope([life.memory for life in self.lives], warm_up_s)

    @property
    def memory_mb(self) -> float:
        """As seen last."""
        return self.lives[-1].memory[-1][1] if self.lives and self.lives[-1].memory else 0.0

    def document(self, warm_up_s: float) -> dict[str, Any]:
        """For JSON."""
        found = self.slope(warm_up_s)
        return {
            "server": self.label,
            "processes": len(self.lives),
            "rss_mb": self.memory_mb,
            "rss_most_mb": max((mb for life in self.lives for _, mb in life.memory), default=0.0),
            "rss_slope_mb_per_hour": found.mb_per_hour,
            "slope_measured_s": found.measured_s,
            "descriptors": self.lives[-1].descriptors if self.lives else 0,
            "descriptors_most": max((life.most_descriptors for life in self.lives), default=0),
        }


class Servers:
    """All of them; `windows` are the times (monotonic seconds) in which one was not there."""

    def __init__(self, home: ThrowawayHome) -> None:
        self._home = home
        self.by_label: dict[str, Server] = {}
        self.windows: list[tuple[float, float]] = []
        self.resume_s: list[float] = []
        self._down_since: float | None = None

    @property
    def endpoint(self) -> str:
        """Where the controller is."""
        return str(self._state().sc.plan.public)

    @property
    def all_windows(self) -> list[tuple[float, float]]:
        """`windows`, and the one that has begun, to the end of time."""
        if self._down_since is None:
            return self.windows
        return [*self.windows, (self._down_since, float("inf"))]

    def look(self) -> None:
        """Sample memory and descriptors of what runs now."""
        now = time.monotonic()
        for record in self._state().servers:
            if record.process is None:
                continue
            server = self.by_label.setdefault(record.plan.label, Server(record.plan.label))
            try:
                process = psutil.Process(record.process.pid)
                memory_mb, descriptors = process.memory_info().rss / 1e6, process.num_fds()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # between its end and its next start
            if not server.lives or server.lives[-1].pid != record.process.pid:
                server.lives.append(Life(record.process.pid))
            life = server.lives[-1]
            life.memory.append((now, memory_mb))
            life.descriptors = descriptors
            life.most_descriptors = max(life.most_descriptors, descriptors)

    async def restart(self, restart: Restart) -> None:
        """End what the restart ends, wait its pause, resume. Raises `CommandError`."""
        self._down_since = time.monotonic()
        if restart.how is How.ORDERLY:
            await asyncio.to_thread(self._home.fluvio, "cluster", "shutdown")
        else:
            process = self._state().spus[restart.spu].process
            assert process is not None
            killed = psutil.Process(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            await asyncio.to_thread(psutil.wait_procs, [killed], _END_S)
        await asyncio.sleep(restart.pause_s)  # how long somebody needs to notice
        begin = time.monotonic()
        await asyncio.to_thread(self._home.fluvio, "cluster", "resume")
        now = time.monotonic()
        self.resume_s.append(now - begin)
        self.windows.append((self._down_since, now))
        self._down_since = None

    def _state(self) -> ClusterState:
        state = load_state(self._home.state_file.parent)
        assert state is not None
        return state
