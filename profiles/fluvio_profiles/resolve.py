"""Decides which cluster a call talks to, from root options and the profile file. Pure.

Rules and texts are the official command line's: `-c` is an address and needs no profile file, `-P` a
profile, neither means the current profile; TLS options go with `-c` only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fluvio_profiles.errors import ConfigMissingError, NoActiveProfileError, ProfileUnknownError, TargetError
from fluvio_profiles.model import Cluster, Config, Tls, TlsCerts, TlsPolicy, TlsSource


@dataclass(slots=True, frozen=True)
class TargetOptions:
    """The root options that choose a cluster, as given on the command line."""

    cluster: str | None = None  # host:port
    profile: str | None = None
    tls: bool = False
    enable_client_cert: bool = False
    domain: str | None = None
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None

    @property
    def has_tls_options(self) -> bool:
        """Whether any option about TLS was given."""
        texts = (self.domain, self.ca_cert, self.client_cert, self.client_key)
        return self.tls or self.enable_client_cert or any(text is not None for text in texts)


@dataclass(slots=True, frozen=True)
class Target:
    """A cluster to talk to; the names are None when `-c` gave the address."""

    endpoint: str  # host:port, unchecked
    tls: Tls = field(default_factory=Tls)
    profile_name: str | None = None
    cluster_name: str | None = None
    use_spu_local_address: bool = False


def resolve_target(options: TargetOptions, load: Callable[[], Config]) -> Target:
    """Return the cluster that `options` and the file mean; `load` is called only when the file counts.

    Raises `TargetError` for options that do not go together or lead nowhere, and whatever `load` raises.
    """
    if options.profile is not None:
        if options.cluster is not None:
            raise TargetError("Invalid argument: cluster addr is not valid when profile is used")
        if options.has_tls_options:
            raise TargetError("Invalid argument: tls is not valid when profile is used")
        return _named_profile(options.profile, load)
    if options.cluster is not None:
        return Target(options.cluster, _tls_from_options(options))
    if options.has_tls_options:
        raise TargetError("Invalid argument: tls is only valid if cluster addr is used")
    return _current_profile(load())


def _named_profile(name: str, load: Callable[[], Config]) -> Target:
    try:
        config = load()
    except ConfigMissingError as exc:
        raise ProfileUnknownError(f"Cluster not found for profile {name}", hint=exc.hint) from exc
    profile = config.profiles.get(name)
    cluster = config.clusters.get(profile.cluster) if profile is not None else None
    if profile is None or cluster is None:
        hint = (
            "`fluvio profile list` shows the profiles there are"
            if profile is None
            else f"the profile names cluster `{profile.cluster}`, which is not in the profile file"
        )
        raise ProfileUnknownError(f"Cluster not found for profile {name}", hint=hint)
    return _target(name, profile.cluster, cluster)


def _current_profile(config: Config) -> Target:
    name = config.current_profile
    profile = config.profiles.get(name) if name is not None else None
    if name is None or profile is None:
        raise NoActiveProfileError(
            "Config error: Config has no active profile",
            hint="choose one with `fluvio profile switch`, `fluvio profile list` shows them",
        )
    cluster = config.clusters.get(profile.cluster)
    if cluster is None:
        raise ProfileUnknownError(
            f"Config error: No cluster config for profile {profile.cluster}",
            hint=f"profile `{name}` names cluster `{profile.cluster}`, which is not in the profile file",
        )
    return _target(name, profile.cluster, cluster)


def _target(profile_name: str, cluster_name: str, cluster: Cluster) -> Target:
    return Target(cluster.endpoint, cluster.tls, profile_name, cluster_name, cluster.use_spu_local_address)


def _tls_from_options(options: TargetOptions) -> Tls:
    if not options.tls:  # the official command line ignores the other options then
        return Tls()
    if not options.enable_client_cert:
        return Tls(TlsPolicy.ANONYMOUS)
    domain, ca_cert, cert, key = (
        options.domain,
        options.ca_cert,
        options.client_cert,
        options.client_key,
    )
    if domain is None or ca_cert is None or cert is None or key is None:
        wanted = {"--domain": domain, "--ca-cert": ca_cert, "--client-cert": cert, "--client-key": key}
        missing = ", ".join(flag for flag, value in wanted.items() if value is None)
        raise TargetError(f"Unknown error: Missing required args after --tls:{missing}")
    return Tls(TlsPolicy.VERIFIED, TlsSource.FILES, TlsCerts(domain, key, cert, ca_cert))
