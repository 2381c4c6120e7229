"""Where the data of a copy come from, a cluster or a snapshot, and their copying with a person watching."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.lifecycle.closing import close_segments
from fluvio_local_cluster.lifecycle.contents import ContentSettings, copy_contents
from fluvio_local_cluster.lifecycle.errors import (
    CopyFailedError,
    NothingToCopyError,
    RestoreUnfinishedError,
)
from fluvio_local_cluster.lifecycle.lock import data_directory_lock
from fluvio_local_cluster.lifecycle.places import state_in
from fluvio_local_cluster.lifecycle.preflight import running_servers
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase
from fluvio_local_cluster.storage.copying import CopySettings, CopyTotals
from fluvio_local_cluster.storage.markers import read_boot_id

_TELL_EVERY_S = 2.0
_MIB = 1024**2


@dataclass(slots=True, frozen=True)
class Source:
    """Data that can be copied: those in `data_dir`, of the cluster that `state` describes."""

    state: ClusterState
    data_dir: Path
    is_snapshot: bool = False  # nobody ever changes it

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Keep other commands from the data; gives whether no server has them open.

        Raises `ClusterBusyError`, `NoLocalClusterError`, `NothingToCopyError`, `RestoreUnfinishedError`.
        """
        if self.is_snapshot:
            yield True
            return
        with data_directory_lock(self.data_dir):
            state = state_in(self.data_dir)  # it may have changed before the lock was ours
            if state.phase is Phase.STARTING:
                raise NothingToCopyError(self.data_dir)
            if state.phase is Phase.RESTORING:
                raise RestoreUnfinishedError(self.data_dir)
            yield not running_servers(state)


def of_cluster(state: ClusterState) -> Source:
    """The cluster itself, running or not."""
    return Source(state, state.settings.data_dir)


@dataclass(slots=True, frozen=True)
class CopyWish:
    """What a copy shall be; see `ContentSettings` and `CopySettings`."""

    cluster_id: str | None = None
    without_spus: frozenset[str] = frozenset()
    is_durable: bool = True


def copy_source(
    source: Source, target: Path, wish: CopyWish, progress: Progress, signals: Signals
) -> CopyTotals:
    """Copy the data of `source` into `target`; may be interrupted between two pieces of a file.

    Raises `CopyFailedError`, `InterruptedOperation`, and what `Source.held` does: `target` is then to be
    cleared.
    """
    with source.held() as is_at_rest:
        if not is_at_rest:
            progress.step("Closing large segments")
            with signals.waiting():
                close_segments(source.state)
        settings = CopySettings(
            boot_id=read_boot_id(),
            is_at_rest=is_at_rest,
            is_durable=wish.is_durable,
            cluster_id=wish.cluster_id,
            advance=_teller(progress, signals),
        )
        try:
            totals = copy_contents(source.data_dir, target, ContentSettings(settings, wish.without_spus))
        except OSError as exc:
            raise CopyFailedError(source.data_dir, exc.strerror or str(exc)) from exc
    progress.step(
        f"✅ Copied {totals.copied_bytes // _MIB} MiB, {totals.linked_bytes // _MIB} MiB are shared"
    )
    return totals


def _teller(progress: Progress, signals: Signals) -> Callable[[int], None]:
    """Tells a person now and then how much was copied, and ends the copying on a signal."""
    copied, told_at = 0, time.monotonic()

    def advance(size_bytes: int) -> None:
        nonlocal copied, told_at
        signals.check()
        copied += size_bytes
        now = time.monotonic()
        if now - told_at >= _TELL_EVERY_S:
            told_at = now
            progress.step(f"    📝 Copied {copied // _MIB} MiB so far")

    return advance
