"""A throw-away home in which commands run as documents write them, whatever else this machine runs.

Documents name the default ports, and no port at all in `fluvio cluster start`; on the machine of a test
these may be taken. So each port that a document names stands for a free one here: a small `fluvio` in front
of the real one gives `cluster start` the free ports, texts are translated before they run, and what is
printed is translated back.
"""

import re
import shlex

from fluvio_types import defaults
from tests.support.leftovers import processes_at_home, stop
from tests.support.ports import free_port_block, is_free
from tests.support.throwaway_home import ThrowawayHome

SPUS = 4  # so many SPUs a documented cluster may have
_LOCAL_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d{4}\b|(?<=localhost:)\d{4}\b")
_BLOCK = 4  # a document that names a port means its neighbours, too: `--metrics` takes one for each server
_FRONT = """\
#!/bin/sh
# Stands before the real command: a cluster that would take the default ports gets free ones.
if [ "$1 $2" = "cluster start" ]; then
    case " $* " in
        *" --sc-pub-addr "* | *" --name "*) ;;
        *) set -- "$@" --sc-pub-addr {public} --sc-priv-addr {private} --spu-port-base {spus} ;;
    esac
fi
exec {real} "$@"
"""


class DocumentedPorts:
    """Which free port stands for each port of the documents."""

    def __init__(self, text: str = "", *, default_ports: bool = False) -> None:
        """`text` is what will be run. With `default_ports` they stand for themselves where all are free."""
        public, private = defaults.SC_PUBLIC_PORT, defaults.SC_PRIVATE_PORT
        blocks = {
            min(public, private): abs(public - private) + 1,
            defaults.LOCAL_SPU_PUBLIC_PORT_BASE: 10 * SPUS,
        }
        wanted = [first + index for first, size in blocks.items() for index in range(size)]
        self._free: dict[int, int] = {}
        if default_ports and all(is_free(port) for port in wanted):
            self._free = {port: port for port in wanted}
            blocks = {}
        for port in sorted({int(found) for found in _LOCAL_PORT.findall(text)}):
            if not any(first <= port < first + size for first, size in blocks.items()):
                blocks[port] = _BLOCK
        for first, size in blocks.items():
            free = free_port_block(size)
            self._free |= {first + index: free + index for index in range(size)}
        self._documented = {free: port for port, free in self._free.items()}

    def free(self, port: int) -> int:
        """The port that stands for `port`."""
        return self._free[port]

    def to_run(self, text: str) -> str:
        """`text` of a document with the ports that are free here."""
        return _LOCAL_PORT.sub(lambda found: str(self._free.get(int(found[0]), int(found[0]))), text)

    def to_show(self, text: str) -> str:
        """What was printed here, with the ports of the documents."""
        return re.sub(
            r"(?<![\w.])\d{4,5}(?![\w.]*\w)",
            lambda found: str(self._documented.get(int(found[0]), found[0])),
            text,
        )


class DocumentedHome(ThrowawayHome):
    """A home whose `fluvio`, found by PATH, starts clusters on the ports of `ports`."""

    def __init__(self, prefix: str, ports: DocumentedPorts) -> None:
        super().__init__(prefix)
        self.ports = ports
        front = self.path / ".front"
        front.mkdir()
        text = _FRONT.format(
            public=f"127.0.0.1:{ports.free(defaults.SC_PUBLIC_PORT)}",
            private=f"127.0.0.1:{ports.free(defaults.SC_PRIVATE_PORT)}",
            spus=ports.free(defaults.LOCAL_SPU_PUBLIC_PORT_BASE),
            real=shlex.quote(str(self.bin_dir / "fluvio")),
        )
        for name in ("fluvio", "flv"):
            (front / name).write_text(text)
            (front / name).chmod(0o755)
        self.environment["PATH"] = f"{front}:{self.bin_dir}:{self.environment['PATH']}"
        self.environment |= {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm-256color"}
        for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "EDITOR", "VISUAL"):
            self.environment.pop(name, None)

    def remove(self) -> list[str]:
        """Delete every cluster in this home, whatever profile is current, then all else."""
        for state in sorted(self.path.rglob("cluster.json")):
            self.fluvio("cluster", "delete", "--force", "--data-dir", str(state.parent), expect=None)
        left = processes_at_home(self.path, grace_s=3.0)
        stop([process for process, _ in left])
        super().remove()
        return [command for _, command in left]
