"""`start` and `resume` of a cluster on this machine.

A start either ends with a cluster whose SPUs are all online and the profile on it, or leaves nothing: no
process, no data, no profile, only what the servers printed. A resume that fails leaves the data as they were.
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fluvio_local_cluster.lifecycle import known, ports, preflight, profile_entries
from fluvio_local_cluster.lifecycle import places as place
from fluvio_local_cluster.lifecycle.bring_up import BringUp
from fluvio_local_cluster.lifecycle.errors import (
    LocalClusterError,
    PreflightError,
    RestoreUnfinishedError,
)
from fluvio_local_cluster.lifecycle.lock import LOCK_FILE, data_directory_lock
from fluvio_local_cluster.lifecycle.metadata_files import has_metadata
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.processes import is_running
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.removal import remove_cluster_files
from fluvio_local_cluster.lifecycle.settings import (
    PROVISION_TIMEOUT_S,
    ClusterSettings,
    Role,
    ServerPlan,
    plan,
)
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.state import (
    ClusterState,
    Phase,
    ServerRecord,
    load_state,
    new_cluster_id,
    save_state,
    state_path,
)
from fluvio_local_cluster.lifecycle.stop import stop_servers
from fluvio_types.defaults import PLATFORM_VERSION
from fluvio_types.errors import NotSupportedYetError

_PORT_TRIES = 4  # times that a start chooses free ports


@dataclass(slots=True, frozen=True)
class Surroundings:
    """What an operation takes from the process it runs in."""

    places: Places
    environment: Mapping[str, str]  # given to the servers
    client_id: str
    provision_timeout_s: float = PROVISION_TIMEOUT_S
    before_removal: Callable[[], None] | None = None  # a start has failed: what it wrote is there still


@dataclass(slots=True, frozen=True)
class Contents:
    """What a new cluster shall hold from the start: the ids of the SPUs that the data are of, and `fill`.

    That puts metadata and records into the data directory of the state it is given, and may raise; it may
    be called again, with other ports, after everything was removed.
    """

    spu_ids: Sequence[int]
    fill: Callable[[ClusterState, Signals], None]


def start(
    settings: ClusterSettings,
    around: Surroundings,
    progress: Progress,
    *,
    only_check: bool = False,
    contents: Contents | None = None,
) -> ClusterState | None:
    """Start a new cluster; None if it was `only_check`ed whether that could be done.

    Raises `PreflightError`, `ClusterBusyError`, `ClusterNameTakenError`, `ServerFailedError`,
    `ProvisionTimeoutError`, errors of the client and of the profile file, and `InterruptedOperation` (a
    KeyboardInterrupt) on SIGINT. SIGTERM and SIGHUP end the process after the clean-up.
    """
    _refuse_windows()
    if not settings.skip_checks:
        progress.headline("📝 Running pre-flight checks")
    with Signals() as signals, _own_directory(settings.data_dir, progress) as directory:
        if only_check:
            servers = plan(settings, ports.port_chooser(_taken_ports(settings, around.places)))
            _check(settings, load_state(settings.data_dir), servers, around, progress)
            return None
        fresh = _begin(settings, around, progress, signals, contents)
        try:
            for tries_left in reversed(range(_PORT_TRIES)):
                if _comes_up(fresh, around, progress, signals, contents, may_fail=tries_left > 0):
                    break
                fresh = _begin(settings, around, progress, signals, contents)
            if settings.name is None:  # that file knows one cluster, and the official tool means it
                place.write_local_config(around.places, fresh)
            signals.check()
            if settings.save_profile:
                profile_entries.write_profile(fresh, around.places, progress)
        except BaseException:
            if around.before_removal is not None:
                around.before_removal()
            _take_back(fresh, around.places)
            raise
        directory.keep()
    progress.headline("🎯 Successfully installed Local Fluvio cluster")
    return fresh


def _begin(
    settings: ClusterSettings,
    around: Surroundings,
    progress: Progress,
    signals: Signals,
    contents: Contents | None,
) -> ClusterState:
    """Choose ports, check, and write down what shall be started, so that others keep out of its way."""
    places = around.places
    with known.reserving(places):
        state = load_state(settings.data_dir)
        chooser = ports.port_chooser(_taken_ports(settings, places))
        servers = plan(settings, chooser, None if contents is None else contents.spu_ids)
        _check(settings, state, servers, around, progress)
        signals.check()
        if state is not None:  # of a start that was killed or failed: nothing runs, nothing was ever stored
            _take_back(state, places)
        progress.step("Creating log directory")
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        progress.step("Sync files")
        fresh = _new_state(settings, servers)
        try:
            save_state(fresh)
            place.remember(places, fresh)
        except BaseException:
            _take_back(fresh, places)
            raise
    progress.step("✅ Local Cluster initialized")
    return fresh


def _comes_up(
    state: ClusterState,
    around: Surroundings,
    progress: Progress,
    signals: Signals,
    contents: Contents | None,
    *,
    may_fail: bool,
) -> bool:
    """Bring the new cluster up; False where another program was quicker to take a port chosen freely."""
    try:
        if contents is not None:
            contents.fill(state, signals)
        _bring_up(state, state.servers, around, progress, signals)
    except LocalClusterError:
        if not may_fail or not _has_lost_a_port(state):
            raise
        progress.step("another program has taken a port meanwhile, choosing others")
        return False
    return True


def _has_lost_a_port(state: ClusterState) -> bool:
    """Whether somebody else has a port that was chosen freely, now that nothing of this cluster runs."""
    settings = state.settings
    named = {settings.sc_public.port, settings.sc_private.port}
    if settings.spu_port_base or (settings.metrics is not None and settings.metrics.port):
        return False
    return any(
        endpoint.port not in named and ports.port_problem(endpoint) is not None
        for server in state.servers
        for endpoint in server.plan.endpoints
    )


def _take_back(state: ClusterState, places: Places) -> None:
    """Remove what a start wrote, and end what it left running."""
    stop_servers(state)  # those of a failed bring-up have ended already
    remove_cluster_files(state.settings.data_dir)
    place.forget(places, state)


def resume(state: ClusterState, around: Surroundings, progress: Progress) -> ClusterState:
    """Start those servers of a known cluster that do not run; its settings and data are as they were.

    Raises as `start` does. A failure ends what this run started.
    """
    _refuse_windows()
    data_dir = state.settings.data_dir
    with Signals() as signals, data_directory_lock(data_dir):
        state = place.state_in(data_dir)  # it may have changed before the lock was ours
        missing = [
            record for record in state.servers if record.process is None or not is_running(record.process)
        ]
        if not missing:
            progress.headline("Local Fluvio cluster is already running")
            return state
        if state.phase is Phase.RESTORING:
            raise RestoreUnfinishedError(data_dir)
        _check_resume(state, missing, around, progress)
        for record in missing:
            record.process = None
        state.settings.log_dir.mkdir(parents=True, exist_ok=True)
        place.remember(around.places, state)
        _bring_up(state, missing, around, progress, signals)
        if state.settings.name is None:
            place.write_local_config(around.places, state)
        if state.settings.save_profile and profile_entries.lacks_profile(state, around.places):
            profile_entries.write_profile(state, around.places, progress)
    progress.headline("🎯 Successfully resumed Local Fluvio cluster")
    return state


class _OwnDirectory:
    """The data directory while it is locked; what was made for it goes again unless it is kept."""

    def __init__(self) -> None:
        self.kept = False

    def keep(self) -> None:
        self.kept = True


@contextmanager
def _own_directory(data_dir: Path, progress: Progress) -> Iterator[_OwnDirectory]:
    """Make and lock the data directory."""
    made: list[Path] = []
    own = _OwnDirectory()
    try:
        with ExitStack() as stack:
            try:
                _make_directories(data_dir, made)
                stack.enter_context(data_directory_lock(data_dir))
            except OSError as exc:
                progress.headline("💔 Some pre-flight check failed!")
                cause = f"{data_dir} cannot be used: {exc.strerror or exc}"
                remedy = "make it writable, or choose another with `--data-dir`"
                raise PreflightError([(cause, remedy)]) from exc
            try:
                yield own
            finally:
                if not own.kept and not state_path(data_dir).exists():
                    (data_dir / LOCK_FILE).unlink(missing_ok=True)
    finally:
        if not own.kept:
            for directory in reversed(made):
                try:
                    directory.rmdir()
                except OSError:
                    break  # somebody else uses it by now


def _make_directories(path: Path, made: list[Path]) -> None:
    """Make `path` and what is missing above it; what was made is added to `made`, the outermost first."""
    missing = []
    nearest = path
    while not nearest.exists():
        missing.append(nearest)
        nearest = nearest.parent
    for directory in reversed(missing):
        try:
            directory.mkdir(mode=0o700)
            made.append(directory)
        except FileExistsError:
            pass  # another start was quicker
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _taken_ports(settings: ClusterSettings, places: Places) -> set[int]:
    """What is not to be chosen freely: the ports named, and those of other clusters."""
    named = {settings.sc_public.port, settings.sc_private.port}
    if settings.metrics is not None:
        named.update(range(settings.metrics.port, settings.metrics.port + settings.spu_count + 1))
    return named | known.taken_ports(places, settings.data_dir)


def _check(
    settings: ClusterSettings,
    state: ClusterState | None,
    servers: Sequence[ServerPlan],
    around: Surroundings,
    progress: Progress,
) -> None:
    if settings.save_profile:
        is_new = state is None or state.phase is Phase.STARTING
        profile_entries.require_writable(settings, around.places, is_new=is_new)
    if settings.name is not None:
        known.require_free_name(around.places, settings.name, settings.data_dir)
    facts = preflight.examine(settings, state, around.places)
    names = [server.spu_name for server in servers if server.role is Role.SPU]
    preflight.examine_certificates(facts, settings, names)
    if not settings.skip_checks and not facts.running:
        preflight.examine_machine(facts, settings, servers)
    looked_at_all = not settings.skip_checks and not facts.running
    _show(list(preflight.checks_of(facts, settings, all_checks=looked_at_all)), progress, settings)


def _check_resume(
    state: ClusterState, missing: Sequence[ServerRecord], around: Surroundings, progress: Progress
) -> None:
    """A resume may find anything of its own; what counts is that the missing servers could run."""
    if state.settings.save_profile:
        profile_entries.require_writable(state.settings, around.places, is_new=False)
    facts = preflight.Facts(state, [])
    needs_metadata = state.phase is not Phase.STARTING and state.sc in missing
    facts.lacks_metadata = needs_metadata and not has_metadata(state.settings.data_dir)
    names = [record.plan.spu_name for record in state.spus]
    preflight.examine_certificates(facts, state.settings, names)
    preflight.examine_machine(facts, state.settings, [record.plan for record in missing])
    _show(list(preflight.machine_checks(facts, state.settings)), progress, state.settings)


def _show(checks: Sequence[preflight.Check], progress: Progress, settings: ClusterSettings) -> None:
    """Show the checks; raises `PreflightError` if one of them failed."""
    failed = []
    for check in checks:
        progress.checked(check.name, check.problem)
        if not settings.skip_checks:
            progress.step(f"    📝 Checking {check.name}")
        if check.is_fine:
            if not settings.skip_checks:
                progress.step(f"    ✅ {check.success}")
            continue
        failed.append((check.cause, check.remedy))
        progress.step(f"    ❌ Check {check.name} failed {check.cause}")
    if failed:
        progress.headline("💔 Some pre-flight check failed!")
        raise PreflightError(failed)
    if not settings.skip_checks:
        progress.headline("🎉 All checks passed!")


def _new_state(settings: ClusterSettings, servers: Sequence[ServerPlan]) -> ClusterState:
    return ClusterState(
        cluster_id=new_cluster_id(),
        platform_version=PLATFORM_VERSION,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
        servers=[ServerRecord(server) for server in servers],
    )


def _bring_up(
    state: ClusterState,
    servers: Sequence[ServerRecord],
    around: Surroundings,
    progress: Progress,
    signals: Signals,
) -> None:
    """Bring up `servers`, and note that the cluster runs; ends them again when that fails."""
    run = BringUp(state, progress, signals, around.environment, around.client_id)
    try:
        run.run(servers, around.provision_timeout_s)
        state.phase, state.platform_version = Phase.RUNNING, PLATFORM_VERSION
        save_state(state)
    except BaseException:
        run.abandon()
        if state.phase is not Phase.STARTING and not any(record.process for record in state.servers):
            state.phase = Phase.STOPPED
        save_state(state)
        raise
    run.let_go()


def _refuse_windows() -> None:
    if os.name != "posix":
        raise NotSupportedYetError("local clusters on this system", hint="use WSL, Linux or macOS")
