"""Asks a client in a process of its own (`load`) for one task after another."""

import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import psutil

from tests.bench.measuring import BenchError
from tests.bench.peers.engine import Client, Job, Outcome
from tests.bench.peers.load import READY

_TASK_S = 180.0
_END_S = 10.0
_ERROR_CHARACTERS = 2_000


class ClientProcess:
    """`with ClientProcess(OurClient) as client: client.run("produce", job)`. It ends with the block."""

    def __init__(self, kind: type[Client]) -> None:
        self._name = kind.__name__
        self._command = [sys.executable, "-m", "tests.bench.peers.load", kind.__module__, kind.__name__]

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            bufsize=1,
        )
        try:
            self.wait_until_ready()
        except BaseException as exc:
            self.__exit__(type(exc), exc, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(_END_S)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    @property
    def process(self) -> psutil.Process:
        """For its processor time."""
        return psutil.Process(self._process.pid)

    def begin(self, task: str, job: Job) -> None:
        """Give a task without waiting for it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"task": task, "job": asdict(job)}) + "\n")
        except BrokenPipeError as exc:
            raise self._failure(task) from exc

    def wait_until_ready(self) -> None:
        """Until it is loaded, or `receive_paced` has its first record."""
        if self._line("getting ready") != READY:
            raise BenchError(f"{self._name} ended before it was ready")

    def result(self, task: str) -> Any:
        """Wait for the task's end. Raises `BenchError` with what the client said when it fails."""
        return self._line(task)["result"]

    def run(self, task: str, job: Job) -> Any:
        """Give a task, and wait for its result."""
        self.begin(task, job)
        return self.result(task)

    def measure(self, task: str, job: Job) -> Outcome:
        """A task that takes samples. Raises `BenchError` also when records are missing."""
        outcome = Outcome(**self.run(task, job))
        if outcome.count != job.count:
            raise BenchError(f"{self._name}, {task}: {outcome.count} records of {job.count}")
        return outcome

    def _line(self, task: str) -> Any:
        assert self._process.stdout is not None
        watchdog = threading.Timer(_TASK_S, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise self._failure(task)
        return json.loads(line)

    def _failure(self, task: str) -> BenchError:
        try:
            code = self._process.wait(_END_S)  # it closed its end: it is ending
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        text = self._errors.read()[-_ERROR_CHARACTERS:]
        return BenchError(f"{self._name}, {task}: ended with {code} (limit {_TASK_S:.0f} s): {text}")
