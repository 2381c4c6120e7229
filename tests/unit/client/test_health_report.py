"""What a health check finds wrong, and which topics it takes for those of checks that were killed."""

from fluvio_client.health.report import HealthReport, SpuHealth, leftovers, topic_name
from fluvio_types.names import name_problem

NOW_S = 1_700_000_000.5


def spu(number: int = 5001, *, online: bool = True, error: str | None = None) -> SpuHealth:
    return SpuHealth(number, f"custom-spu-{number}", "h:9010", online, error=error)


def test_the_name_of_a_topic_keeps_the_rules_and_tells_when_it_was_made() -> None:
    name = topic_name(NOW_S, b"\x01\xab\xff\x00")
    assert name == "fluvio-health-6553f100-01abff00"
    assert name_problem(name) is None


def test_topics_older_than_a_minute_are_leftovers_and_younger_ones_are_not() -> None:
    old, young = topic_name(NOW_S - 62, b"\x01"), topic_name(NOW_S - 58, b"\x02")
    assert leftovers([old, young], NOW_S) == [old]


def test_topics_of_others_are_never_leftovers() -> None:
    names = [
        "fluvio-health-",
        "fluvio-health-report",
        "fluvio-health-2023-01",
        "fluvio-health-00000001-notes",
        "fluvio-health-00000001",
        "fluvio-health-0000001-ab",
        "my-fluvio-health-00000001-ab",
    ]
    assert leftovers(names, NOW_S) == []


def test_a_cluster_is_healthy_when_all_its_spus_are() -> None:
    assert HealthReport("0.18.2", 1.0, [spu(5001), spu(5002)]).is_healthy


def test_each_problem_is_named_with_its_spu() -> None:
    report = HealthReport("0.18.2", 1.0, [spu(5001, online=False), spu(5002, error="produce: no")], error="x")
    assert report.problems == ["x", "SPU 5001 is offline", "SPU 5002: produce: no"]


def test_a_cluster_without_spus_is_not_healthy() -> None:
    assert HealthReport("0.18.2", 1.0).problems == ["no SPU is registered"]
