"""SmartModules as stored objects. Layout: docs/protocol.md, "SmartModule"."""

import enum

from fluvio_protocol.wire import field, since, u32, wire_struct


class SmartModuleWasmFormat(enum.IntEnum):
    """WebAssembly as binary or as text."""

    BINARY = 0
    TEXT = 1


class SmartModuleVisibility(enum.IntEnum):
    """Who sees a package."""

    PRIVATE = 0
    PUBLIC = 1


@wire_struct
class SmartModulePackage:
    """Name and version of a package."""

    name: str
    group: str
    version: str
    api_version: str
    description: str | None = None
    license: str | None = None
    visibility: SmartModuleVisibility = since(19, default=SmartModuleVisibility.PRIVATE)
    repository: str | None = None


@wire_struct
class SmartModuleParam:
    """One parameter that a module takes."""

    description: str | None = None
    optional: bool = False


@wire_struct
class SmartModuleMetadata:
    """A module's package and parameters."""

    package: SmartModulePackage
    params: dict[str, SmartModuleParam] = field(default_factory=dict)


@wire_struct
class SmartModuleWasm:
    """The module itself; the payload is gzip or plain, its first bytes tell."""

    format: SmartModuleWasmFormat = SmartModuleWasmFormat.BINARY
    payload: bytes = b""


@wire_struct
class SmartModuleWasmSummary:
    """What a summary list tells in the payload's place."""

    wasm_length: u32


@wire_struct
class SmartModuleSpec:
    """A stored module (layout from version 10 on)."""

    meta: SmartModuleMetadata | None = None
    summary: SmartModuleWasmSummary | None = None
    wasm: SmartModuleWasm = field(default_factory=SmartModuleWasm)


@wire_struct
class SmartModuleStatus:
    """Has no fields."""
