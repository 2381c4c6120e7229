"""Declarations, what is there, and plans, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fluvio_profiles.model import Tls
from fluvio_types.errors import FluvioError


class DeclarationError(FluvioError):
    """A file is no declaration; the text says what is wrong, in which file and at which key."""


class Kind(StrEnum):
    """What can be declared."""

    TOPIC = "topic"
    TABLE_FORMAT = "table-format"
    PROFILE = "profile"

    @property
    def section(self) -> str:
        """The key in a file below which such objects stand."""
        return f"{self.value}s"


CLUSTER_KINDS = (Kind.TOPIC, Kind.TABLE_FORMAT)


@dataclass(slots=True, frozen=True)
class DeclaredProfile:
    """A profile with all that is declared of its cluster.

    What is None stays as it is; so does the private key where the certificates of `tls` have an empty one.
    """

    cluster: str  # name in the profile file
    endpoint: str  # host:port
    use_spu_local_address: bool = False
    installation: str | None = None
    protection: str | None = None
    description: str | None = None
    tls: Tls = field(default_factory=Tls)


# By kind and name: a `TopicSpec`, a `TableFormatSpec` or a `DeclaredProfile`.
Objects = Mapping[Kind, Mapping[str, Any]]


@dataclass(slots=True, frozen=True)
class Declaration:
    """What files say; a kind that is no key has no section in any of them."""

    objects: Objects

    @property
    def needs_cluster(self) -> bool:
        """Whether the cluster has to be asked."""
        return any(kind in self.objects for kind in CLUSTER_KINDS)


@dataclass(slots=True, frozen=True)
class Observed:
    """What is there, of the kinds that were asked for."""

    objects: Objects
    # What no declaration can say, with the reason.
    left_out: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)
    unready: Mapping[str, str] = field(default_factory=dict)  # topics that are not provisioned, and why
    refused: Mapping[str, str] = field(default_factory=dict)  # topics that the cluster would not create
    profiles_in_use: frozenset[str] = frozenset()  # never to be deleted
    clusters_with_key: frozenset[str] = frozenset()  # a private key stands in the profile file


class Action(StrEnum):
    """What is to be done about one object."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    WAIT = "wait"  # it is as declared and not provisioned yet
    BLOCKED = "blocked"  # it differs, and nothing can be done about it
    NONE = "none"


@dataclass(slots=True, frozen=True)
class Difference:
    """One setting; None stands for nothing. With an `obstacle` it cannot be changed."""

    setting: str
    now: Any
    declared: Any
    obstacle: str | None = None


@dataclass(slots=True, frozen=True)
class Step:
    """One object: `reason` says why it is blocked, or what it waits for."""

    kind: Kind
    name: str
    action: Action
    differences: tuple[Difference, ...] = ()
    reason: str | None = None
    declared: Any = None  # its spec; None where it is to be deleted
    now: Any = None  # its spec; None where it is not there

    @property
    def obstacles(self) -> list[str]:
        """What keeps it from becoming as declared."""
        found = [f"{each.setting}: {each.obstacle}" for each in self.differences if each.obstacle]
        return [*found, *([self.reason] if self.reason and self.action is Action.BLOCKED else [])]


@dataclass(slots=True, frozen=True)
class Plan:
    """All declared objects, by kind and name, then what is to be deleted."""

    steps: tuple[Step, ...]
    undeclared: tuple[tuple[Kind, str], ...] = ()  # there, in no file, and not to be deleted
    kept: tuple[tuple[Kind, str, str], ...] = ()  # to be deleted by `--prune`, and why it is not

    @property
    def to_do(self) -> list[Step]:
        """What `apply` can do something about."""
        return [step for step in self.steps if step.action not in (Action.NONE, Action.BLOCKED)]

    @property
    def has_drift(self) -> bool:
        """Whether anything differs from what is declared."""
        return any(step.action is not Action.NONE for step in self.steps)

    @property
    def unreachable(self) -> list[Step]:
        """Objects that differ after `apply` as well."""
        return [step for step in self.steps if step.obstacles]

    def of(self, *actions: Action) -> list[Step]:
        """The steps of these actions."""
        return [step for step in self.steps if step.action in actions]
