"""What the SC has not been told yet."""

from fluvio_local_cluster.spu.replica.report import ReplicaFacts, ReportBook


def facts(leo: int, topic: str = "t") -> ReplicaFacts:
    return ReplicaFacts((topic, 0), leo, leo, 100 * leo, 0)


def test_only_changes_are_reported_and_a_removed_replica_is_news_again() -> None:
    book = ReportBook(5001)
    (first,) = book.changes([facts(0)])
    assert (first.leader.spu, first.leader.leo, first.leader.hw, first.size) == (5001, 0, 0, 0)
    assert book.changes([facts(0)]) == []
    assert [entry.id.topic for entry in book.changes([facts(1), facts(0, "u")])] == ["t", "u"]
    book.forget(("t", 0))
    assert len(book.changes([facts(1), facts(0, "u")])) == 1
