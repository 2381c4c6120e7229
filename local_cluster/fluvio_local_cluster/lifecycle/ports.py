"""Ports of this machine: whether one is free, which one to take, and who has one.

"Free" means that a server could listen there now. Freely chosen ports lie below the range from which systems
take the near ends of outgoing connections, so that they are still free when the cluster is resumed.
"""

import errno
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.errors import LocalClusterError

_CHOICE = range(20_000, 32_000)
_TRIES = 200
_LISTEN = "0A"  # state of a listening socket in /proc/net/tcp


@dataclass(slots=True, frozen=True)
class PortProblem:
    """Why no server could listen: the error number of the system (`errno`)."""

    endpoint: Endpoint
    code: int


def port_problem(endpoint: Endpoint) -> PortProblem | None:
    """Try to listen at `endpoint`; None when that works."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            if os.name == "posix":  # what servers set too: connections that linger do not matter
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except socket.gaierror:
        return PortProblem(endpoint, errno.EADDRNOTAVAIL)
    except OSError as exc:
        return PortProblem(endpoint, exc.errno or errno.EINVAL)
    return None


def port_chooser(taken: set[int], is_free: Callable[[Endpoint], bool] | None = None) -> Callable[[str], int]:
    """Return a function that gives a free port of a host, never one of `taken`, never one twice.

    That raises `LocalClusterError` when there is none.
    """

    def free(endpoint: Endpoint) -> bool:
        problem = port_problem(endpoint)
        if problem is not None and problem.code == errno.EADDRNOTAVAIL:  # no port of it would do
            raise LocalClusterError(f"`{endpoint.host}` is not an address of this machine")
        return problem is None

    look = is_free or free

    def choose(host: str) -> int:
        for _ in range(_TRIES):
            port = _CHOICE[int.from_bytes(os.urandom(4)) % len(_CHOICE)]  # `random` loads OpenSSL
            if port not in taken and look(Endpoint(host, port)):
                taken.add(port)
                return port
        raise LocalClusterError(f"no free port was found on {host}")

    return choose


def listening_pid(port: int) -> int | None:
    """The process that listens on `port`, if this user may see it."""
    if sys.platform != "linux":
        return _listening_pid_portably(port)
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        directory = f"/proc/{entry}/fd"
        try:
            for descriptor in os.listdir(directory):
                if os.readlink(f"{directory}/{descriptor}") in wanted:
                    return int(entry)
        except OSError:
            continue  # somebody else's process, or one that has just ended
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _listening_pid_portably(port: int) -> int | None:
    import psutil

    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        for connection in connections:
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                return int(process.pid)
    return None
