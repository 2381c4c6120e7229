"""Profiles as a declaration has them: read from its document, taken from the profile file, put into it."""

import re
from typing import Any

from fluvio_cli.declared.documents import UndeclarableError
from fluvio_cli.declared.model import DeclarationError, DeclaredProfile
from fluvio_cli.file_keys import FileKeys
from fluvio_profiles import protection
from fluvio_profiles.model import (
    Cluster,
    Config,
    Installation,
    Profile,
    Tls,
    TlsCerts,
    TlsPolicy,
    TlsSource,
)

_HINT = "docs/declared-state.md lists the keys; they are those of the profile file"
_ENDPOINT = re.compile(r"\S+:[0-9]{1,5}")
_MOST_CHARACTERS = 200  # of a name
_MOST_DESCRIBED = 1000  # characters


def read_profile(place: str, name: str, content: Any) -> DeclaredProfile:
    """Profile `name` as the mapping at `place` declares it. Raises `DeclarationError`."""
    keys = FileKeys(place, content, DeclarationError, _HINT)
    profile = DeclaredProfile(
        endpoint=keys.take("endpoint", _endpoint, required=True),
        cluster=keys.take("cluster", profile_name) or name,
        use_spu_local_address=bool(keys.take("use_spu_local_address", _flag)),
        installation=keys.take("installation", _one_of([word.value for word in Installation])),
        protection=keys.take("protection", _one_of(protection.LEVELS)),
        description=keys.take("description", _description),
        tls=_tls(keys.below("tls")),
    )
    keys.end()
    return profile


def _tls(keys: FileKeys | None) -> Tls:
    if keys is None:
        return Tls()
    policy = TlsPolicy(keys.take("tls_policy", _one_of([word.value for word in TlsPolicy]), required=True))
    source = certs = None
    if policy is TlsPolicy.VERIFIED:
        words = [word.value for word in TlsSource]
        source = TlsSource(keys.take("tls_source", _one_of(words), required=True))
        below = keys.below("certs", required=True)
        # A key that stands in the profile file may stay there; a path is no secret.
        key_is_needed = source is TlsSource.FILES
        certs = TlsCerts(
            domain=below.take("domain", _text, required=True),
            key=below.take("key", _text, required=key_is_needed) or "",
            cert=below.take("cert", _text, required=True),
            ca_cert=below.take("ca_cert", _text, required=True),
        )
        below.end()
    keys.end()
    return Tls(policy, source, certs)


def check_one_cluster_each(profiles: dict[str, DeclaredProfile]) -> None:
    """Refuse two profiles that say different things of one cluster. Raises `DeclarationError`."""
    first: dict[str, str] = {}
    for name, profile in profiles.items():
        other = first.setdefault(profile.cluster, name)
        if profiles[other] != profile:
            raise DeclarationError(
                f"profiles `{other}` and `{name}` name cluster `{profile.cluster}` and differ in what it is"
            )


def profile_in(config: Config, name: str) -> DeclaredProfile:
    """Profile `name` of the profile file. Raises `UndeclarableError`."""
    named = config.profiles[name].cluster
    cluster = config.clusters.get(named)
    if cluster is None:
        raise UndeclarableError(f"its cluster `{named}` is not in the profile file")
    if cluster.installation is None:
        raise UndeclarableError("its cluster has an `installation` of another version")
    return DeclaredProfile(
        cluster=named,
        endpoint=cluster.endpoint,
        use_spu_local_address=cluster.use_spu_local_address,
        installation=cluster.installation.value,
        protection=protection.level_of(cluster.metadata),
        description=protection.description_of(cluster.metadata) or None,
        tls=cluster.tls,
    )


def put_profile(config: Config, name: str, declared: DeclaredProfile) -> None:
    """Make profile `name` and its cluster as declared; keys that no declaration knows stay."""
    profile = config.profiles.get(name)
    if profile is None:
        config.profiles[name] = Profile(declared.cluster)
    else:
        profile.cluster = declared.cluster
    cluster = config.clusters.get(declared.cluster)
    if cluster is None:
        installation = {"installation": declared.installation or Installation.K8.value}
        cluster = config.clusters[declared.cluster] = Cluster(declared.endpoint, metadata=installation)
    cluster.endpoint, cluster.use_spu_local_address = declared.endpoint, declared.use_spu_local_address
    now = cluster.installation
    if declared.installation is not None and (now is None or now.value != declared.installation):
        cluster.metadata["installation"] = declared.installation
    protection.keep(cluster, level=declared.protection, description=declared.description)
    cluster.tls = _merged(cluster.tls, declared.tls)


def _merged(now: Tls, declared: Tls) -> Tls:
    if declared.certs is None:
        return Tls(declared.policy, extra=now.extra)
    kept = now.certs.key if now.certs is not None else ""
    certs = TlsCerts(
        declared.certs.domain,
        declared.certs.key or kept,
        declared.certs.cert,
        declared.certs.ca_cert,
        extra={} if now.certs is None else now.certs.extra,
    )
    return Tls(declared.policy, declared.source, certs, extra=now.extra)


def profile_name(value: Any) -> str:
    """A name of a profile or cluster; raises `ValueError`."""
    text = _text(value)
    if not 0 < len(text) <= _MOST_CHARACTERS or not text.isprintable():
        raise ValueError(f"1 to {_MOST_CHARACTERS} printable characters are expected")
    return text


def _endpoint(value: Any) -> str:
    text = _text(value)
    if _ENDPOINT.fullmatch(text) is None:
        raise ValueError(f"host:port is expected, not `{text}`")
    return text


def _description(value: Any) -> str:
    text = _text(value)
    if len(text) > _MOST_DESCRIBED or not text.isprintable():
        raise ValueError(f"one line of printable text is expected, {_MOST_DESCRIBED} characters at most")
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, not `{value}`")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not `{value}`")
    return value


def _one_of(words: Any) -> Any:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"one of {', '.join(words)} is expected, not `{value}`")
        return value

    return read
