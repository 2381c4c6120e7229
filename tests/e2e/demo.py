"""`make demo`: a real cluster on this machine, real data through it, every check shown.

The data are the sources of Python's own standard library: one record per line, the module's name as key.
Everything lives in a temporary home directory and on free ports; nothing is left behind, also after Ctrl-C.
Exit codes: 0 all checks passed, 1 one did not, 130 interrupted.
"""

import hashlib
import os
import signal
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.support.leftovers import processes_at_home
from tests.support.throwaway_home import FREE_PORTS, CommandError, ThrowawayHome

TOPIC = "stdlib-lines"
PARTITIONS = 2
SEPARATOR = "|"  # no module has it in its name
FEWEST_LINES = 50_000
LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib", "lib2to3"}
INTERRUPTED = 130
T = TypeVar("T")


class CheckFailedError(Exception):
    """Something is not as the demo promises."""


@dataclass(slots=True)
class LineSet:
    """Lines by key, in order: how many there are, and what they add up to."""

    count: int = 0
    size_bytes: int = 0
    _digests: dict[bytes, "hashlib._Hash"] = field(default_factory=dict)

    def add(self, key: bytes, line: bytes) -> None:
        """Add the next line of `key`; the order within a key changes the checksum, that between keys not."""
        digest = self._digests.get(key)
        if digest is None:
            digest = self._digests[key] = hashlib.sha256()
        digest.update(b"%d:" % len(line))
        digest.update(line)
        self.count += 1
        self.size_bytes += len(line)

    @property
    def keys(self) -> int:
        """How many different keys there are."""
        return len(self._digests)

    def wrong_keys(self, other: "LineSet") -> list[bytes]:
        """Keys whose lines, or their order, differ between the two."""
        names = self._digests.keys() | other._digests.keys()
        return sorted(name for name in names if self._digest_of(name) != other._digest_of(name))

    def checksum(self) -> str:
        """One SHA-256 over all keys and their lines in order."""
        whole = hashlib.sha256()
        for key in sorted(self._digests):
            whole.update(key + b"\0" + self._digest_of(key))
        return whole.hexdigest()

    def _digest_of(self, key: bytes) -> bytes:
        digest = self._digests.get(key)
        return digest.digest() if digest else b""


class Narrator:
    """Tells in the terminal what happens; in colour where that is welcome."""

    def __init__(self, steps: int) -> None:
        self._steps, self._step, self._start = steps, 0, time.perf_counter()
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def step(self, text: str) -> None:
        """Begin the next step."""
        self._step += 1
        print(
            f"\n{self._painted('1;36', f'[{self._step}/{self._steps}]')} {self._painted('1', text)}",
            flush=True,
        )

    def command(self, arguments: tuple[str, ...]) -> None:
        """Show a command as one would type it."""
        words = " ".join(f"'{word}'" if set(word) & set(" |{}") else word for word in arguments)
        print(f"      {self._painted('2', '$ fluvio ' + words)}", flush=True)

    def output(self, text: str) -> None:
        """Show what a command printed."""
        for line in text.rstrip().splitlines():
            print(f"        {self._painted('2', line)}", flush=True)

    def fact(self, text: str) -> None:
        """Say something that was measured or seen."""
        print(f"      {text}", flush=True)

    def passed(self, text: str) -> None:
        """Say that a check passed."""
        print(f"      {self._painted('32', 'ok')} {text}", flush=True)

    def failed(self, text: str) -> None:
        """Say what went wrong."""
        print(f"\n{self._painted('1;31', 'the demo failed:')} {text}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Say that everything is done."""
        seconds = time.perf_counter() - self._start
        print(f"\n{self._painted('1;32', 'all checks passed')} in {seconds:.1f} s\n", flush=True)

    def _painted(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._colour else text


def library_lines() -> Iterator[tuple[bytes, bytes]]:
    """Every line of the standard library's modules, keyed by the module's name; the same on every call."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if LEFT_OUT & set(parts):
            continue
        key = ".".join(parts).encode()
        lines = path.read_text(encoding="utf-8").split("\n")
        if not lines[-1]:
            lines.pop()  # what follows the last newline
        for line in lines:
            yield key, line.encode()


class Demo:
    """The steps, in order. `home` is the temporary home in which all of it happens."""

    STEPS = 8

    def __init__(self, home: ThrowawayHome, narrator: Narrator) -> None:
        self.home, self.say = home, narrator
        self.file = home.path / "stdlib-lines.txt"
        self.expected = LineSet()

    def run(self) -> None:
        """All steps; raises `CheckFailedError` or `CommandError` at the first thing that is wrong."""
        self.write_file()
        self.start()
        self.create_topic()
        self.produce()
        self.consume()
        self.switch_profiles()
        self.delete()

    def fluvio(self, *arguments: str, show: bool = True, expect: int = 0) -> str:
        """Show and run a command; returns what it printed, standard output first."""
        self.say.command(arguments)
        done = self.home.fluvio(*arguments, expect=expect)
        text = (done.stdout + done.stderr).decode()
        if show:
            self.say.output(text)
        return text

    def write_file(self) -> None:
        """Collect the data."""
        self.say.step("Collect real data: the source lines of Python's standard library, keyed by module")
        with self.file.open("wb") as file:
            for key, line in library_lines():
                file.write(b"%b%b%b\n" % (key, SEPARATOR.encode(), line))
                self.expected.add(key, line)
        count, keys = self.expected.count, self.expected.keys
        self.say.fact(f"{count:,} lines of {keys:,} modules, {self.file.stat().st_size / 1e6:.1f} MB")
        check(count >= FEWEST_LINES, f"the library has {count:,} lines only, {FEWEST_LINES:,} are needed")

    def start(self) -> None:
        """Start a cluster."""
        self.say.step("Start a cluster: one controller (SC) and one streaming unit (SPU), on free ports")
        _, seconds = timed(lambda: self.fluvio("cluster", "start", *FREE_PORTS))
        self.say.fact(f"started in {seconds:.2f} s")
        self.fluvio("cluster", "status")
        servers = processes_at_home(self.home.path, grace_s=0)
        check(bool(servers), "no server process is to be seen")
        memory = sum(process.memory_info().rss for process, _ in servers)
        self.say.passed(f"{len(servers)} processes with {memory / 1e6:.0f} MB of memory together")

    def create_topic(self) -> None:
        """Create the topic."""
        self.say.step(f"Create a topic with {PARTITIONS} partitions")
        self.fluvio("topic", "create", TOPIC, "--partitions", str(PARTITIONS))
        table = self.fluvio("partition", "list")
        check(table.count(TOPIC) == PARTITIONS, f"the list does not show {PARTITIONS} partitions")

    def produce(self) -> None:
        """Send the file."""
        self.say.step("Produce: every line a record, the text in front of the separator its key")
        arguments = ("produce", TOPIC, "--file", str(self.file), "--key-separator", SEPARATOR)
        _, seconds = timed(lambda: self.fluvio(*arguments))
        self.tell_rate("sent and acknowledged", seconds)

    def consume(self) -> None:
        """Read everything back and compare."""
        self.say.step("Consume it back, from the beginning to the end, and compare")
        template = "{{partition}} {{offset}} {{key}}" + SEPARATOR + "{{value}}"
        arguments = ("consume", TOPIC, "-B", "-d", "-F", template)
        received = self.home.path / "received.txt"
        self.say.command(arguments)
        with received.open("wb") as output:
            _, seconds = timed(lambda: self.home.fluvio(*arguments, stdout=output))
        self.tell_rate("received and printed", seconds)
        self.compare(received)

    def compare(self, received: Path) -> None:
        """Check what came back against what was sent."""
        got, next_offset, home_of = LineSet(), [0] * PARTITIONS, dict[bytes, int]()
        with received.open("rb") as file:
            for text in file:
                place, _, line = text.removesuffix(b"\n").partition(SEPARATOR.encode())
                number, offset, key = place.split(b" ", 2)
                partition = int(number)
                check(int(offset) == next_offset[partition], f"offset {offset.decode()} is out of line")
                next_offset[partition] += 1
                check(home_of.setdefault(key, partition) == partition, f"{key.decode()} is in two partitions")
                got.add(key, line)
        check(got.count == self.expected.count, f"{got.count:,} records came back")
        shares = " + ".join(f"{count:,}" for count in next_offset)
        self.say.passed(f"count: {got.count:,} records, {shares} by partition, no offset left out")
        check(min(next_offset) > 0, "one partition got no record")
        wrong = self.expected.wrong_keys(got)
        check(not wrong, f"the lines of {len(wrong)} keys differ, of {b', '.join(wrong[:3]).decode()} first")
        self.say.passed(f"order: the lines of each of the {got.keys:,} keys are in the order they were sent")
        check(got.checksum() == self.expected.checksum(), "the checksums differ")
        self.say.passed(f"checksum: SHA-256 {got.checksum()[:32]}... on both sides")

    def switch_profiles(self) -> None:
        """Show that a profile decides which cluster a command goes to."""
        self.say.step("Switch profiles: to a cluster that does not answer, and back")
        self.fluvio("profile", "add", "nobody", "127.0.0.1:1", "local")
        self.fluvio("profile", "list")
        check(self.fluvio("profile").strip() == "nobody", "the added profile is not the current one")
        self.fluvio("topic", "list", expect=4)
        self.say.passed("with `nobody` there is no cluster to talk to")
        self.fluvio("profile", "switch", "local")
        check(TOPIC in self.fluvio("topic", "list"), f"`topic list` does not show {TOPIC}")
        self.say.passed("with `local` the topic is there again")

    def delete(self) -> None:
        """Delete the cluster."""
        self.say.step("Delete the cluster and its data")
        self.fluvio("cluster", "delete", "--force")
        check(not processes_at_home(self.home.path, grace_s=3.0), "a server is still running")
        self.say.passed("no process is left")
        data = self.home.path / ".fluvio" / "data"
        check(not data.exists(), f"{data} is still there")
        self.say.passed("no data are left")

    def tell_rate(self, what: str, seconds: float) -> None:
        """Print lines and bytes per second."""
        lines, size = self.expected.count, self.file.stat().st_size
        self.say.fact(
            f"{what} in {seconds:.2f} s, the command's own start included: "
            f"{lines / seconds:,.0f} lines/s, {size / seconds / 1e6:.1f} MB/s"
        )


def check(holds: bool, otherwise: str) -> None:
    """Raise `CheckFailedError` with the text `otherwise`, unless it holds."""
    if not holds:
        raise CheckFailedError(otherwise)


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """The result of `action`, and the seconds it took."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def main() -> int:
    """Run the demo; returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    narrator = Narrator(Demo.STEPS)
    home = ThrowawayHome("fluvio-demo-")
    home.environment["CI"] = "1"  # commands tell what they do line by line, as they would on a terminal
    code = 0
    try:
        print(f"Everything happens in {home.path}, which is removed at the end.")
        Demo(home, narrator).run()
        narrator.step("Leave nothing behind")
    except KeyboardInterrupt:
        narrator.failed("interrupted; cleaning up")
        code = INTERRUPTED
    except (CheckFailedError, CommandError, OSError) as exc:
        narrator.failed(str(exc))
        code = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # from here on it only takes moments
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stopped = home.remove()
    if stopped or home.path.exists():
        narrator.failed(f"left behind: {stopped or home.path}")
        return code or 1
    narrator.passed("the temporary home is gone")
    if code == 0:
        narrator.end()
    return code


if __name__ == "__main__":
    sys.exit(main())
