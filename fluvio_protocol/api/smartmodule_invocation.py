"""SmartModules named in a produce or stream fetch. Layout: docs/protocol.md, "SmartModule invocation"."""

import enum
from typing import Annotated

from fluvio_protocol.api.topic import Duration
from fluvio_protocol.wire import WireChoice, field, since, u64, union, wire_choice, wire_struct


@wire_struct
class PredefinedWasm:
    """A stored SmartModule, by name."""

    name: str


@wire_struct
class AdHocWasm:
    """The module itself, gzip compressed."""

    wasm: bytes


SmartModuleInvocationWasm = Annotated[PredefinedWasm | AdHocWasm, union({0: PredefinedWasm, 1: AdHocWasm})]


class ContextKind(enum.IntEnum):
    """What a generic SmartModule is given beside records."""

    NONE = 0
    AGGREGATE = 1
    JOIN = 2
    JOIN_STREAM = 3


@wire_choice(
    ContextKind,
    {ContextKind.AGGREGATE: (bytes,), ContextKind.JOIN: (str,), ContextKind.JOIN_STREAM: (str, str)},
)
class SmartModuleContextData(WireChoice):
    """Context of a generic SmartModule."""

    __slots__ = ()


class InvocationKind(enum.IntEnum):
    """What a SmartModule does; `GENERIC` lets the module decide."""

    FILTER = 0
    MAP = 1
    ARRAY_MAP = 2
    AGGREGATE = 3
    FILTER_MAP = 4
    JOIN = 5
    JOIN_STREAM = 6
    GENERIC = 7


@wire_choice(
    InvocationKind,
    {
        InvocationKind.AGGREGATE: (bytes,),
        InvocationKind.JOIN: (str,),
        InvocationKind.JOIN_STREAM: (str, str),
        InvocationKind.GENERIC: (SmartModuleContextData,),
    },
)
class SmartModuleKind(WireChoice):
    """Kind of an invocation, with its data."""

    __slots__ = ()


@wire_struct
class Lookback:
    """How many last records, and how young, a module sees first."""

    last: u64
    age: Duration | None = since(21, default=None)


@wire_struct
class SmartModuleExtraParams:
    """Parameters of an invocation."""

    inner: dict[str, str] = field(default_factory=dict)
    lookback: Lookback | None = since(20, default=None)


@wire_struct
class SmartModuleInvocation:
    """One step of a chain."""

    wasm: SmartModuleInvocationWasm
    kind: SmartModuleKind
    params: SmartModuleExtraParams = field(default_factory=SmartModuleExtraParams)
    name: str | None = since(25, default=None)


@wire_struct
class DerivedStreamInvocation:
    """Obsolete; only versions 16 to 18 carry it."""

    stream: str
    params: SmartModuleExtraParams = field(default_factory=SmartModuleExtraParams)
