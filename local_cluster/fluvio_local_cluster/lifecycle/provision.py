"""Makes the controller know its SPUs and waits until all of them are online. Over the public API."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fluvio_local_cluster.lifecycle.errors import ProvisionTimeoutError
from fluvio_local_cluster.lifecycle.settings import ServerPlan, advertised_host

if TYPE_CHECKING:
    from fluvio_client.blocking import BlockingAdmin
    from fluvio_protocol.api.spu import CustomSpuSpec


def register_spus(admin: "BlockingAdmin", spus: Sequence[ServerPlan], host: str | None = None) -> None:
    """Register those SPUs that the controller does not know yet; raises what `BlockingAdmin` does.

    `host`: see `spu_spec`.
    """
    if not spus:
        return
    known = {spu.name for spu in admin.list_custom_spus()}
    for spu in spus:
        if spu.spu_name not in known:
            admin.create_custom_spu(spu.spu_name, spu_spec(spu, host))


def spu_spec(spu: ServerPlan, host: str | None = None) -> "CustomSpuSpec":
    """The object that tells the controller, and through it the clients, where an SPU is.

    Clients are led to `host`, or without one to where it listens; the cluster's own servers always to that.
    """
    from fluvio_protocol.api.spu import CustomSpuSpec, Endpoint, IngressAddr, IngressPort

    return CustomSpuSpec(
        id=spu.id,
        public_endpoint=IngressPort(
            port=spu.public.port, ingress=[IngressAddr(hostname=host or advertised_host(spu.public))]
        ),
        private_endpoint=Endpoint(port=spu.private.port, host=advertised_host(spu.private)),
    )


def await_online(admin: "BlockingAdmin", spus: Sequence[ServerPlan], timeout_s: float) -> None:
    """Wait until the controller says that each of `spus` is online, told by its watch stream.

    Raises `ProvisionTimeoutError`, and what `BlockingAdmin` does. SPUs of others do not matter.
    """
    from fluvio_protocol.api.admin import MsgType
    from fluvio_protocol.api.spu import SpuStatusResolution

    wanted = {spu.spu_name for spu in spus}
    if not wanted:
        return
    online: set[str] = set()
    for update in admin.watch("SPU", timeout_s=timeout_s):
        if update.all:
            online.clear()
        present = [(spu, True) for spu in update.all]
        present += [(message.content, message.header != MsgType.DELETE) for message in update.changes]
        for spu, exists in present:
            if exists and spu.status.resolution == SpuStatusResolution.ONLINE:
                online.add(spu.name)
            else:
                online.discard(spu.name)
        if wanted <= online:
            return
    raise ProvisionTimeoutError(len(wanted & online), len(wanted), timeout_s)
