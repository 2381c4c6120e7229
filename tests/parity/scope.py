"""What of the official command line is out of scope now, with the reasons: absent from every `--help`."""

from dataclasses import dataclass

HUB = "the hub: a service of its own"
CLOUD = "the hosted cloud: a closed service"
CONNECTORS = "connectors: programs with a development kit of their own"
SMARTMODULES = "SmartModules: the servers run no WebAssembly yet"
MIRRORING = "mirroring between clusters: not built yet"
KUBERNETES = "clusters on Kubernetes: not built yet"
PACKAGES = "managing installations of the official tools: this one is installed, updated and removed by pip"
SERVERS = "the official server program: ours run as Python modules, started by `cluster start`"


@dataclass(slots=True, frozen=True)
class OutOfScope:
    """A command with all below it, or only these options of it."""

    reason: str
    command: str
    flags: tuple[str, ...] = ()  # long ones


_SMARTMODULE_FLAGS = (
    "--smartmodule",
    "--smartmodule-path",
    "--aggregate-initial",
    "--params",
    "--transforms",
    "--transforms-line",
)
_KUBERNETES_FLAGS = (
    "--develop",
    "--chart-version",
    "--image-version",
    "--registry",
    "--namespace",
    "--group-name",
    "--install-name",
    "--chart-location",
    "--chart-values",
    "--use-k8-port-forwarding",
    "--use-cluster-ip",
    "--tls-client-secret-name",
    "--tls-server-secret-name",
    "--spu-storage-size",
    "--sys-only",
    "--authorization-config-map",
    "--proxy-addr",
    "--service-type",
    "--local-k8",
    "--k8",
)

OUT_OF_SCOPE = (
    OutOfScope(HUB, "fluvio hub"),
    OutOfScope(CLOUD, "fluvio cloud"),
    OutOfScope(CLOUD, "fluvio-cloud"),
    OutOfScope(CONNECTORS, "cdk"),
    OutOfScope(SMARTMODULES, "fluvio smartmodule"),
    OutOfScope(SMARTMODULES, "fluvio consume", _SMARTMODULE_FLAGS),
    OutOfScope(SMARTMODULES, "fluvio produce", _SMARTMODULE_FLAGS),
    OutOfScope(SMARTMODULES, "fluvio topic create", ("--dedup", "--dedup-count", "--dedup-age")),
    OutOfScope(SMARTMODULES, "smdk"),
    OutOfScope(MIRRORING, "fluvio remote"),
    OutOfScope(MIRRORING, "fluvio home"),
    OutOfScope(MIRRORING, "fluvio topic add-mirror"),
    OutOfScope(MIRRORING, "fluvio topic create", ("--mirror", "--mirror-apply", "--home-to-remote")),
    OutOfScope(MIRRORING, "fluvio consume", ("--mirror",)),
    OutOfScope(MIRRORING, "fluvio produce", ("--mirror",)),
    OutOfScope(KUBERNETES, "fluvio cluster start", _KUBERNETES_FLAGS),
    OutOfScope(KUBERNETES, "fluvio cluster upgrade", _KUBERNETES_FLAGS),
    OutOfScope(KUBERNETES, "fluvio cluster delete", ("--namespace", "--k8", "--sys")),
    OutOfScope(KUBERNETES, "fluvio cluster spg"),
    OutOfScope(KUBERNETES, "fluvio profile sync k8"),
    OutOfScope(PACKAGES, "fluvio install"),
    OutOfScope(PACKAGES, "fluvio update"),
    OutOfScope(PACKAGES, "fvm"),
    OutOfScope(PACKAGES, "fluvio-channel"),
    OutOfScope(SERVERS, "fluvio run"),
    OutOfScope(SERVERS, "fluvio-run"),
)


def why_command_is_out(path: str) -> str | None:
    """The reason, or None for a command in scope."""
    for entry in OUT_OF_SCOPE:
        if not entry.flags and (path == entry.command or path.startswith(f"{entry.command} ")):
            return entry.reason
    return None


def why_option_is_out(path: str, flag: str) -> str | None:
    """The reason, or None for an option (long flag) in scope."""
    for entry in OUT_OF_SCOPE:
        if path == entry.command and flag in entry.flags:
            return entry.reason
    return why_command_is_out(path)
