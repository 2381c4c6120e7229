"""Constants that other programs compare."""

import re

from fluvio_types.defaults import MIN_PLATFORM_VERSION, PLATFORM_VERSION
from fluvio_types.version import __version__


def test_the_platform_version_is_a_semantic_version_that_official_clients_accept() -> None:
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", PLATFORM_VERSION)
    assert match is not None
    assert tuple(map(int, match.groups())) >= MIN_PLATFORM_VERSION


def test_our_own_version_is_a_release() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?", __version__)
