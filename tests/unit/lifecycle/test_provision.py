"""Which SPUs are registered, and when all count as online."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from fluvio_client.blocking import BlockingAdmin
from fluvio_client.target import Endpoint as Address
from fluvio_local_cluster.lifecycle.errors import ProvisionTimeoutError
from fluvio_local_cluster.lifecycle.provision import await_online, register_spus, spu_spec
from fluvio_local_cluster.lifecycle.settings import Role, ServerPlan
from fluvio_protocol.api.admin import Metadata, MetadataMessage, MetadataUpdate, MsgType
from fluvio_protocol.api.spu import (
    CustomSpuSpec,
    Endpoint,
    IngressAddr,
    IngressPort,
    SpuSpec,
    SpuStatus,
    SpuStatusResolution,
)


def server(spu_id: int) -> ServerPlan:
    from pathlib import Path

    return ServerPlan(
        Role.SPU, spu_id, Address("127.0.0.1", 9010), Address("127.0.0.1", 9011), Path("/l/spu.log")
    )


SPUS = [server(5001), server(5002)]


def spu(spu_id: int, resolution: SpuStatusResolution = SpuStatusResolution.ONLINE) -> Metadata[Any, Any]:
    spec = SpuSpec(
        id=spu_id,
        public_endpoint=IngressPort(port=1, ingress=[IngressAddr(hostname="h")]),
        private_endpoint=Endpoint(port=2, host="h"),
    )
    return Metadata(name=f"custom-spu-{spu_id}", spec=spec, status=SpuStatus(resolution=resolution))


def change(item: Metadata[Any, Any], header: MsgType = MsgType.UPDATE) -> MetadataUpdate[Any, Any]:
    return MetadataUpdate(epoch=1, changes=[MetadataMessage(header=header, content=item)])


class FakeAdmin:
    """Knows some SPUs, notes those registered, and plays a watch stream."""

    def __init__(self, known: list[Metadata[Any, Any]], updates: list[MetadataUpdate[Any, Any]]) -> None:
        self._known, self._updates = known, updates
        self.created: dict[str, CustomSpuSpec] = {}
        self.taken = 0

    def list_custom_spus(self) -> list[Metadata[Any, Any]]:
        return self._known

    def create_custom_spu(self, name: str, spec: CustomSpuSpec) -> None:
        self.created[name] = spec

    def watch(self, label: str, *, timeout_s: float) -> Iterator[MetadataUpdate[Any, Any]]:
        assert label == "SPU"
        for update in self._updates:
            self.taken += 1
            yield update


def wait(updates: list[MetadataUpdate[Any, Any]], spus: list[ServerPlan] = SPUS) -> FakeAdmin:
    admin = FakeAdmin([], updates)
    await_online(cast(BlockingAdmin, admin), spus, 5.0)
    return admin


def test_only_spus_that_are_not_known_are_registered() -> None:
    admin = FakeAdmin([spu(5001)], [])
    register_spus(cast(BlockingAdmin, admin), SPUS)
    assert admin.created == {"custom-spu-5002": spu_spec(SPUS[1])}


def test_an_spu_is_registered_at_the_address_where_it_listens() -> None:
    spec = spu_spec(SPUS[0])
    assert (spec.id, spec.public_endpoint.port, spec.public_endpoint.host) == (5001, 9010, "localhost")
    assert (spec.private_endpoint.port, spec.private_endpoint.host) == (9011, "localhost")


def test_clients_are_led_to_the_advertised_host_and_servers_are_not() -> None:
    admin = FakeAdmin([], [])
    register_spus(cast(BlockingAdmin, admin), SPUS, "fluvio")
    for spec in admin.created.values():
        assert spec.public_endpoint.host == "fluvio"
        assert spec.private_endpoint.host == "localhost"


def test_the_wait_ends_with_the_last_spu_and_reads_no_further() -> None:
    offline = SpuStatusResolution.INIT
    updates = [
        MetadataUpdate(epoch=1, all=[spu(5001), spu(5002, offline)]),
        change(spu(6000)),
        change(spu(5002)),
        change(spu(5001, SpuStatusResolution.OFFLINE)),
    ]
    assert wait(updates).taken == 3


def test_an_spu_that_went_away_again_is_not_online() -> None:
    lost = [
        change(spu(5001, SpuStatusResolution.OFFLINE)),
        change(spu(5001), MsgType.DELETE),
        MetadataUpdate(epoch=2, all=[spu(5003)]),
    ]
    for update in lost:
        with pytest.raises(ProvisionTimeoutError, match=r"only [01] of 2"):
            wait([change(spu(5001)), update, change(spu(5002))])


def test_spus_of_others_do_not_count() -> None:
    with pytest.raises(ProvisionTimeoutError, match="only 0 of 2 SPUs came online within 5 s"):
        wait([MetadataUpdate(epoch=1, all=[spu(6001), spu(6002)])])


def test_a_cluster_without_spus_waits_for_nothing() -> None:
    assert wait([change(spu(1))], []).taken == 0
