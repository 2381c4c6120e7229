"""What a server process prints about itself: lines on standard error, one for each thing it says."""

import logging
import sys


class _OneLineFormatter(logging.Formatter):
    """Writes line breaks and control characters of a message as escapes.

    Messages quote what peers sent, so a peer could otherwise forge lines or steer a terminal. Tracebacks
    are ours and keep their lines.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        if not record.message.isprintable():
            record.message = "".join(
                each if each.isprintable() else each.encode("unicode_escape").decode()
                for each in record.message
            )
        return super().formatMessage(record)


def log_to_stderr(level: int) -> None:
    """Set up logging of a server process: what has at least this level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
