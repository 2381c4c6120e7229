"""Limits of a server from its command line."""

import argparse

import pytest

from fluvio_local_cluster.net.limits import NetLimits, add_limit_options, limits_given


def given(*arguments: str) -> NetLimits:
    """What a server makes of its command line."""
    parser = argparse.ArgumentParser()
    add_limit_options(parser)
    return limits_given(parser.parse_args(arguments), NetLimits(max_frame_bytes=1000))


def test_options_replace_what_they_name_and_nothing_else() -> None:
    limits = given("--max-connections", "7", "--frame-timeout-ms", "250", "--stall-timeout-ms", "1500")
    expected = NetLimits(max_frame_bytes=1000, max_connections=7, frame_timeout_s=0.25, stall_timeout_s=1.5)
    assert limits == expected
    assert given() == NetLimits(max_frame_bytes=1000)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", ""])
def test_what_is_no_positive_number_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        given("--max-connections", text)
    assert "--max-connections" in capsys.readouterr().err
