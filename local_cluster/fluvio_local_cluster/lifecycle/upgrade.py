"""`upgrade` of a cluster on this machine: to this program's version, and to other settings.

What could fail is looked at before anything is stopped: whether the controller of this version can read all
metadata, whether certificates belong together. The cluster is left stopped, for `resume`.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle import places as place
from fluvio_local_cluster.lifecycle import ports, preflight
from fluvio_local_cluster.lifecycle.errors import LocalClusterError, PreflightError, RestoreUnfinishedError
from fluvio_local_cluster.lifecycle.lock import data_directory_lock
from fluvio_local_cluster.lifecycle.metadata_files import has_metadata
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.settings import ClusterSettings, ServerPlan, spu_plan
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase, ServerRecord, save_state
from fluvio_local_cluster.lifecycle.stop import stop_servers
from fluvio_local_cluster.lifecycle.tls import ClusterTls
from fluvio_types.defaults import PLATFORM_VERSION

_CHECK_TIMEOUT_S = 600.0  # thousands of objects take seconds
_SHOWN = 10


class DowngradeError(LocalClusterError):
    """The cluster was run by a newer version than this program's."""

    kind = "version-mismatch"

    def __init__(self, version: str) -> None:
        super().__init__(f"the cluster was run by version {version}, this program is {PLATFORM_VERSION}")
        self.hint = "use a program at least as new: an older one may not know what a newer one has stored"


class DamagedMetadataError(LocalClusterError):
    """Some of the metadata cannot be read by this version's controller; nothing was stopped or changed."""

    kind = "unhealthy"

    def __init__(self, lines: Sequence[str]) -> None:
        more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        super().__init__("\n".join(["metadata cannot be read:", *lines[:_SHOWN], *more]))
        self.lines = list(lines)
        self.hint = "mend or remove these files; a start would set them aside (docs/metadata-format.md)"


class UpgradeRefusedError(LocalClusterError):
    """The cluster cannot be changed so; the text tells why."""


@dataclass(slots=True, frozen=True)
class Changes:
    """What shall be other than it was; None: as it is."""

    spu_count: int | None = None
    sc_public: Endpoint | None = None
    sc_private: Endpoint | None = None
    log_dir: Path | None = None
    log_filter: str | None = None
    fsync: str | None = None
    consumer_offset_ttl_s: int | None = None
    tls: ClusterTls | None = None


def upgrade(
    state: ClusterState,
    changes: Changes,
    places: Places,
    progress: Progress,
    *,
    check_metadata: bool = True,
    save_profile: bool = True,
    only_check: bool = False,
) -> ClusterState:
    """Stop the cluster and note version and settings, with which `resume` will start it.

    With `only_check` nothing is stopped or noted. Raises `DowngradeError`, `DamagedMetadataError`,
    `UpgradeRefusedError`, `PreflightError`, `ClusterBusyError`, `StopFailedError`.
    """
    require_known_version(state.platform_version)
    data_dir = state.settings.data_dir
    with Signals() as signals, data_directory_lock(data_dir):
        state = place.state_in(data_dir)
        if state.phase is Phase.STARTING:
            raise UpgradeRefusedError(
                f"the first start of the cluster in {data_dir} has not ended",
                hint="delete it with `fluvio cluster delete`, and start it again",
            )
        if state.phase is Phase.RESTORING:
            raise RestoreUnfinishedError(data_dir)
        changed = _changed(state, changes)
        if check_metadata and has_metadata(data_dir):
            progress.step("📝 Checking All Metadatas")
            _check_metadata(state.settings, signals)
            progress.step("✅ Checked All Metadata")
        if only_check:
            return state
        signals.check()
        progress.step("Uninstalling fluvio local components")
        stop_servers(state)
        for old, new in zip(state.servers, changed.servers, strict=False):
            new.process = old.process
        progress.step("Uninstalled fluvio local components")
        progress.step(f"🚀 Upgrading Local Fluvio cluster to {PLATFORM_VERSION}")
        changed.phase, changed.platform_version = Phase.STOPPED, PLATFORM_VERSION
        save_state(changed)
        place.remember(places, changed)
        if place.local_config_data_dir(places) == data_dir:
            place.write_local_config(places, changed)
        if save_profile:
            _lead_profiles(places, state, changed)
    progress.headline(f"🎉 Successfully upgraded Local Fluvio cluster to {PLATFORM_VERSION}")
    progress.headline("Run: fluvio cluster resume to start the cluster again")
    return changed


def require_known_version(version: str) -> None:
    """Raise `DowngradeError` for data of a newer version than this program's."""
    if _numbers(version) > _numbers(PLATFORM_VERSION):
        raise DowngradeError(version)


def _numbers(version: str) -> tuple[int, ...]:
    """`0.18.2-dev-1` as (0, 18, 2), whatever comes behind; () for what is no version."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _changed(state: ClusterState, changes: Changes) -> ClusterState:
    """The state as it shall be, without processes. Raises `UpgradeRefusedError`, `PreflightError`."""
    old = state.settings
    named = {name: getattr(changes, name) for name in Changes.__slots__}
    settings = replace(old, **{name: value for name, value in named.items() if value is not None})
    servers = [record.plan for record in state.servers]
    if settings.spu_count < len(state.spus):
        raise UpgradeRefusedError(
            f"the cluster has {len(state.spus)} SPUs, an upgrade takes none away",
            hint="records may be on it; see `fluvio cluster spu unregister`",
        )
    choose = ports.port_chooser({endpoint.port for server in servers for endpoint in server.endpoints})

    def endpoint(wanted: Endpoint) -> Endpoint:
        return Endpoint(wanted.host, wanted.port or choose(wanted.host))

    sc = servers[0]
    if changes.sc_public is not None:
        sc = replace(sc, public=endpoint(changes.sc_public))
    if changes.sc_private is not None:
        sc = replace(sc, private=endpoint(changes.sc_private))
    if settings.spu_count > len(state.spus) and any(server.metrics for server in servers):
        raise UpgradeRefusedError("a cluster with `--metrics` gets no more SPUs by an upgrade")
    spus = servers[1:]
    while len(spus) < settings.spu_count:
        spus.append(spu_plan(settings, max((spu.id for spu in spus), default=None), endpoint))
    _check_ports([sc, *spus])
    if changes.log_dir is not None:
        sc, *spus = (replace(server, log=changes.log_dir / server.log.name) for server in (sc, *spus))
    if settings.tls is not None:
        problems = settings.tls.problems([spu.spu_name for spu in spus])
        check = preflight.certificate_check(problems)
        if not check.is_fine:
            raise PreflightError([(check.cause, check.remedy)])
    return replace(
        state, settings=settings, servers=[ServerRecord(plan) for plan in (sc, *spus)], phase=state.phase
    )


def _check_ports(servers: Sequence[ServerPlan]) -> None:
    seen: set[int] = set()
    for server in servers:
        for endpoint in server.endpoints:
            if endpoint.port in seen:
                raise UpgradeRefusedError(f"port {endpoint.port} is wanted by two servers of this cluster")
            seen.add(endpoint.port)


def _check_metadata(settings: ClusterSettings, signals: Signals) -> None:
    """Let a controller of this version read everything, without taking the directory."""
    command = [sys.executable, "-P", "-m", "fluvio_local_cluster.sc", "--local", str(settings.metadata_dir)]
    process = subprocess.Popen(
        [*command, "--check"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C is ours to answer
    )
    with process:
        try:
            with signals.waiting():
                out, err = process.communicate(timeout=_CHECK_TIMEOUT_S)
        except subprocess.TimeoutExpired as exc:
            process.kill()
            raise UpgradeRefusedError(
                f"reading the metadata in {settings.metadata_dir} takes more than {_CHECK_TIMEOUT_S:g} s",
                hint="`--skip-checks` does without",
            ) from exc
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise DamagedMetadataError((out or err).splitlines())


def _lead_profiles(places: Places, old: ClusterState, new: ClusterState) -> None:
    """Profiles that led to the cluster still do, when its address or its certificates are others."""
    if place.endpoint_of(old) == place.endpoint_of(new) and old.settings.tls == new.settings.tls:
        return
    from fluvio_profiles.errors import ConfigMissingError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    def lead(config: Config) -> None:
        for cluster in config.clusters.values():
            if cluster.endpoint == place.endpoint_of(old):
                cluster.endpoint = place.endpoint_of(new)
                if new.settings.tls is not None:
                    cluster.tls = new.settings.tls.for_clients

    try:
        update_config(places.profile_file, lead)
    except ConfigMissingError:
        pass
