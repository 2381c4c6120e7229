"""Real clusters for these tests: see tests/support/local_cluster.py."""

from pathlib import Path

import pytest

from tests.support.containers import with_containers
from tests.support.local_cluster import LocalCluster, fresh_cluster, local_cluster, throwaway_home

__all__ = ["fresh_cluster", "local_cluster", "throwaway_home", "with_containers"]


@pytest.fixture
def place(throwaway_home: LocalCluster) -> Path:
    """Where ephemeral clusters of a test are made."""
    directory = throwaway_home.home / "tmp"
    directory.mkdir()
    return directory
