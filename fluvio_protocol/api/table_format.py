"""Stored table layouts. Layout: docs/protocol.md, "Table format, mirror"."""

import enum

from fluvio_protocol.wire import wire_struct


class DataFormat(enum.IntEnum):
    """What records hold."""

    JSON = 0


class TableFormatAlignment(enum.IntEnum):
    """Where a column's text stands."""

    LEFT = 0
    RIGHT = 1
    CENTER = 2


class Color(enum.IntEnum):
    """Colours of headers."""

    BLUE = 0
    YELLOW = 1
    GREEN = 2


class TableFormatStatusResolution(enum.IntEnum):
    """Life of a table format."""

    INIT = 0
    INVALID = 1
    RUNNING = 2
    PENDING = 3
    FAILED = 4


@wire_struct
class TableFormatColumnConfig:
    """One column."""

    header_label: str | None = None
    width: str | None = None
    alignment: TableFormatAlignment | None = None
    key_path: str
    format: str | None = None
    display: bool | None = None
    primary_key: bool | None = None
    header_bg_color: Color | None = None
    header_text_color: Color | None = None


@wire_struct
class TableFormatSpec:
    """A table layout."""

    name: str
    input_format: DataFormat | None = None
    columns: list[TableFormatColumnConfig] | None = None
    smartmodule: str | None = None


@wire_struct
class TableFormatStatus:
    """State of a table layout."""

    resolution: TableFormatStatusResolution = TableFormatStatusResolution.INIT
    reason: str | None = None
