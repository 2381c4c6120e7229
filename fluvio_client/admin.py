"""The controller's calls in asyncio: the same names, results and errors as `blocking`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from fluvio_client import admin_calls
from fluvio_client.admin_calls import Call, CustomSpuObject, PartitionObject, SpuObject, TopicObject
from fluvio_client.cluster import ClusterConnections
from fluvio_protocol.api.spu import CustomSpuSpec
from fluvio_protocol.api.topic import AssignedReplicas, TopicReplicaParam, TopicSpec

if TYPE_CHECKING:
    from fluvio_client.admin_calls import TableFormatObject
    from fluvio_protocol.api.table_format import TableFormatSpec

__all__ = ["Admin", "AssignedReplicas", "TopicReplicaParam", "TopicSpec"]

R = TypeVar("R")


class Admin:
    """Calls on the controller over the client's shared connection; any number at a time.

    Every method raises `ApiError` and its kinds when the cluster refuses, `ConnectionLostError`,
    `ConnectionFailedError` (it was lost before and could not be made again), `ResponseTimeoutError`,
    `IncompatibleServerError`. A cancelled call may or may not have been done by the cluster.
    """

    def __init__(self, cluster: ClusterConnections) -> None:
        """Use `Fluvio.admin`."""
        self._cluster = cluster

    async def platform_version(self) -> str:
        """Version of the cluster, as its controller reports it."""
        return (await self._cluster.controller()).platform_version

    async def list_topics(self, filters: Sequence[str] = (), *, system: bool = False) -> list[TopicObject]:
        """Topics whose name contains any of `filters` (none: all); system topics only with `system`."""
        return await self._run(admin_calls.list_topics(filters, system=system))

    async def list_partitions(self, *, system: bool = False) -> list[PartitionObject]:
        """All partitions; with `system` those of system topics, else those of the others."""
        return await self._run(admin_calls.list_partitions(system=system))

    async def list_spus(self, filters: Sequence[str] = ()) -> list[SpuObject]:
        """All SPUs whose name contains any of `filters` (none: all)."""
        return await self._run(admin_calls.list_spus(filters))

    async def list_custom_spus(self, filters: Sequence[str] = ()) -> list[CustomSpuObject]:
        """SPUs that somebody registered, without those of SPU groups."""
        return await self._run(admin_calls.list_custom_spus(filters))

    async def create_topic(
        self, name: str, spec: TopicSpec, *, dry_run: bool = False, timeout_s: float | None = None
    ) -> None:
        """Create a topic, or with `dry_run` have it checked only; answered when its partitions are online.

        `timeout_s` bounds the wait for the answer, the client's setting otherwise. The controller itself
        gives up after 90 s with `TopicNotProvisionedError`; the topic stays then.
        """
        await self._run(admin_calls.create_topic(name, spec, dry_run=dry_run), timeout_s)

    async def delete_topic(self, name: str, *, force: bool = False) -> None:
        """Delete a topic; system topics only by `force`. Answered before its data are gone."""
        await self._run(admin_calls.delete_topic(name, force=force))

    async def add_partitions(self, topic: str, count: int) -> None:
        """Give a topic `count` partitions more; answered before they are online."""
        await self._run(admin_calls.add_partitions(topic, count))

    async def create_custom_spu(self, name: str, spec: CustomSpuSpec, *, dry_run: bool = False) -> None:
        """Register an SPU whose process somebody else starts."""
        await self._run(admin_calls.create_custom_spu(name, spec, dry_run=dry_run))

    async def delete_custom_spu(self, key: str | int, *, force: bool = False) -> None:
        """Unregister an SPU by its name or id; the only holder of a partition only by `force`."""
        await self._run(admin_calls.delete_custom_spu(key, force=force))

    async def list_table_formats(self, filters: Sequence[str] = ()) -> "list[TableFormatObject]":
        """Table formats whose name contains any of `filters` (none: all)."""
        return await self._run(admin_calls.list_table_formats(filters))

    async def create_table_format(self, spec: "TableFormatSpec") -> None:
        """Store a table layout under its own name. Raises `TableFormatAlreadyExistsError` beside the rest."""
        await self._run(admin_calls.create_table_format(spec))

    async def delete_table_format(self, name: str) -> None:
        """Delete a table layout. Raises `TableFormatNotFoundError` beside the rest."""
        await self._run(admin_calls.delete_table_format(name))

    async def _run(self, call: Call[R], timeout_s: float | None = None) -> R:
        connection = await self._cluster.controller()
        version = connection.version_of(call.envelope)
        answer = await connection.call(call.request(version), timeout_s=timeout_s)
        return call.finish(answer, version)
