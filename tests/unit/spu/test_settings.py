"""The command line of an SPU."""

import argparse

import pytest

from fluvio_local_cluster.spu.settings import Address, parse_settings


@pytest.mark.parametrize(
    ("text", "host", "port"), [("127.0.0.1:9010", "127.0.0.1", 9010), ("[::1]:0", "::1", 0), ("h:1", "h", 1)]
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize("text", ["9010", ":9010", "h:", "h:x", "h:65536", "h:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        Address.parse(text)


def test_a_command_line_becomes_settings() -> None:
    line = "-i 7 -p h:1 -v h:2 --sc-addr sc:3 --log-base-dir /d --ready-fd 9"
    settings = parse_settings(line.split())
    assert (settings.spu_id, settings.public.port, settings.private.port) == (7, 1, 2)
    assert (settings.sc, settings.ready_fd) == (Address("sc", 3), 9)


@pytest.mark.parametrize("line", ["", "-i x --log-base-dir /d", "-i 1", "-i 1 --log-base-dir /d --bogus"])
def test_a_wrong_command_line_exits_with_2(line: str) -> None:
    with pytest.raises(SystemExit) as exit_info:
        parse_settings(line.split())
    assert exit_info.value.code == 2
