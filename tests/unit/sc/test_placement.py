"""Even spreading, with the official controller's vectors."""

import pytest

from fluvio_local_cluster.sc.model.placement import InsufficientSpusError, Load, place


def load_of(*rows: list[int]) -> Load:
    load = Load()
    for row in rows:
        load.add(row)
    return load


@pytest.mark.parametrize(
    ("online", "existing", "partitions", "replication", "rows"),
    [
        ([0, 1], [], 4, 1, [[0], [1], [0], [1]]),
        ([0, 1, 2, 4, 10], [], 4, 1, [[0], [1], [2], [4]]),
        (
            [0, 1, 2, 3],
            [[0, 1, 2], [1, 2], [0, 3]],
            5,
            3,
            [[2, 0, 1], [3, 0, 1], [1, 3, 0], [2, 3, 0], [3, 2, 1]],
        ),
    ],
)
def test_partitions_are_spread_as_by_the_official_controller(
    online: list[int], existing: list[list[int]], partitions: int, replication: int, rows: list[list[int]]
) -> None:
    placed = place(partitions, replication, registered=len(online), online=online, load=load_of(*existing))
    assert list(placed.values()) == rows


def test_an_spu_that_is_offline_does_not_count() -> None:
    with pytest.raises(InsufficientSpusError, match="needs 2 SPUs, 1 online"):
        place(1, 2, registered=2, online=[0], load=Load())


def test_a_failed_placement_leaves_the_load_alone() -> None:
    load = load_of([0, 1])
    before = load.copy()
    with pytest.raises(InsufficientSpusError):
        place(3, 3, registered=2, online=[0, 1], load=load)
    assert load == before


def test_complete_rows_stay_and_new_ones_even_out() -> None:
    load = load_of([5001], [5001])
    rows = place(4, 1, registered=2, online=[5002, 5001], load=load, placed={0: [5001], 1: [5001]})
    assert rows == {0: [5001], 1: [5001], 2: [5002], 3: [5002]}


def test_an_elected_leader_counts_as_leader_wherever_it_stands_in_the_row() -> None:
    load = Load()
    load.add([1, 2], leader=2)
    assert (load.leaders, load.followers) == ({2: 1}, {1: 1})
