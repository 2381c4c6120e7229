"""A digest of records: the same for any batches, another for any other records."""

from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.transfer.digest import ContentDigest
from fluvio_cli.transfer.pieces import Columns

Row = tuple[int, bytes | None, bytes]
ROWS = st.lists(
    st.tuples(st.integers(-1, 2**40), st.none() | st.binary(max_size=3), st.binary(max_size=4)), max_size=12
)


def digest(*parts: list[Row], with_times: bool = False) -> str:
    found = ContentDigest(with_times=with_times)
    for rows in parts:
        found.update(Columns([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]))
    return found.hexdigest()


@given(rows=ROWS, cut=st.integers(0, 12))
def test_batches_do_not_matter(rows: list[Row], cut: int) -> None:
    assert digest(rows, with_times=True) == digest(rows[:cut], rows[cut:], with_times=True)


@given(one=ROWS, other=ROWS)
def test_other_records_have_another_digest(one: list[Row], other: list[Row]) -> None:
    assert (digest(one, with_times=True) == digest(other, with_times=True)) == (one == other)
    contents = [row[1:] for row in one] == [row[1:] for row in other]
    assert (digest(one) == digest(other)) == contents


def test_a_missing_key_is_not_an_empty_one_and_bytes_do_not_wander() -> None:
    rows: list[list[Row]] = [
        [(0, None, b"ab")],
        [(0, b"", b"ab")],
        [(0, b"a", b"b")],
        [(0, None, b"a"), (0, None, b"b")],
    ]
    assert len({digest(each) for each in rows}) == 4
