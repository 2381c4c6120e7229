"""A topic for which there are too few SPUs: said within seconds, and nothing is left behind."""

import time

from tests.support.local_cluster import LocalCluster


def test_a_topic_that_cannot_be_provisioned_is_refused_soon_and_not_kept(
    throwaway_home: LocalCluster,
) -> None:
    cluster = throwaway_home.start("--spu", "0")
    begun = time.monotonic()
    refused = cluster.run("topic", "create", "lonely", check=False)
    assert time.monotonic() - begun < 20  # officially 60 s
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(
        "topic `lonely` cannot be provisioned and was not kept: insufficient-resources"
    )
    assert cluster.run("topic", "list").stdout == "No topics found\n"
