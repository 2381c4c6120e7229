"""Which replicas an SPU has to keep, from what the SC pushes.

Pushes are levels, not edges: a full one replaces what was known, a delta changes it, a repetition changes
nothing. What a full one lacks was deleted only if the SC says that it sees the whole cluster; otherwise
that stays as it was. All partitions of the cluster are known (that is how consumer offsets find their
leader); those that name this SPU are its own.
"""

from dataclasses import dataclass, field

from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.sc_spu import Replica, UpdateIncarnationsRequest, UpdateReplicaRequest
from fluvio_types.errors import FluvioError

Key = tuple[str, int]  # topic, partition


def key_of(replica: Replica) -> Key:
    """The key of a replica."""
    return (replica.id.topic, replica.id.partition)


class ForeignClusterError(FluvioError):
    """The SC is that of another cluster than the one whose replicas this SPU keeps."""

    def __init__(self, own: str, other: str) -> None:
        super().__init__(f"this SPU belongs to the cluster {own}, the SC to {other}")
        self.own, self.other = own, other


@dataclass(slots=True, frozen=True)
class Wish:
    """A replica that this SPU shall have. `incarnation`: None when the SC does not say."""

    replica: Replica
    cluster_id: str | None
    incarnation: str | None


def refusal(replica: Replica, spu_id: int) -> str | None:
    """Why this SPU cannot keep the replica, or None when it can."""
    if replica.leader != spu_id or len(replica.replicas) > 1:
        return "not supported yet: replication between SPUs"
    if replica.mirror is not None:
        return "not supported yet: mirror partitions"
    return None


@dataclass(slots=True)
class Change:
    """What a push means for this SPU."""

    wanted: dict[Key, Wish] = field(default_factory=dict)  # own replicas that are new or different
    removed: set[Key] = field(default_factory=set)  # own replicas to be deleted
    forgotten: set[Key] = field(default_factory=set)  # partitions that no longer exist anywhere
    is_complete: bool = False  # whatever else there is was deleted


@dataclass(slots=True)
class Assignment:
    """Everything the SC has said. `known` is None until its first full push."""

    spu_id: int
    known: dict[Key, Replica] = field(default_factory=dict)
    cluster_id: str | None = None
    incarnations: dict[Key, str] = field(default_factory=dict)
    is_complete: bool = False  # a full push came, of an SC that sees the whole cluster
    _is_next_whole: bool = False  # the SC said so of the push that comes next

    def learn_incarnations(self, update: UpdateIncarnationsRequest) -> None:
        """Take the incarnations that stand in front of an update. Raises `ForeignClusterError`."""
        if self.cluster_id is not None and self.cluster_id != update.cluster_id:
            raise ForeignClusterError(self.cluster_id, update.cluster_id)
        self.cluster_id, self._is_next_whole = update.cluster_id, update.is_whole
        for entry in update.incarnations:
            self.incarnations[entry.id.topic, entry.id.partition] = entry.incarnation

    def apply(self, update: UpdateReplicaRequest) -> Change:
        """Take a push; a full one lists everything in `all`, so an empty `all` is a delta."""
        is_whole, self._is_next_whole = self._is_next_whole, False
        change = Change(is_complete=bool(update.all) and is_whole)
        if update.all:
            before, self.known = self.known, {}
            for replica in update.all:
                self._keep(replica, before.get(key_of(replica)), change)
            for key in before.keys() - self.known.keys() - change.forgotten:
                if is_whole:
                    self._drop(key, before[key], change)
                else:
                    self.known[key] = before[key]
            self.is_complete = is_whole
        for message in update.changes:
            replica = message.content
            key = key_of(replica)
            if message.header == MsgType.DELETE:
                self._drop(key, self.known.pop(key, replica), change)
            else:
                self._keep(replica, self.known.get(key), change)
        return change

    def wish_for(self, key: Key) -> Wish:
        """The wish for a known replica."""
        return Wish(self.known[key], self.cluster_id, self.incarnations.get(key))

    def leader_of(self, key: Key) -> int | None:
        """The SPU that leads a partition, or None when it is not known."""
        replica = self.known.get(key)
        return replica.leader if replica is not None else None

    def _keep(self, replica: Replica, before: Replica | None, change: Change) -> None:
        key = key_of(replica)
        if replica.is_being_deleted:
            self.known.pop(key, None)
            self._drop(key, replica, change)
            return
        self.known[key] = replica
        if self.spu_id in replica.replicas:
            change.wanted[key] = self.wish_for(key)
            change.removed.discard(key)
        elif before is not None and self.spu_id in before.replicas:
            change.wanted.pop(key, None)
            change.removed.add(key)

    def _drop(self, key: Key, replica: Replica, change: Change) -> None:
        self.incarnations.pop(key, None)
        change.wanted.pop(key, None)
        change.forgotten.add(key)
        if self.spu_id in replica.replicas:
            change.removed.add(key)
