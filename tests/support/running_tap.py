"""`fluvio tap` as a process of its own, and what it prints, as it comes."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 30.0


class RunningTap:
    """`with RunningTap(fluvio, env, ...) as tap`: it listens at `tap.endpoint` inside, and is gone after it.

    Its output is JSON; `until` waits for an object in it.
    """

    def __init__(self, executable: Path, environment: Mapping[str, str], *options: str) -> None:
        self._process = subprocess.Popen(
            [executable, "tap", "--listen", "127.0.0.1:0", "-O", "json", *options],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.told: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._has_ended = False
        self._reading = threading.Thread(target=self._read, daemon=True)
        self.summary = ""  # what it printed to standard error, after its end
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        self._reading.start()
        self.endpoint: str = self.until(lambda event: event["event"] == "listen")["listener"]
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self.exit_code is None:
            self.end()
        self._process.kill()
        self._process.wait(PATIENCE_S)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def end(self) -> None:
        """Ctrl-C; all that was told is in `told` then."""
        self._process.send_signal(signal.SIGINT)
        self._reading.join(PATIENCE_S)
        assert self._process.stderr is not None
        self.summary = self._process.stderr.read()
        self.exit_code = self._process.wait(PATIENCE_S)

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first object for which `holds` is true, once there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended or any(map(holds, self.told)), PATIENCE_S)
            found = next(filter(holds, self.told), None)
        if found is None:
            said = self._process.stderr.read() if self._has_ended and self._process.stderr else ""
            raise AssertionError(f"the tap has not told what was awaited: {self.told[-3:]} {said}")
        return found

    def frames(self, api: str, direction: str = "request") -> list[dict[str, Any]]:
        """The requests or answers of one API that were told so far."""
        with self._changed:
            return [each for each in self.told if each["event"] == direction and each["api"] == api]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.told.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
