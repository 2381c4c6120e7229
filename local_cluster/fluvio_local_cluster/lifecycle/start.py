"""`start` and `resume` of a cluster on this machine.

A start either ends with a cluster whose SPUs are all online and the profile on it, or leaves nothing: no
process, no data, no profile, only what the servers printed. A resume that fails leaves the data as they were.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fluvio_local_cluster.lifecycle import places as place
from fluvio_local_cluster.lifecycle import ports, preflight
from fluvio_local_cluster.lifecycle.bring_up import BringUp
from fluvio_local_cluster.lifecycle.errors import PreflightError
from fluvio_local_cluster.lifecycle.lock import LOCK_FILE, data_directory_lock
from fluvio_local_cluster.lifecycle.metadata_files import has_metadata
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.processes import is_running
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.removal import remove_cluster_files
from fluvio_local_cluster.lifecycle.settings import (
    PROFILE_NAME,
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


@dataclass(slots=True, frozen=True)
class Surroundings:
    """What an operation takes from the process it runs in."""

    places: Places
    environment: Mapping[str, str]  # given to the servers
    client_id: str
    provision_timeout_s: float = PROVISION_TIMEOUT_S


def start(
    settings: ClusterSettings, around: Surroundings, progress: Progress, *, only_check: bool = False
) -> ClusterState | None:
    """Start a new cluster; None if it was `only_check`ed whether that could be done.

    Raises `PreflightError`, `ClusterBusyError`, `ServerFailedError`, `ProvisionTimeoutError`, errors of the
    client and of the profile file, and `InterruptedOperation` (a KeyboardInterrupt) on SIGINT. SIGTERM and
    SIGHUP end the process after the clean-up.
    """
    _refuse_windows()
    if not settings.skip_checks:
        progress.headline("📝 Running pre-flight checks")
    with Signals() as signals, _own_directory(settings.data_dir, progress) as directory:
        state = load_state(settings.data_dir)
        servers = plan(settings, ports.port_chooser(_named_ports(settings)))
        _check(settings, state, servers, around, progress)
        if only_check:
            return None
        signals.check()
        if state is not None:  # of a start that was killed: nothing runs, nothing was ever stored
            remove_cluster_files(state.settings.data_dir)
            place.forget(around.places, state)
        progress.step("Creating log directory")
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        progress.step("Sync files")
        fresh = _new_state(settings, servers)
        try:
            save_state(fresh)
            place.remember(around.places, fresh)
            progress.step("✅ Local Cluster initialized")
            _bring_up(fresh, fresh.servers, around, progress, signals)
            place.write_local_config(around.places, fresh)
            signals.check()
            if settings.save_profile:
                _write_profile(fresh, around.places, progress)
        except BaseException:
            stop_servers(fresh)  # those of a failed bring-up have ended already
            remove_cluster_files(settings.data_dir)
            place.forget(around.places, fresh)
            raise
        directory.keep()
    progress.headline("🎯 Successfully installed Local Fluvio cluster")
    return fresh


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
        _check_resume(state, missing, around, progress)
        for record in missing:
            record.process = None
        state.settings.log_dir.mkdir(parents=True, exist_ok=True)
        place.remember(around.places, state)
        _bring_up(state, missing, around, progress, signals)
        place.write_local_config(around.places, state)
        if state.settings.save_profile and not _has_profile(state, around.places):
            _write_profile(state, around.places, progress)
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


def _named_ports(settings: ClusterSettings) -> set[int]:
    named = {settings.sc_public.port, settings.sc_private.port}
    if settings.metrics is not None:
        named.update(range(settings.metrics.port, settings.metrics.port + settings.spu_count + 1))
    return named


def _check(
    settings: ClusterSettings,
    state: ClusterState | None,
    servers: Sequence[ServerPlan],
    around: Surroundings,
    progress: Progress,
) -> None:
    if settings.save_profile:
        _require_usable_profile_file(around.places)
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
    if state.settings.save_profile and not _has_profile(state, around.places):
        _require_usable_profile_file(around.places)
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


def _require_usable_profile_file(places: Places) -> None:
    """Raise `ConfigBrokenError` before anything is started, if the profile could not be written later."""
    from fluvio_profiles.errors import ConfigMissingError
    from fluvio_profiles.store import load_config

    try:
        load_config(places.profile_file)
    except ConfigMissingError:
        pass


def _has_profile(state: ClusterState, places: Places) -> bool:
    """Whether some profile leads to the cluster: the user may have renamed the first one."""
    from fluvio_profiles.errors import ConfigMissingError
    from fluvio_profiles.store import load_config

    try:
        config = load_config(places.profile_file)
    except ConfigMissingError:
        return False
    endpoint = place.endpoint_of(state)
    return any(
        cluster.endpoint == endpoint and config.profiles_of(name) for name, cluster in config.clusters.items()
    )


def _write_profile(state: ClusterState, places: Places, progress: Progress) -> None:
    from fluvio_profiles.store import set_local_profile

    endpoint = place.endpoint_of(state)
    progress.step(f"Creating Local Profile to: {endpoint}")
    tls = state.settings.tls
    set_local_profile(
        places.profile_file,
        PROFILE_NAME,
        endpoint,
        "local" if state.settings.read_only is None else "read_only",
        tls=None if tls is None else tls.for_clients,
    )
    progress.step("👤 Profile set")


def _refuse_windows() -> None:
    if os.name != "posix":
        raise NotSupportedYetError("local clusters on this system", hint="use WSL, Linux or macOS")
