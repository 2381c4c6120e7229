"""The checks before a start or a resume, without the start: nothing is locked, made or written."""

from fluvio_local_cluster.lifecycle import ports, preflight
from fluvio_local_cluster.lifecycle.errors import PreflightError, RestoreUnfinishedError
from fluvio_local_cluster.lifecycle.metadata_files import has_metadata
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.preflight import Check, Facts
from fluvio_local_cluster.lifecycle.processes import is_running
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.settings import ClusterSettings, plan
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase, load_state


def check_startable(settings: ClusterSettings, places: Places, progress: Progress) -> None:
    """Whether `start` could start a cluster with `settings`; raises `PreflightError` if not."""
    state = load_state(settings.data_dir)
    facts = Facts(state, [])
    if settings.data_dir.is_dir():
        facts = preflight.examine(settings, state, places)
    servers = plan(settings, ports.port_chooser({settings.sc_public.port, settings.sc_private.port}))
    if not facts.running:
        preflight.examine_machine(facts, settings, servers)
    _tell(list(preflight.checks_of(facts, settings, all_checks=not facts.running)), progress)


def check_resumable(state: ClusterState, progress: Progress) -> list[str]:
    """Whether those servers that do not run could be started; raises `PreflightError` if not.

    And `RestoreUnfinishedError`.

    Returns the servers that run, for people, when all of them do; else none.
    """
    if state.phase is Phase.RESTORING:
        raise RestoreUnfinishedError(state.settings.data_dir)
    missing = [record for record in state.servers if record.process is None or not is_running(record.process)]
    if not missing:
        progress.headline("🎉 All checks passed!")
        return preflight.running_servers(state)
    facts = Facts(state, [])
    needs_metadata = state.phase is not Phase.STARTING and state.sc in missing
    facts.lacks_metadata = needs_metadata and not has_metadata(state.settings.data_dir)
    preflight.examine_machine(facts, state.settings, [record.plan for record in missing])
    _tell(list(preflight.machine_checks(facts, state.settings)), progress)
    return []


def _tell(checks: list[Check], progress: Progress) -> None:
    """Show the checks as a start does; raises `PreflightError` if one of them failed."""
    failed = []
    for check in checks:
        progress.checked(check.name, check.problem)
        progress.step(f"    📝 Checking {check.name}")
        if check.is_fine:
            progress.step(f"    ✅ {check.success}")
        else:
            failed.append((check.cause, check.remedy))
            progress.step(f"    ❌ Check {check.name} failed {check.cause}")
    if failed:
        progress.headline("💔 Some pre-flight check failed!")
        raise PreflightError(failed)
    progress.headline("🎉 All checks passed!")
