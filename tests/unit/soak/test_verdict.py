"""The soak's judge: what it must find, it finds."""

import pytest

from tests.soak.ledger import Ledger
from tests.soak.values import Stamp
from tests.soak.verdict import Verdict


def judged(order: list[int], *, settled_s: float = 1.0, log_start: int = 0) -> Verdict:
    """Three records were acknowledged at offsets 0 to 2; the log has `order`, from `log_start` on."""
    ledger = Ledger(7, "p", "t")
    for number in range(3):
        ledger.give(0.5, 10)
        ledger.acknowledge(number, 0, number, settled_s)
    verdict = Verdict({7: ledger}, [(10.0, 11.0)])
    for offset, sequence in enumerate(order, log_start):
        verdict.take("t", 0, offset, Stamp(7, sequence, 0), 10)
    verdict.close_topic("t", {0: log_start})
    return verdict


def test_all_records_in_their_places_are_no_problem() -> None:
    verdict = judged([0, 1, 2])
    assert verdict.problems() == []
    assert (verdict.counts.acknowledged, verdict.counts.value_bytes) == (3, 30)


@pytest.mark.parametrize(
    ("order", "problems"),
    [
        ([0, 1], ["1 acknowledged records lost"]),
        ([0, 2, 1], ["2 acknowledged records at another offset", "1 records out of order"]),
        ([0, 1, 2, 1], ["1 records doubled without a reason"]),
        ([0, 1, 2, 3], ["1 records that nobody gave"]),
    ],
)
def test_what_must_not_be_is_found(order: list[int], problems: list[str]) -> None:
    assert judged(order).problems() == problems


def test_a_record_whose_answer_was_awaited_during_a_restart_may_be_there_twice() -> None:
    verdict = judged([0, 1, 2, 1], settled_s=10.5)
    assert verdict.problems() == []
    assert verdict.counts.doubled_explained == 1


def test_what_retention_has_removed_is_not_lost() -> None:
    verdict = judged([1, 2], log_start=1)
    assert verdict.problems() == []
    assert verdict.counts.removed == 1
