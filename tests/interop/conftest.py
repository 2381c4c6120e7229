"""A cluster that the tests of official clients share."""

from collections.abc import Iterator

import pytest

from tests.support.raw_cluster import RawCluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawCluster]:
    """A controller and two SPUs; tests use topics of their own."""
    with RawCluster(tmp_path_factory.mktemp("cluster"), spu_count=2) as cluster:
        yield cluster
