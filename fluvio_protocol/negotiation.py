"""Which version a client sends, from what a server advertises. Source: docs/protocol.md, "ApiVersions".

The rule is the official client's. Some calls are sent at a version of our own when there is no overlap,
others cannot be made at all; the request type decides.
"""

import re
from collections.abc import Iterable

from fluvio_protocol.api.api_versions import ApiVersionKey
from fluvio_protocol.wire import request_info
from fluvio_types.defaults import MIN_PLATFORM_VERSION
from fluvio_types.errors import FluvioError

_STREAM_FETCH_KEY, _PRODUCE_KEY = 1003, 0  # of the SPU
_MUST_OVERLAP_SIDE = "sc"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:[-+].*)?")


class IncompatibleServerError(FluvioError):
    """Client and server share no version of an API, or the platform is too old."""

    kind = "version-mismatch"


def check_platform(version: str) -> None:
    """Refuse a controller older than this client can talk to. Raises `IncompatibleServerError`."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise IncompatibleServerError(f"the cluster reports `{version[:64]}`, which is no platform version")
    if tuple(int(part) for part in match.groups()) < MIN_PLATFORM_VERSION:
        least = ".".join(str(part) for part in MIN_PLATFORM_VERSION)
        raise IncompatibleServerError(
            f"the cluster's platform version {version} is older than {least}, the oldest that is supported",
            hint="upgrade the cluster",
        )


class ServerVersions:
    """What one server advertised."""

    __slots__ = ("_ranges",)

    def __init__(self, keys: Iterable[ApiVersionKey]) -> None:
        self._ranges = {key.api_key: (key.min_version, key.max_version) for key in keys}

    def version_of(self, request_type: type) -> int:
        """The version to send `request_type` at. Raises `IncompatibleServerError`."""
        info = request_info(request_type)
        offered = self._ranges.get(info.key)
        if offered is not None and offered[1] >= info.min_version and offered[0] <= info.max_version:
            return min(info.max_version, offered[1])
        if info.side == _MUST_OVERLAP_SIDE:
            raise IncompatibleServerError(
                f"client and cluster are not compatible: no common version of API {info.key}",
                hint="use a client and a cluster of similar age",
            )
        if info.key == _STREAM_FETCH_KEY:
            return info.min_version
        # Consumer offsets are served but never advertised: the version agreed for produce is right for them.
        produce = self._ranges.get(_PRODUCE_KEY)
        return info.max_version if produce is None else min(info.max_version, produce[1])
