"""How much a server prints: what `RUST_LOG` names, as officially; the life cycle only by default."""

import logging
from collections.abc import Mapping

VARIABLE = "RUST_LOG"
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "off": logging.CRITICAL + 1,
}


def log_level(environment: Mapping[str, str]) -> int:
    """The level that stands first in a filter such as `debug` or `fluvio=debug,warn`; INFO without one."""
    words = environment.get(VARIABLE, "").lower().replace("=", ",").split(",")
    return next((_LEVELS[word.strip()] for word in words if word.strip() in _LEVELS), logging.INFO)
