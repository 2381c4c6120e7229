"""The profile file as values: what official clients read, and whatever else stands in it.

Layout: docs/protocol.md, "Profile file". Each value keeps the keys it does not know in `extra`, and
`to_document` writes them back, so other tools' entries survive a rewrite. No file is touched here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

CONFIG_VERSION = "2.0"
_Word = TypeVar("_Word")


class DocumentError(ValueError):
    """The document is TOML but no profile file; the text names the key."""


class TlsPolicy(Enum):
    """How a connection to the cluster is protected."""

    DISABLED = "disabled"
    ANONYMOUS = "anonymous"  # encrypted, the server is not verified
    VERIFIED = "verified"  # both sides show a certificate


class TlsSource(Enum):
    """Where the certificates of a verified policy are."""

    INLINE = "inline"  # PEM text in the profile file
    FILES = "files"  # paths, relative ones to the working directory


class Installation(Enum):
    """How a cluster was set up, as told by `metadata.installation`."""

    K8 = "k8"
    LOCAL = "local"
    LOCAL_K8 = "local_k8"
    READ_ONLY = "read_only"
    DOCKER = "docker"
    CLOUD = "cloud"


_POLICY_SPELLINGS = {
    "disabled": TlsPolicy.DISABLED,
    "disable": TlsPolicy.DISABLED,
    "anonymous": TlsPolicy.ANONYMOUS,
    "verified": TlsPolicy.VERIFIED,
    "verify": TlsPolicy.VERIFIED,
}
_SOURCE_SPELLINGS = {"inline": TlsSource.INLINE, "files": TlsSource.FILES, "file": TlsSource.FILES}


@dataclass(slots=True)
class TlsCerts:
    """Certificates of a verified connection: PEM text or paths, as `TlsSource` says."""

    domain: str
    key: str
    cert: str
    ca_cert: str
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Tls:
    """TLS settings of a cluster; a verified policy always has source and certificates."""

    policy: TlsPolicy = TlsPolicy.DISABLED
    source: TlsSource | None = None
    certs: TlsCerts | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Profile:
    """A name for a cluster; topic and partition are kept for other tools."""

    cluster: str
    topic: str | None = None
    partition: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cluster:
    """Where a cluster's controller listens, and how to talk to it."""

    endpoint: str  # host:port, unchecked
    use_spu_local_address: bool = False
    tls: Tls = field(default_factory=Tls)
    metadata: dict[str, Any] = field(default_factory=dict)  # free form, for tools
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def installation(self) -> Installation | None:
        """How the cluster was set up; None when the file has a word we do not know."""
        word = self.metadata.get("installation")
        if word is None:
            return Installation.CLOUD if "infinyon_cloud_cli" in self.metadata else Installation.K8
        try:
            return Installation(word)
        except ValueError:
            return None


@dataclass(slots=True)
class Config:
    """The whole profile file. Change it in place inside `store.update_config`."""

    version: str = CONFIG_VERSION
    current_profile: str | None = None
    profiles: dict[str, Profile] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    client_id: str | None = None
    previous_profile: str | None = None  # ours: current before the last switch; official clients drop it
    extra: dict[str, Any] = field(default_factory=dict)

    def select(self, name: str) -> None:
        """Make profile `name` the current one, and remember which was it."""
        if self.current_profile not in (None, name):
            self.previous_profile = self.current_profile
        self.current_profile = name

    def set_cluster(self, name: str, endpoint: str, installation: str) -> None:
        """Add cluster `name` without TLS, or point an existing one there; its other keys stay."""
        cluster = self.clusters.get(name)
        if cluster is None:
            cluster = self.clusters[name] = Cluster(endpoint)
        cluster.endpoint, cluster.tls = endpoint, Tls()
        cluster.metadata["installation"] = installation

    def add_and_select(self, name: str, endpoint: str, installation: str) -> None:
        """Set cluster and profile `name`, and make the profile the current one."""
        self.set_cluster(name, endpoint, installation)
        profile = self.profiles.get(name)
        if profile is None:
            self.profiles[name] = Profile(name)
        else:
            profile.cluster = name
        self.select(name)

    def rename_profile(self, old: str, new: str) -> bool:
        """Rename a profile, over another if need be; False when there is no profile `old`."""
        profile = self.profiles.pop(old, None)
        if profile is None:
            return False
        self.profiles[new] = profile
        if self.current_profile == old:
            self.current_profile = new
        if self.previous_profile == old:
            self.previous_profile = new
        return True

    def delete_profile(self, name: str) -> bool:
        """Remove a profile and keep its cluster; False when there is none of this name."""
        if self.profiles.pop(name, None) is None:
            return False
        if self.current_profile == name:
            self.current_profile = None
        if self.previous_profile == name:
            self.previous_profile = None
        return True

    def profiles_of(self, cluster: str) -> list[str]:
        """Names of the profiles that point at `cluster`, in the file's order."""
        return [name for name, profile in self.profiles.items() if profile.cluster == cluster]


def from_document(document: Mapping[str, Any]) -> Config:
    """Read a parsed TOML document; raises `DocumentError` where the official reader would refuse it."""
    reader = _Table("", document)
    return Config(
        version=reader.text("version"),
        current_profile=reader.optional_text("current_profile"),
        profiles={
            name: _profile(table) for name, table in _tables(reader.table("profile"), "profile").items()
        },
        clusters={
            name: _cluster(table) for name, table in _tables(reader.table("cluster"), "cluster").items()
        },
        client_id=reader.optional_text("client_id"),
        previous_profile=reader.optional_text("previous_profile"),
        extra=reader.rest(),
    )


def to_document(config: Config) -> dict[str, Any]:
    """Return the document to write: keys in the official order, unknown ones behind them."""
    return {
        "version": config.version,
        **_present(
            current_profile=config.current_profile,
            client_id=config.client_id,
            previous_profile=config.previous_profile,
        ),
        **config.extra,
        "profile": {name: _profile_document(profile) for name, profile in config.profiles.items()},
        "cluster": {name: _cluster_document(cluster) for name, cluster in config.clusters.items()},
    }


def _profile_document(profile: Profile) -> dict[str, Any]:
    optional = _present(topic=profile.topic, partition=profile.partition)
    return {"cluster": profile.cluster, **optional, **profile.extra}


def _cluster_document(cluster: Cluster) -> dict[str, Any]:
    return {
        "endpoint": cluster.endpoint,
        "use_spu_local_address": cluster.use_spu_local_address,
        **cluster.extra,
        "tls": tls_document(cluster.tls),
        **({"metadata": cluster.metadata} if cluster.metadata else {}),
    }


def tls_document(tls: Tls) -> dict[str, Any]:
    """The `tls` table of a cluster."""
    document: dict[str, Any] = {"tls_policy": tls.policy.value}
    if tls.source is not None:
        document["tls_source"] = tls.source.value
    document.update(tls.extra)
    if (certs := tls.certs) is not None:
        document["certs"] = {
            "domain": certs.domain,
            "key": certs.key,
            "cert": certs.cert,
            "ca_cert": certs.ca_cert,
            **certs.extra,
        }
    return document


def tls_from_document(document: Mapping[str, Any]) -> Tls:
    """Read a `tls` table. Raises `DocumentError`."""
    if not isinstance(document, Mapping):
        raise DocumentError("`tls` must be a table")
    return _tls(_Table("tls", document))


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _profile(reader: "_Table") -> Profile:
    return Profile(
        cluster=reader.text("cluster"),
        topic=reader.optional_text("topic"),
        partition=reader.optional_integer("partition"),
        extra=reader.rest(),
    )


def _cluster(reader: "_Table") -> Cluster:
    name = "addr" if reader.has("addr") and not reader.has("endpoint") else "endpoint"
    return Cluster(
        endpoint=reader.text(name),
        use_spu_local_address=reader.optional_flag("use_spu_local_address"),
        tls=_tls(_Table(reader.path("tls"), reader.table("tls"))) if reader.has("tls") else Tls(),
        metadata=dict(reader.table("metadata")) if reader.has("metadata") else {},
        extra=reader.rest(),
    )


def _tls(reader: "_Table") -> Tls:
    policy = reader.word("tls_policy", _POLICY_SPELLINGS)
    if policy is not TlsPolicy.VERIFIED:
        return Tls(policy, extra=reader.rest())
    source = reader.word("tls_source", _SOURCE_SPELLINGS)
    certs = _Table(reader.path("certs"), reader.table("certs"))
    return Tls(
        policy,
        source,
        TlsCerts(
            domain=certs.text("domain"),
            key=certs.text("key"),
            cert=certs.text("cert"),
            ca_cert=certs.text("ca_cert"),
            extra=certs.rest(),
        ),
        extra=reader.rest(),
    )


def _tables(entries: Mapping[str, Any], path: str) -> dict[str, "_Table"]:
    tables = {}
    for name, entry in entries.items():
        if not isinstance(entry, Mapping):
            raise DocumentError(f"`{path}.{name}` must be a table")
        tables[name] = _Table(f"{path}.{name}", entry)
    return tables


class _Table:
    """Takes typed keys out of one TOML table and hands back those that nobody took."""

    __slots__ = ("_left", "_name")

    def __init__(self, name: str, table: Mapping[str, Any]) -> None:
        self._name = name
        self._left = dict(table)

    def path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key

    def has(self, key: str) -> bool:
        return key in self._left

    def rest(self) -> dict[str, Any]:
        return self._left

    def table(self, key: str) -> Mapping[str, Any]:
        value = self._take(key)
        if not isinstance(value, Mapping):
            raise DocumentError(f"`{self.path(key)}` must be a table")
        return value

    def text(self, key: str) -> str:
        value = self._take(key)
        if not isinstance(value, str):
            raise DocumentError(f"`{self.path(key)}` must be a string")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self._left else None

    def optional_integer(self, key: str) -> int | None:
        if key not in self._left:
            return None
        value = self._left.pop(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise DocumentError(f"`{self.path(key)}` must be an integer")
        return value

    def optional_flag(self, key: str) -> bool:
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            raise DocumentError(f"`{self.path(key)}` must be true or false")
        return value

    def word(self, key: str, spellings: Mapping[str, _Word]) -> _Word:
        value = self.text(key)
        if value not in spellings:
            raise DocumentError(f"`{self.path(key)}` is `{value}`, not one of {', '.join(spellings)}")
        return spellings[value]

    def _take(self, key: str) -> Any:
        if key not in self._left:
            raise DocumentError(f"`{self.path(key)}` is missing")
        return self._left.pop(key)
