"""Which names clusters may have, and where they lead."""

from pathlib import Path

import pytest

from fluvio_local_cluster.lifecycle import naming


@pytest.mark.parametrize("name", ["a", "A", "7", "blue-2", "b.2", "a_b", "x" * 40])
def test_letters_digits_and_three_marks_make_a_name(name: str) -> None:
    assert naming.is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "-", "-a", "a-", ".a", "a.", "a/b", "a\\b", "a b", "ä", "a\n", "a\0", "x" * 41, "²"],
)
def test_what_is_no_file_name_everywhere_is_no_name(name: str) -> None:
    assert not naming.is_name(name)


def test_names_that_one_file_system_takes_for_one_are_the_same() -> None:
    assert naming.is_same("Blue", "blue")
    assert not naming.is_same("blue", "blue2")
    assert naming.is_reserved("Local")


def test_a_name_leads_to_directories_of_its_own_and_local_to_those_without_one() -> None:
    home = Path("/h/.fluvio")
    assert naming.data_dir_of(home, "a") == home / "clusters" / "a" / "data"
    assert naming.log_dir_of(home, "a") == home / "clusters" / "a" / "log"
    assert naming.data_dir_of(home, "local") == home / "data"
