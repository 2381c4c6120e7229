"""Asks the clusters of profiles, all at once, whether they are there and what they are.

Each is asked by a thread of its own with the client's blocking connection. Looking up a host name has no time
limit of its own, so the threads are waited for and not trusted: one that has not ended in time is left
behind, which the process does not wait for.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fluvio_cli.failures import CANNOT_CONNECT, DONE, EXIT_CODES, VERSION_MISMATCH
from fluvio_profiles.resolve import Target
from fluvio_types.errors import FluvioError

_WORST_FIRST = (CANNOT_CONNECT, VERSION_MISMATCH)


class ClusterSilentError(FluvioError):
    """The cluster of a profile did not answer in time."""

    kind = "cannot-connect"

    def __init__(self, endpoint: str, timeout_s: float) -> None:
        super().__init__(f"no answer from {endpoint} within {timeout_s:g} s")
        self.endpoint, self.timeout_s = endpoint, timeout_s
        self.hint = "is the address right? `--timeout` waits longer"


@dataclass(slots=True)
class ProfileCheck:
    """What was found out about one profile; `error` is None when all is well."""

    profile: str | None  # None: the address was given by `-c`
    cluster: str | None = None
    endpoint: str | None = None
    tls: str | None = None  # `disabled`, `anonymous`, `verified`
    platform: str | None = None  # version that the controller tells
    milliseconds: int | None = None  # from connecting to knowing the version
    error: FluvioError | None = None

    @property
    def result(self) -> str:
        """`ok` or the kind of `error`; one that did not answer in time could not be connected to."""
        if self.error is None:
            return "ok"
        return "cannot-connect" if self.error.kind == "timed-out" else self.error.kind

    @property
    def exit_code(self) -> int:
        """The code of this profile alone."""
        if self.error is None:
            return DONE
        return CANNOT_CONNECT if self.error.kind == "timed-out" else EXIT_CODES[self.error.kind]

    def view(self) -> dict[str, Any]:
        """The stable form: docs/cli-json-output.md, "profile validate"."""
        return {
            "profile": self.profile,
            "cluster": self.cluster,
            "endpoint": self.endpoint,
            "tls": self.tls,
            "result": self.result,
            "platformVersion": self.platform,
            "milliseconds": self.milliseconds,
            "code": None if self.error is None else self.error.slug,
            "message": None if self.error is None else str(self.error),
        }


def check_all(
    targets: Sequence[tuple[str | None, Target | FluvioError]], client_id: str, timeout_s: float
) -> list[ProfileCheck]:
    """Check all within `timeout_s`, in the order given; a target that is an error already is not asked."""
    checks = [ProfileCheck(name, error=ClusterSilentError("", timeout_s)) for name, _ in targets]
    threads: list[tuple[int, threading.Thread, list[ProfileCheck]]] = []
    for place, (name, target) in enumerate(targets):
        if isinstance(target, FluvioError):
            checks[place].error = target
            continue
        checks[place] = _begun(name, target)
        checks[place].error = ClusterSilentError(target.endpoint, timeout_s)
        done: list[ProfileCheck] = []
        arguments = (name, target, client_id, timeout_s, done)
        thread = threading.Thread(target=_ask, args=arguments, name=f"check-{name}", daemon=True)
        thread.start()
        threads.append((place, thread, done))
    deadline = time.monotonic() + timeout_s
    for place, thread, done in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        if done:
            checks[place] = done[0]
    return checks


def exit_code_of(checks: Sequence[ProfileCheck]) -> int:
    """0, else 4 if any cluster cannot be reached, else 7 if any is of another version, else as the first."""
    codes = [check.exit_code for check in checks if check.error is not None]
    return next((code for code in (*_WORST_FIRST, *codes) if code in codes), DONE)


def _begun(name: str | None, target: Target) -> ProfileCheck:
    return ProfileCheck(name, target.cluster_name, target.endpoint, target.tls.policy.value)


def _ask(
    name: str | None, target: Target, client_id: str, timeout_s: float, done: list[ProfileCheck]
) -> None:
    from fluvio_client.blocking import BlockingAdmin

    check = _begun(name, target)
    begin = time.monotonic()
    try:
        with BlockingAdmin.connect(target, client_id=client_id, timeout_s=timeout_s) as admin:
            check.platform = admin.platform_version
        check.milliseconds = round(1000 * (time.monotonic() - begin))
    except FluvioError as exc:
        check.error = exc
    done.append(check)
