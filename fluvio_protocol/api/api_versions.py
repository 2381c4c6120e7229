"""ApiVersions: the first request on every public connection. Layout: docs/protocol.md, "ApiVersions"."""

from fluvio_protocol.error_code import OK, ErrorCode
from fluvio_protocol.wire import i16, request, since, wire_struct

API_VERSIONS_KEY = 18
API_VERSIONS_VERSION = 2


@wire_struct
class ApiVersionKey:
    """One API that a server offers, and at which versions."""

    api_key: i16
    min_version: i16
    max_version: i16


@wire_struct
class ApiVersionsResponse:
    """`platform_version` is a semantic version: clients refuse what does not parse."""

    error_code: ErrorCode = OK
    api_keys: list[ApiVersionKey]
    platform_version: str


@request(side="sc", key=API_VERSIONS_KEY, versions=range(3), response=ApiVersionsResponse)
@wire_struct
class ApiVersionsRequest:
    """Who asks. Served by SC and SPU alike."""

    client_version: str = since(1, default="")
    client_os: str = since(1, default="")
    client_arch: str = since(1, default="")
