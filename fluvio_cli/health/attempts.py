"""Runs health checks: one, or one after the other until the cluster is healthy or the time is up.

Each attempt is a client of its own, since a cluster that is being started may not even take connections yet.
Between two attempts is a pause that grows to two seconds. On Ctrl-C the attempt under way removes its topic,
then the command ends.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_client.backoff import Backoff
from fluvio_client.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    HandshakeError,
    ResponseTimeoutError,
)
from fluvio_client.health.probe import Limits
from fluvio_client.health.report import HealthReport
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext

_ATTEMPT_S = 10.0  # of several
_LEAST_S = 0.5
_CONNECT_SHARE = 0.2  # of an attempt; the rest is for what `Limits.within` divides
_OUT_OF_REACH = (ConnectionFailedError, ConnectionLostError, HandshakeError, ResponseTimeoutError)


class UnhealthyError(FluvioError):
    """The cluster answers and does not work as it should; `problems` say what is wrong."""

    kind = "unhealthy"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"cluster is not healthy: {'; '.join(problems)}")
        self.problems = problems
        self.hint = "`fluvio cluster spu list` shows the SPUs, `fluvio doctor` looks at this machine"


class NotInTimeError(FluvioError):
    """The cluster did not become healthy while it was waited for."""

    kind = "timed-out"

    def __init__(self, timeout_s: float, last: str) -> None:
        super().__init__(f"not healthy within {timeout_s:g} s: {last}", hint="`--timeout` waits longer")
        self.timeout_s, self.last = timeout_s, last


@dataclass(slots=True)
class HealthJob:
    """What is wished, and what came of it: the last report, or the error that left no report."""

    timeout_s: float  # of the whole, but for the removal of a topic
    wait: bool
    report: HealthReport | None = None
    error: FluvioError | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether the last attempt found nothing wrong."""
        return self.report is not None and self.report.is_healthy

    @property
    def problems(self) -> list[str]:
        """What the last attempt found wrong."""
        return [str(self.error)] if self.report is None else self.report.problems

    def failure(self) -> FluvioError | None:
        """How the command fails, if it does."""
        if self.is_healthy:
            return None
        if self.wait:
            return NotInTimeError(self.timeout_s, "; ".join(self.problems))
        return UnhealthyError(self.problems) if self.report is not None else self.error


async def examine(cli: "CliContext", job: HealthJob, interrupt: Interruptible) -> None:
    """Fill in the job. Raises errors that no waiting mends, and `KeyboardInterrupt` after a signal."""
    deadline = time.monotonic() + job.timeout_s
    backoff = Backoff(first_s=0.1, factor=1.6, most_s=2.0)
    told = ""
    interrupt.listen()
    with interrupt:
        while True:
            left_s = max(deadline - time.monotonic(), _LEAST_S)
            await _attempt(cli, job, min(left_s, _ATTEMPT_S) if job.wait else left_s)
            pause_s = backoff.next_s()
            if job.is_healthy or not job.wait or time.monotonic() + pause_s >= deadline:
                break
            if (text := "; ".join(job.problems)) != told:
                cli.printer.progress(f"    🟡 not healthy yet: {text}")
                told = text
            await asyncio.sleep(pause_s)
    if interrupt.interrupted:
        raise KeyboardInterrupt
    if job.report is not None and job.report.left_topic is not None:
        cli.printer.note(
            f"warning: topic `{job.report.left_topic}` could not be removed; a later check does it"
        )


async def _attempt(cli: "CliContext", job: HealthJob, limit_s: float) -> None:
    """Check once; what came of it goes into the job."""
    job.report = job.error = None
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(limit_s * _CONNECT_SHARE):
                client = await stack.enter_async_context(cli.client())
            job.report = await client.health_probe().check(Limits.within(limit_s))
    except* TimeoutError:
        job.error = FluvioError("the cluster did not answer in time")
        job.error.kind = "cannot-connect"
    except* _OUT_OF_REACH as group:
        (job.error, *_) = _leaves(group)
        job.error.kind = "cannot-connect"


def _leaves(group: BaseExceptionGroup[FluvioError]) -> list[FluvioError]:
    found: list[FluvioError] = []
    for member in group.exceptions:
        found += _leaves(member) if isinstance(member, BaseExceptionGroup) else [member]
    return found
