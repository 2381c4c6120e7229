"""Which request an API key means: derived from the declarations, for the public ports of SC and SPU."""

import functools
import importlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from fluvio_protocol.wire import RequestInfo, declared_requests
from fluvio_types.errors import FluvioError

SC, SPU = "sc", "spu"  # sides, as `@request` names them
CONTROLLER = "SC"  # its name for people, where SPUs have `SPU 5001`
UNKNOWN = "unknown"  # the word by which keys without a declaration are chosen
_MODULES = ("admin", "api_versions", "consumer_offsets", "fetch", "mirroring", "offsets", "produce")
_SUFFIXES = ("Request", "Envelope")
_BOTH_SIDES = "ApiVersions"
# Many answers under the id of one request. Source: docs/protocol.md, "Correlation and multiplexing".
_STREAMS = frozenset({"Watch", "StreamFetch", "Mirroring"})
_SPU_MARK = 0  # Produce: SPUs offer it, controllers have no such key


class UnknownApiNameError(FluvioError):
    """A name after `--filter` is no API's."""

    kind = "usage"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no API `{name}`: one of {', '.join(known)}")


class Api(NamedTuple):
    """One request: its name without `Request`, its class and what that declares."""

    name: str
    request: Any
    info: RequestInfo
    is_stream: bool


@functools.cache
def _by_key() -> dict[tuple[str, int], Api]:
    for module in _MODULES:
        importlib.import_module(f"fluvio_protocol.api.{module}")
    found = {}
    for request, info in declared_requests().items():
        name = request.__name__
        for suffix in _SUFFIXES:
            name = name.removesuffix(suffix)
        api = Api(name, request, info, name in _STREAMS)
        sides = (SC, SPU) if name == _BOTH_SIDES else (info.side,)
        found.update({(side, info.key): api for side in sides if side in (SC, SPU)})
    return found


def api_at(side: str, key: int) -> Api | None:
    """The request with that key at that side's public port; None: none is declared."""
    return _by_key().get((side, key))


def names() -> list[str]:
    """All there are, by name."""
    return sorted({api.name for api in _by_key().values()})


def chosen(text: str) -> frozenset[str]:
    """Names in a list such as `produce, stream-fetch`, as they are declared; case and hyphens do not count.

    `unknown` stands for keys without a declaration. Raises `UnknownApiNameError`.
    """
    known = {_plain(name): name for name in (*names(), UNKNOWN)}
    wished = [word.strip() for word in text.split(",") if word.strip()]
    for word in wished:
        if _plain(word) not in known:
            raise UnknownApiNameError(word, known.values())
    return frozenset(known[_plain(word)] for word in wished)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def side_of(offered: Iterable[int]) -> str:
    """Which kind of server offers these keys."""
    return SPU if _SPU_MARK in offered else SC
