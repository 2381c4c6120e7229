"""Takes over a local cluster of the official command line: its directories, as they lie there.

The layout is the same (docs/local-cluster.md, "Taking over a cluster of the official engine"), so all that is
missing is the state file. Settings come from the official `local-config`, the SPUs and their ports from the
metadata. Nothing that was there is changed here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fluvio_client.errors import ConnectionFailedError
from fluvio_client.target import Endpoint, parse_endpoint
from fluvio_local_cluster.lifecycle import ports
from fluvio_local_cluster.lifecycle.errors import LocalClusterError
from fluvio_local_cluster.lifecycle.lock import data_directory_lock
from fluvio_local_cluster.lifecycle.metadata_files import is_official
from fluvio_local_cluster.lifecycle.places import Places, local_config_data_dir, read_local_config, remember
from fluvio_local_cluster.lifecycle.settings import (
    DEFAULT_LOG_FILTER,
    DEFAULT_SC_PRIVATE,
    DEFAULT_SC_PUBLIC,
    LOOPBACK,
    ClusterSettings,
    ServerPlan,
    plan,
)
from fluvio_local_cluster.lifecycle.state import (
    ClusterState,
    Phase,
    ServerRecord,
    load_state,
    new_cluster_id,
    save_state,
)
from fluvio_local_cluster.lifecycle.tls import ClusterTls
from fluvio_types.defaults import LOCAL_SPU_ID_BASE, PLATFORM_VERSION
from fluvio_types.errors import NotSupportedYetError

_SPU_PREFIX = "custom-spu-"


class TakeoverError(LocalClusterError):
    """A directory of the official engine cannot be taken over; the text tells why."""


def take_over(places: Places, log_dir: Path, data_dir: Path | None = None) -> ClusterState | None:
    """Note the official cluster in `data_dir` (None: the one that `local-config` names) as one of ours.

    It is then a cluster that was shut down, for `resume`. `log_dir`: where servers print if `local-config`
    does not say. None when there is no such cluster. Raises `TakeoverError`, `LocalClusterError`, `OSError`.
    """
    directory = local_config_data_dir(places) if data_dir is None else data_dir
    if directory is None or not is_official(directory):
        return None
    with data_directory_lock(directory):
        if load_state(directory) is not None:
            return None
        config = read_local_config(places) if local_config_data_dir(places) == directory else {}
        state = _state(directory, config, log_dir)
        save_state(state)
        remember(places, state)
    return state


def _state(data_dir: Path, config: Mapping[str, Any], log_dir: Path) -> ClusterState:
    named = config.get("log_dir")
    settings = ClusterSettings(
        data_dir=data_dir,
        log_dir=Path(named) if isinstance(named, str) else log_dir,
        sc_public=_endpoint(config, "sc_pub_addr", DEFAULT_SC_PUBLIC),
        sc_private=replace(_endpoint(config, "sc_priv_addr", DEFAULT_SC_PRIVATE), host=LOOPBACK),
        spu_count=0,
        log_filter=str(config.get("rust_log") or DEFAULT_LOG_FILTER),
        save_profile=bool(config.get("save_profile", True)),
        tls=_tls(config),
    )
    spus = _spus(settings)
    if not spus:
        raise TakeoverError(f"the metadata in {settings.metadata_dir} name no SPU of a local cluster")
    servers = [*plan(settings, ports.port_chooser({settings.sc_public.port})), *spus]
    return ClusterState(
        cluster_id=new_cluster_id(),
        platform_version=str(config.get("platform_version") or PLATFORM_VERSION),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=replace(settings, spu_count=len(spus)),
        servers=[ServerRecord(server) for server in servers],
        phase=Phase.STOPPED,
    )


def _tls(config: Mapping[str, Any]) -> ClusterTls | None:
    """The certificates of servers and clients, which `local-config` has in the form of a profile's."""
    from fluvio_profiles.model import DocumentError, Tls, TlsPolicy, TlsSource, tls_from_document

    server, client = Tls(), Tls()
    try:
        if "server_tls_policy" in config:
            server = tls_from_document(config["server_tls_policy"])
        if server.policy is TlsPolicy.DISABLED:
            return None
        client = tls_from_document(config["client_tls_policy"])
    except (DocumentError, LookupError) as exc:
        raise TakeoverError(f"the TLS settings of the local cluster's configuration: {exc}") from exc
    if server.certs is None or client.certs is None or TlsSource.INLINE in (server.source, client.source):
        raise NotSupportedYetError("local clusters whose certificates are not in files")
    return ClusterTls(
        domain=server.certs.domain,
        ca_cert=Path(server.certs.ca_cert).absolute(),
        client_cert=Path(client.certs.cert).absolute(),
        client_key=Path(client.certs.key).absolute(),
        server_cert=Path(server.certs.cert).absolute(),
        server_key=Path(server.certs.key).absolute(),
    )


def _endpoint(config: Mapping[str, Any], key: str, default: Endpoint) -> Endpoint:
    named = config.get(key)
    if not isinstance(named, str):
        return default
    try:
        return parse_endpoint(named)
    except ConnectionFailedError as exc:
        raise TakeoverError(f"`{key}` of the local cluster's configuration is no address: {named}") from exc


def _spus(settings: ClusterSettings) -> Sequence[ServerPlan]:
    """The SPUs that the official `cluster start` names so, at the ports where clients look for them."""
    found = []
    for path in settings.metadata_dir.glob(f"SPU/{_SPU_PREFIX}*.yaml"):
        digits = path.stem.removeprefix(_SPU_PREFIX)
        if digits.isdecimal() and int(digits) >= LOCAL_SPU_ID_BASE:
            public, private = _ports(path)
            found.append(
                ServerPlan.of_spu(
                    int(digits),
                    Endpoint(settings.sc_public.host, public),
                    Endpoint(LOOPBACK, private),
                    settings.log_dir,
                )
            )
    return sorted(found, key=lambda spu: spu.id)


def _ports(path: Path) -> tuple[int, int]:
    """Public and private port of an SPU's object. Layout: docs/metadata-format.md."""
    import yaml

    try:
        spec = _member(yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader), "spec")
        public, private = (
            int(_member(_member(spec, name), "port").value) for name in ("publicEndpoint", "privateEndpoint")
        )
    except (OSError, ValueError, LookupError, yaml.YAMLError) as exc:
        raise TakeoverError(f"{path} does not tell where the SPU listens: {exc}") from exc
    return public, private


def _member(node: Any, name: str) -> Any:
    """The value of a mapping's key, not constructed: tags are the metadata format's own."""
    for key, value in getattr(node, "value", None) or ():
        if key.value == name:
            return value
    raise LookupError(f"it has no `{name}`")
