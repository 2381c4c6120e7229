"""Every failure that a command can end with, found by walking the classes of all modules."""

import importlib
import pkgutil
from collections.abc import Iterator

from fluvio_types.errors import FluvioError, slug_of

_PACKAGES = (
    "fluvio_types",
    "fluvio_protocol",
    "fluvio_client",
    "fluvio_profiles",
    "fluvio_completions",
    "fluvio_installer",
    "fluvio_local_cluster",
    "fluvio_cli",
)
# Inside of servers: they become codes on the wire, or lines of their output.
_OF_SERVERS = tuple(
    f"fluvio_local_cluster.{room}." for room in ("net", "server_tls", "storage", "sc", "spu", "metrics")
)
# Never raised themselves: their kinds are.
_ROOTS = {"ApiError", "ProfileError"}


def failure_classes() -> list[type[FluvioError]]:
    """All classes but those of servers, and roots."""
    for package in _PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return [
        kind
        for kind in dict.fromkeys(_below(FluvioError))
        if kind.__module__.startswith("fluvio_")
        and not f"{kind.__module__}.".startswith(_OF_SERVERS)
        and kind.__name__ not in _ROOTS
    ]


def kinds_by_name() -> dict[str, str]:
    """The kind of each name in docs/exit-codes.md."""
    kinds: dict[str, str] = {slug_of(kind): kind.kind for kind in failure_classes()}
    return kinds | {"failed": "failed", "system-error": "failed", "bug": "bug", "other": "failed"}


def _below(kind: type[FluvioError]) -> Iterator[type[FluvioError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
