"""Stores: all objects of one kind, and what changed in them since an epoch.

The contract with listeners is level-triggered: the latest state wins, states between may be merged, nothing
is lost however slow a listener is. An epoch counts the changes of one store; putting what is there already
changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from fluvio_local_cluster.sc.model.objects import (
    AnyObject,
    Kind,
    Partition,
    Spu,
    StoredObject,
    Topic,
)

O = TypeVar("O", bound=StoredObject[Any, Any, Any])  # noqa: E741 - the usual letter for an object type


@dataclass(slots=True)
class Changes(Generic[O]):
    """What a listener must be told to be at `epoch`.

    Either `all` is the whole content, or: the `replaced` were deleted and made anew (tell the deletion
    first), the `updated` have a new state, the `deleted` are gone (their last state).
    """

    epoch: int
    all: list[O] | None = None
    replaced: list[O] = field(default_factory=list)
    updated: list[O] = field(default_factory=list)
    deleted: list[O] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.all or self.replaced or self.updated or self.deleted)


@dataclass(slots=True, eq=False)
class Listener(Generic[O]):
    """One reader of a store: `seen` is the epoch it was told, None before its first full list."""

    store: "Store[O]"
    wake: Callable[[], None]
    spec_only: bool
    seen: int | None = None

    def take(self) -> Changes[O]:
        """What changed since the last call; the first call (and one after `restart`) gives everything."""
        changes = self.store.changes_since(self.seen, spec_only=self.spec_only)
        self.seen = changes.epoch
        self.store.forget_told()
        return changes

    def skip(self) -> None:
        """Count everything as told, for a listener that only wants to be woken."""
        self.seen = self.store.epoch
        self.store.forget_told()

    def restart(self) -> None:
        """Make the next `take` give everything again."""
        self.seen = None

    def close(self) -> None:
        """Stop listening."""
        self.store.listeners.discard(self)
        self.store.forget_told()


class Store(Generic[O]):
    """All objects of one kind, by key, in the order in which they came."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.epoch = 1
        self.listeners: set[Listener[O]] = set()
        self._objects: dict[str, O] = {}
        self._graves: dict[str, tuple[int, O]] = {}  # deleted, until every listener was told

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[O]:
        return iter(self._objects.values())

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def get(self, key: str) -> O | None:
        """The object of that key, if there is one."""
        return self._objects.get(key)

    def listen(self, wake: Callable[[], None], *, spec_only: bool = False) -> Listener[O]:
        """A new listener; `wake` is called at each change and must not wait. Close it in the end."""
        listener = Listener(self, wake, spec_only)
        self.listeners.add(listener)
        return listener

    def apply(self, put: Iterable[O] = (), remove: Iterable[str] = ()) -> bool:
        """Change the store in one step; returns whether anything differs from before."""
        epoch = self.epoch + 1
        is_changed = False
        for key in remove:
            gone = self._objects.pop(key, None)
            if gone is not None:
                is_changed = True
                self._graves[key] = (epoch, gone)
        for new in put:
            old = self._objects.get(new.key)
            if old is None or old.spec != new.spec:
                new.spec_epoch = new.epoch = epoch
            elif old.status != new.status:
                new.epoch = epoch
            else:
                new.spec_epoch, new.epoch = old.spec_epoch, old.epoch
            is_changed = is_changed or new.epoch == epoch
            self._objects[new.key] = new
        if not is_changed:
            return False
        self.epoch = epoch
        self.forget_told()
        for listener in tuple(self.listeners):
            listener.wake()
        return True

    def changes_since(self, epoch: int | None, *, spec_only: bool = False) -> Changes[O]:
        """What a listener at `epoch` (None: it knows nothing) must be told."""
        if epoch is None:
            return Changes(self.epoch, all=list(self._objects.values()))
        changes: Changes[O] = Changes(self.epoch)
        if epoch >= self.epoch:
            return changes
        for stored in self._objects.values():
            if (stored.spec_epoch if spec_only else stored.epoch) > epoch:
                changes.updated.append(stored)
        for key, (buried, stored) in self._graves.items():
            if buried > epoch:
                (changes.replaced if key in self._objects else changes.deleted).append(stored)
        return changes

    def forget_told(self) -> None:
        """Drop deleted objects that every listener has been told of."""
        if not self._graves:
            return
        told = min((x.seen for x in self.listeners if x.seen is not None), default=self.epoch)
        for key in [key for key, (epoch, _) in self._graves.items() if epoch <= told]:
            del self._graves[key]


class Cluster:
    """The stores of one cluster, and its id.

    `lost`: keys of objects whose files are damaged and that could not be made again, each with the file's
    place. They may be anything, so SPUs must not delete what the stores do not hold, nor a name be used anew.
    `is_read_only`: a file fixes the topics, clients may change nothing but SPUs.
    """

    def __init__(self, cluster_id: str) -> None:
        self.id = cluster_id
        self.is_read_only = False
        self.lost: dict[tuple[Kind, str], Path] = {}
        self.stores: dict[Kind, Store[Any]] = {kind: Store(kind) for kind in Kind}
        self.topics: Store[Topic] = self.stores[Kind.TOPIC]
        self.partitions: Store[Partition] = self.stores[Kind.PARTITION]
        self.spus: Store[Spu] = self.stores[Kind.SPU]
        self.smartmodules: Store[AnyObject] = self.stores[Kind.SMARTMODULE]
        self.mirrors: Store[AnyObject] = self.stores[Kind.MIRROR]

    def lost_of(self, topic: str) -> list[Path]:
        """Damaged files, set aside, of a topic and its partitions."""
        return [
            path
            for (kind, key), path in self.lost.items()
            if (key if kind is Kind.TOPIC else key.rpartition("-")[0]) == topic
        ]

    def spu_by_id(self, spu_id: int) -> Spu | None:
        """The SPU of that id, if it is registered."""
        return next((spu for spu in self.spus if spu.spec.id == spu_id), None)

    def partitions_of(self, topic: str) -> list[Partition]:
        """The partition objects of a topic, by number; empty when it has none yet."""
        prefix = f"{topic}-"
        size = len(prefix)
        own = [x for x in self.partitions if x.key.startswith(prefix) and x.key[size:].isdecimal()]
        return sorted(own, key=lambda partition: int(partition.key[size:]))
