"""Decides which cluster a call talks to, from root options and the profile file. Pure.

Rules and texts are the official command line's: `-c` is an address and needs no profile file, `-P` a profile,
neither means the current profile; TLS options go with `-c` only. Between `-P` and the current profile comes
what the surroundings name: see `choice`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fluvio_profiles.choice import CURRENT, OPTION, VARIABLE
from fluvio_profiles.errors import (
    ConfigMissingError,
    DirectoryProfileError,
    NoActiveProfileError,
    ProfileUnknownError,
    TargetError,
)
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
    yes_i_mean: str | None = None  # name of the protected cluster that may be harmed

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
    chosen_by: str | None = None  # `--profile`, `FLUVIO_PROFILE`, path of a file, `current profile`


def resolve_target(
    options: TargetOptions,
    load: Callable[[], Config],
    choose: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Target:
    """Return the cluster that `options`, surroundings and file mean.

    `load` is called only when the file counts, and `choose` when no option decides: it returns a profile's
    name and who names it. Raises `TargetError` for options that do not go together or lead nowhere, and
    whatever `load` and `choose` raise.
    """
    if options.profile is not None:
        if options.cluster is not None:
            raise TargetError("Invalid argument: cluster addr is not valid when profile is used")
        if options.has_tls_options:
            raise TargetError("Invalid argument: tls is not valid when profile is used")
        return _named_profile(options.profile, OPTION, load)
    if options.cluster is not None:
        return Target(options.cluster, tls_from_options(options))
    if options.has_tls_options:
        raise TargetError("Invalid argument: tls is only valid if cluster addr is used")
    if (choice := choose()) is not None:
        return _named_profile(*choice, load)
    return _current_profile(load())


def check_chosen(name: str, chosen_by: str, config: Config) -> None:
    """Raise for a name that surroundings choose and the profile file does not have."""
    if name in config.profiles:
        return
    if chosen_by not in (OPTION, VARIABLE):
        raise DirectoryProfileError(
            chosen_by, f"names profile `{name}`, which your profile file does not have"
        )
    hint = "`fluvio profile list` shows the profiles there are"
    if chosen_by == VARIABLE:
        hint = f"the name is from {VARIABLE} in the environment; {hint}"
    raise ProfileUnknownError(f"Cluster not found for profile {name}", hint=hint)


def _named_profile(name: str, chosen_by: str, load: Callable[[], Config]) -> Target:
    try:
        config = load()
    except ConfigMissingError as exc:
        raise ProfileUnknownError(f"Cluster not found for profile {name}", hint=exc.hint) from exc
    check_chosen(name, chosen_by, config)
    profile = config.profiles[name]
    cluster = config.clusters.get(profile.cluster)
    if cluster is None:
        hint = f"the profile names cluster `{profile.cluster}`, which is not in the profile file"
        raise ProfileUnknownError(f"Cluster not found for profile {name}", hint=hint)
    return _target(name, profile.cluster, cluster, chosen_by)


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
    return _target(name, profile.cluster, cluster, CURRENT)


def _target(profile_name: str, cluster_name: str, cluster: Cluster, chosen_by: str) -> Target:
    return Target(
        cluster.endpoint,
        cluster.tls,
        profile_name,
        cluster_name,
        cluster.use_spu_local_address,
        chosen_by,
    )


def tls_from_options(options: TargetOptions) -> Tls:
    """The TLS settings that options ask for; raises `TargetError` when some are missing."""
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
