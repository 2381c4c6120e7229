"""How many files and sockets a server process may have open, and what that means for its connections."""

import logging
import resource
from dataclasses import replace

from fluvio_local_cluster.net.limits import NetLimits

_logger = logging.getLogger(__name__)

_WISHED = 65_536
_OWN = 64  # standard streams, listeners, the other servers, files that are open for a moment


def raise_file_limit() -> int:
    """Ask the system for as many descriptors as it grants, `_WISHED` at most; returns how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WISHED if hard == resource.RLIM_INFINITY else min(hard, _WISHED)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _WISHED if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as exc:
        _logger.warning("the limit of open files stays at %d cause=%s", soft, exc)
        return soft
    return wanted


def within_descriptors(limits: NetLimits, descriptors: int, kept_files: int = 0) -> NetLimits:
    """`limits` with no more connections than leave enough of `descriptors` for files.

    `kept_files`: so many a server keeps open. At least half of the descriptors are for connections.
    """
    room = max(descriptors - kept_files - _OWN, descriptors // 2)
    if limits.max_connections <= room:
        return limits
    _logger.info(
        "the limit of open files allows less connections than --max-connections, see `ulimit -n` "
        "descriptors=%d connections=%d wished=%d",
        descriptors,
        room,
        limits.max_connections,
    )
    return replace(limits, max_connections=room, connections_set_by="`ulimit -n`")
