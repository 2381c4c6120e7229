"""ApiVersions: which calls the controller serves. Table: docs/protocol.md, "ApiVersions"."""

from typing import Any

from fluvio_protocol.api.admin import (
    CREATE_KEY,
    DELETE_KEY,
    LIST_KEY,
    MIN_SC_VERSION,
    MIRRORING_KEY,
    SC_VERSION,
    UPDATE_KEY,
    WATCH_KEY,
)
from fluvio_protocol.api.api_versions import ApiVersionKey, ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.frame import RequestHeader
from fluvio_types.defaults import PLATFORM_VERSION

# Upstream's table, except that 1001 and 1002 begin where clients can watch, too.
_SERVED = (
    (CREATE_KEY, MIN_SC_VERSION),
    (DELETE_KEY, MIN_SC_VERSION),
    (LIST_KEY, MIN_SC_VERSION),
    (WATCH_KEY, MIN_SC_VERSION),
    (MIRRORING_KEY, 14),
    (UPDATE_KEY, 1),
)


async def handle_api_versions(
    session: Any, header: RequestHeader, request: ApiVersionsRequest
) -> ApiVersionsResponse:
    """Any client version is welcome, also one that is no version."""
    return ApiVersionsResponse(
        api_keys=[
            ApiVersionKey(api_key=key, min_version=least, max_version=SC_VERSION) for key, least in _SERVED
        ],
        platform_version=PLATFORM_VERSION,
    )
