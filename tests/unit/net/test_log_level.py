"""How much servers print."""

import logging

import pytest

from fluvio_local_cluster.net.log_level import log_level


@pytest.mark.parametrize(
    ("wish", "level"),
    [
        (None, logging.INFO),
        ("", logging.INFO),
        ("debug", logging.DEBUG),
        ("ERROR", logging.ERROR),
        ("fluvio_sc=debug,warn", logging.DEBUG),
        ("warn, fluvio_sc=debug", logging.WARNING),
        ("off", logging.CRITICAL + 1),
        ("fluvio_sc", logging.INFO),
    ],
)
def test_the_first_level_word_of_the_filter_counts(wish: str | None, level: int) -> None:
    assert log_level({} if wish is None else {"RUST_LOG": wish}) == level
