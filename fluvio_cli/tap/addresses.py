"""SPUs' addresses in a controller's answer: found, and replaced. No sockets.

Only what is declared is written anew; bytes after the declared ones stay. Layout: docs/protocol.md, "SPU",
"Watch".
"""

from typing import Any

from fluvio_cli.tap.conversation import Call
from fluvio_client.target import Endpoint, spu_endpoint
from fluvio_protocol.api.admin import MsgType, TypedPayload, payload_type
from fluvio_protocol.api.spu import IngressAddr
from fluvio_protocol.frame import CORRELATION
from fluvio_protocol.wire import Reader, decode, encode


class SpuAddresses:
    """One answer to List or Watch of SPUs. Raises `DecodeError` when it is none."""

    def __init__(self, payload: bytes, call: Call, *, use_local_address: bool) -> None:
        assert call.api is not None
        self._version, self._use_local = call.version, use_local_address
        self._begin = payload[: CORRELATION.size]
        reader = Reader(payload)
        reader.take(CORRELATION.size)
        self._envelope = decode(TypedPayload, reader, call.version)
        self._tail = bytes(reader.take(reader.remaining))
        self._wire_type = payload_type(call.api.request, call.object_type, answer=True)
        inner = Reader(self._envelope.payload)
        self._body: Any = decode(self._wire_type, inner, call.version)
        self._inner_tail = bytes(inner.take(inner.remaining))

    def _specs(self) -> list[tuple[str, Any]]:
        body = self._body
        listed = getattr(body, "inner", None)
        if listed is None:
            changed = [each.content for each in body.changes if each.header is not MsgType.DELETE]
            listed = [*body.all, *changed]
        return [(each.name, each.spec) for each in listed]

    def endpoints(self) -> dict[int, Endpoint]:
        """Where SPUs are, by id; those without an address are left out."""
        found = {}
        for name, spec in self._specs():
            endpoint = spu_endpoint(name, spec, use_local_address=self._use_local)
            if endpoint.host and endpoint.port:
                found[spec.id] = endpoint
        return found

    def with_addresses(self, places: dict[int, tuple[str, int]]) -> bytes:
        """The payload with these hosts and ports, by SPU id; others stay as they are."""
        for _, spec in self._specs():
            if spec.id in places:
                host, port = places[spec.id]
                spec.public_endpoint.port = port
                spec.public_endpoint.ingress = [IngressAddr(hostname=host)]
                if spec.public_endpoint_local is not None:
                    spec.public_endpoint_local.host, spec.public_endpoint_local.port = host, port
        self._envelope.payload = encode(self._body, self._version, self._wire_type) + self._inner_tail
        return self._begin + encode(self._envelope, self._version) + self._tail
