"""Lines that a server prints."""

import logging

import pytest

from fluvio_local_cluster.net.server_log import _OneLineFormatter


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("peer=127.0.0.1:1", "peer=127.0.0.1:1"),
        ("name=`a\nb\r\n`", r"name=`a\nb\r\n`"),
        ("\x1b[2Jgone \x00", r"\x1b[2Jgone \x00"),
        ("\u2028 and \x85", r"\u2028 and \x85"),
        ("Straße 道", "Straße 道"),
    ],
)
def test_what_a_peer_sent_cannot_break_a_line(said: str, printed: str) -> None:
    record = logging.LogRecord("room", logging.WARNING, __file__, 1, "closing cause=%s", (said,), None)
    assert _OneLineFormatter("%(levelname)s %(message)s").format(record) == f"WARNING closing cause={printed}"
