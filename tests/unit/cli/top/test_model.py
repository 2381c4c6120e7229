"""What two samples of a cluster tell."""

from typing import Any

import pytest

from fluvio_cli.top.model import (
    PAST,
    ConsumerFigures,
    History,
    PartitionFigures,
    Sample,
    SpuFigures,
    TopicFigures,
    TopicRow,
    bars,
    by_rate,
    count_text,
    rate_text,
    shown,
    size_text,
)


def partition(topic: str, number: int, end: int | None, **more: Any) -> PartitionFigures:
    values = {"leader": 5001, "is_online": True, "start": None if end is None else 0, "size": None, **more}
    return PartitionFigures(topic, number, end=end, **values)


def sample(at_s: float, *partitions: PartitionFigures, **more: Any) -> Sample:
    counts: dict[str, int] = {}
    for each in partitions:
        counts[each.topic] = counts.get(each.topic, 0) + 1
    topics = [TopicFigures(name, "provisioned", count) for name, count in sorted(counts.items())]
    return Sample(at_s, "0.18.2", topics, partitions, **more)


def test_a_first_sample_has_figures_and_no_rates() -> None:
    standing = History().take(
        sample(1.0, partition("t", 0, 12, start=2, size=100), partition("t", 1, 3, size=50))
    )
    assert standing.topics == [TopicRow("t", "provisioned", 2, 13, 150, None, None)]
    assert (standing.records_per_s, standing.past) == (None, ())


def test_rates_are_the_growth_by_the_time_that_passed() -> None:
    history = History()
    history.take(sample(10.0, partition("a", 0, 100, size=1000), partition("b", 0, 7)))
    now = history.take(sample(12.0, partition("a", 0, 150, start=40, size=1500), partition("b", 0, 8)))
    assert [(row.records, row.records_per_s, row.bytes_per_s) for row in now.topics] == [
        (110, 25.0, 250.0),
        (8, 0.5, None),
    ]
    assert (now.records_per_s, now.past) == (25.5, (25.5,))


def test_a_topic_made_anew_and_a_new_partition_have_no_rate_yet() -> None:
    history = History()
    history.take(sample(0.0, partition("t", 0, 100, size=900)))
    anew = history.take(sample(1.0, partition("t", 0, 3, size=30), partition("t", 1, 50)))
    assert (anew.topics[0].records_per_s, anew.topics[0].bytes_per_s) == (None, None)
    later = history.take(sample(2.0, partition("t", 0, 5, size=50), partition("t", 1, 50)))
    assert (later.topics[0].records_per_s, later.topics[0].bytes_per_s) == (2.0, 20.0)


def test_what_nobody_tells_is_left_out_and_not_taken_for_nothing() -> None:
    history = History()
    history.take(sample(0.0, partition("t", 0, 10), partition("t", 1, 10)))
    now = history.take(sample(1.0, partition("t", 0, 14), partition("t", 1, None), partition("u", 0, None)))
    known, unknown = now.topics
    assert (known.records, known.records_per_s) == (14, 4.0)
    assert (unknown.records, unknown.records_per_s) == (None, None)


def test_two_samples_of_the_same_moment_have_no_rate() -> None:
    history = History()
    history.take(sample(5.0, partition("t", 0, 1)))
    assert history.take(sample(5.0, partition("t", 0, 9))).records_per_s is None


def test_only_so_many_rates_are_remembered() -> None:
    history = History()
    for second in range(PAST + 10):
        standing = history.take(sample(float(second), partition("t", 0, second * second)))
    assert len(standing.past) == PAST
    assert standing.past[-1] == 2 * (PAST + 9) - 1


@pytest.mark.parametrize(
    ("offset", "figures", "lag"),
    [
        (4, partition("t", 0, 10), 5),
        (9, partition("t", 0, 10), 0),
        (-1, partition("t", 0, 10), 10),
        (2, partition("t", 0, 10, start=8), 2),  # what retention has removed cannot be read any more
        (20, partition("t", 0, 10), 0),
        (4, partition("t", 0, None), None),
        (4, None, None),
    ],
)
def test_lag_is_what_is_there_and_not_read(
    offset: int, figures: PartitionFigures | None, lag: int | None
) -> None:
    assert ConsumerFigures("c", "t", 0, offset).lag(figures) == lag


def test_leaders_are_counted_and_the_document_has_it_all() -> None:
    standing = History().take(
        sample(
            0.0,
            partition("t", 0, 5),
            partition("t", 1, 5, leader=5002, is_online=False),
            spus=[SpuFigures(5001, "h:1", "Online"), SpuFigures(5003, "h:3", "Offline")],
            consumers=[ConsumerFigures("c", "t", 0, 1)],
            remarks=["SPU 5002: no"],
        )
    )
    document = standing.document()
    assert [(spu["id"], spu["partitionsLed"]) for spu in document["spus"]] == [(5001, 1), (5003, 0)]
    assert document["consumers"] == [{"consumer": "c", "topic": "t", "partition": 0, "offset": 1, "lag": 3}]
    assert [each["online"] for each in document["partitions"]] == [True, False]
    assert document["topics"][0]["recordsPerSecond"] is None
    assert document["remarks"] == ["SPU 5002: no"]


def test_the_fastest_topics_come_first_and_equals_by_name() -> None:
    rows = [
        TopicRow(name, "", 1, 0, 0, rate, None) for name, rate in zip("abcd", (0, None, 5, 0), strict=True)
    ]
    assert [row.name for row in by_rate(rows)] == ["c", "a", "b", "d"]


def test_figures_are_written_for_people() -> None:
    assert [count_text(each) for each in (None, 0, 1234567)] == ["-", "0", "1,234,567"]
    assert [rate_text(each) for each in (None, 0.0, 0.25, 12.4, 1234.0)] == ["-", "0", "0.2", "12", "1,234"]
    sizes = (None, 0, 1023, 1024, 1536 * 1024, 2**80)
    assert [size_text(each) for each in sizes] == [
        "-",
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 MiB",
        "1048576.0 EiB",
    ]
    assert (bars([]), bars([0.0, 0.0]), bars([0.0, 50.0, 100.0])) == ("", "▁▁", "▁▅█")


def test_texts_of_others_command_no_terminal() -> None:
    assert shown("a\x1b[2Jb\n") == r"a\u001b[2Jb\n"
    assert len(shown("x" * 10_000)) == 256
