"""Real clusters for these tests: see tests/support/local_cluster.py."""

from tests.support.local_cluster import fresh_cluster, local_cluster, throwaway_home

__all__ = ["fresh_cluster", "local_cluster", "throwaway_home"]
