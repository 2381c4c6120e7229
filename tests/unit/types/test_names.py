"""Names and the errors that refuse them."""

import pytest

from fluvio_types.errors import FluvioError, InvalidNameError, NotSupportedYetError
from fluvio_types.names import name_problem, parse_partition_key, partition_key, require_valid_name


@pytest.mark.parametrize("name", ["a", "a-b", "0", "a" * 63, "a--b"])
def test_good_names_pass(name: str) -> None:
    assert name_problem(name) is None
    require_valid_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "ä", "a b", "a" * 64, "a\n"])
def test_bad_names_are_refused_with_a_hint(name: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        require_valid_name(name)
    assert caught.value.hint is not None


@pytest.mark.parametrize(("topic", "partition"), [("a", 0), ("a-1", 12), ("a-b-c", 3)])
def test_a_partition_key_reads_back(topic: str, partition: int) -> None:
    assert parse_partition_key(partition_key(topic, partition)) == (topic, partition)


@pytest.mark.parametrize("key", ["", "a", "a-", "-1", "a-x", "a-²"])
def test_what_is_no_partition_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidNameError):
        parse_partition_key(key)


def test_an_error_carries_its_hint_and_says_what_is_not_supported() -> None:
    assert FluvioError("x").hint is None
    assert FluvioError("x", hint="y").hint == "y"
    assert str(NotSupportedYetError("x")) == "not supported yet: x"
