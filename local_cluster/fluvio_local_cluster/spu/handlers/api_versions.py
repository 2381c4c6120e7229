"""ApiVersions: what the SPU serves. The table is the official one; more is served than is advertised.

Layout and table: docs/protocol.md, "ApiVersions". Requests are decoded at whatever version they come.
"""

from fluvio_local_cluster.spu.session import ClientSession
from fluvio_protocol.api.api_versions import ApiVersionKey, ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.api.fetch import FETCH_KEY, STREAM_FETCH_KEY
from fluvio_protocol.api.offsets import FETCH_OFFSETS_KEY, UPDATE_OFFSETS_KEY
from fluvio_protocol.api.produce import PRODUCE_KEY, SPU_VERSION
from fluvio_protocol.frame import RequestHeader

_PLATFORM_VERSION = "0.0.0"  # as official SPUs report; clients check the SC's only
_UNNAMED_CLIENT_STREAM_FETCH = 15  # for clients that do not say which version they are

_RANGES = {
    PRODUCE_KEY: (0, SPU_VERSION),
    FETCH_KEY: (0, SPU_VERSION),
    FETCH_OFFSETS_KEY: (SPU_VERSION, SPU_VERSION),
    STREAM_FETCH_KEY: (0, SPU_VERSION),
    UPDATE_OFFSETS_KEY: (0, 0),
}


async def handle_api_versions(
    session: ClientSession, header: RequestHeader, request: ApiVersionsRequest
) -> ApiVersionsResponse:
    """Say which versions of which APIs there are."""
    ranges = dict(_RANGES)
    if not request.client_version:
        ranges[STREAM_FETCH_KEY] = (0, _UNNAMED_CLIENT_STREAM_FETCH)
    return ApiVersionsResponse(
        api_keys=[
            ApiVersionKey(api_key=key, min_version=lowest, max_version=highest)
            for key, (lowest, highest) in ranges.items()
        ],
        platform_version=_PLATFORM_VERSION,
    )
