"""What can be seen of a controller's metadata from outside: are they there, and is some of them lost.

Layout: docs/metadata-format.md.
"""

from pathlib import Path

from fluvio_local_cluster.lifecycle.settings import METADATA_DIR

CLUSTER_ID_FILE = ".cluster-id"
_SET_ASIDE = ("Topic/.quarantine", "Partition/.quarantine")
_HEALED_SUFFIX = ".healed"


def has_metadata(data_dir: Path) -> bool:
    """Whether a controller, ours or the official one, has kept metadata in the cluster's data directory."""
    return (data_dir / METADATA_DIR / CLUSTER_ID_FILE).is_file() or is_official(data_dir)


def is_official(data_dir: Path) -> bool:
    """Whether the metadata there are the official controller's, and ours was never there."""
    metadata = data_dir / METADATA_DIR
    if (metadata / CLUSTER_ID_FILE).is_file():
        return False
    return next(metadata.glob("SPU/*.yaml"), None) is not None


def lost_files(data_dir: Path) -> list[Path]:
    """Damaged files of topics and partitions that the controller set aside and could not make again."""
    found: list[Path] = []
    for name in _SET_ASIDE:
        found += (data_dir / METADATA_DIR / name).glob("*.yaml.*")
    return sorted(path for path in found if path.suffix != _HEALED_SUFFIX)
