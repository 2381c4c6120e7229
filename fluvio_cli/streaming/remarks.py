"""What a person at a terminal is told while `consume` goes on trying: that a leader is out of reach.

The client says it in its log. Nothing is told where nobody watches: scripts compare what is printed.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

READER_LOG = "fluvio_client.consumer.partition_stream"
LOST = "stream lost"  # how the reader's message about it begins; its last argument is the error


class _Remarks(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell
        self._told = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of a lost stream, once as long as the cause is the same: each partition tries by itself."""
        if not record.msg.startswith(LOST) or not isinstance(record.args, tuple):
            return
        reason = record.args[-1]
        endpoint = getattr(reason, "endpoint", None)
        text = str(reason) if endpoint is None else f"lost the connection to {endpoint}"
        if text != self._told:
            self._told = text
            self._tell(f"{text}, trying again")

    def forget(self) -> None:
        """Records come again: the next loss is news."""
        self._told = ""


@contextmanager
def remarks_on_losses(tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Inside, `tell` gets a line when a leader is lost; call what is given when records come."""
    logger = logging.getLogger(READER_LOG)
    handler, level = _Remarks(tell), logger.level
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    try:
        yield handler.forget
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
