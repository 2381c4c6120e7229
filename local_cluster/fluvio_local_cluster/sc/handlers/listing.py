"""List: the objects of one type, filtered as the official controller filters that type."""

from typing import Any

from fluvio_local_cluster.sc.handlers.session import Session
from fluvio_local_cluster.sc.model.objects import AnyObject, Kind
from fluvio_local_cluster.sc.model.spus import custom_spec
from fluvio_local_cluster.sc.model.validation import smartmodule_matches
from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListRequest,
    ListResponse,
    Metadata,
    TypedPayload,
    unwrap,
    wrap,
)
from fluvio_protocol.api.smartmodule import SmartModuleSpec, SmartModuleWasm, SmartModuleWasmSummary
from fluvio_protocol.api.spu import SpuType
from fluvio_protocol.frame import RequestHeader


async def handle_list(session: Session, header: RequestHeader, request: ListEnvelope) -> TypedPayload:
    """An unknown label raises `DecodeError`, which closes the connection, as upstream does."""
    payload: ListRequest = unwrap(request, header.api_version)
    label = request.type
    kind = Kind.SPU if label == "CustomSpu" else Kind(label)
    filters = [wanted.name for wanted in payload.name_filters]
    found = [x for x in session.cluster.stores[kind] if _is_wanted(label, x, filters, payload.system)]
    answer: ListResponse[Any, Any] = ListResponse(
        inner=[as_metadata(label, x, payload.summary) for x in found]
    )
    return wrap(TypedPayload, label, answer, header.api_version)


def _is_wanted(label: str, stored: AnyObject, filters: list[str], system: bool) -> bool:
    match label:
        case "Partition":
            return bool(stored.spec.system == system)
        case "Mirror":
            return True
        case "SmartModule":
            return not filters or any(smartmodule_matches(wanted, stored) for wanted in filters)
        case "Topic" if stored.spec.system != system:
            return False
        case "CustomSpu" if stored.spec.spu_type is not SpuType.CUSTOM:
            return False
    return not filters or any(wanted in stored.key for wanted in filters)


def as_metadata(label: str, stored: AnyObject, summary: bool) -> Metadata[Any, Any]:
    """The object as clients see it; a summary leaves a SmartModule's payload out and says its length."""
    spec = stored.spec
    if label == "CustomSpu":
        spec = custom_spec(spec)
    elif label == "SmartModule" and summary:
        spec = SmartModuleSpec(
            meta=spec.meta,
            summary=SmartModuleWasmSummary(wasm_length=len(spec.wasm.payload)),
            wasm=SmartModuleWasm(format=spec.wasm.format),
        )
    return Metadata(name=stored.key, spec=spec, status=stored.status)
