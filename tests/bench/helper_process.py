"""A server of the benchmarks: a Python module run beside them, which prints where it listens."""

import subprocess
import sys
from types import TracebackType
from typing import Self

from tests.bench.measuring import BenchError

_END_S = 10.0


class HelperProcess:
    """`with HelperProcess("tests.bench.loopback", path) as words`: the words of its first line of output.

    It ends when its standard input is closed, so it cannot outlive the benchmark.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.words = self.process.stdout.readline().split()
        if not self.words:
            self.__exit__(None, None, None)
            raise BenchError(f"`{' '.join(self._command)}` did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def module_output(module: str, *arguments: str, timeout_s: float = 300.0) -> str:
    """Run a module in a process of its own, and return what it printed. Raises `BenchError`."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode != 0:
        raise BenchError(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
