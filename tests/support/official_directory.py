"""A local cluster as the official engine leaves it, put together from what was captured of it.

The captured metadata and the captured replicas are of two runs: no captured topic has the name of the
captured replica `seg-0`. Its objects are made here from captured ones, word for word but for name, leader,
sizes and retention; everything else is as captured, except for the ports at which the SPUs listen.
"""

import os
import shutil
from pathlib import Path

from tests.support.ports import free_ports

DATA = Path(__file__).parent.parent / "data"
_ACTIVE_INDEX_BYTES = 10_485_760  # of the official engine; the captured file is cut to what is used
_HUNDRED_YEARS_S = 3_155_760_000


def official_records() -> list[tuple[str | None, str]]:
    """Key and value of each record of `seg`, as they were produced when it was captured."""
    plain = [(None, f"rec-{number:03d}-{'x' * 20}") for number in range(60)]
    packed = [
        (None, f"{codec}-{number:03d}-{'y' * 30}")
        for codec in ("gzip", "snappy", "lz4", "zstd")
        for number in range(10)
    ]
    return [*plain, *packed, ("k1", "v1"), ("k2", "v2")]


def make_official_cluster(fluvio_dir: Path) -> Path:
    """Write `data/` and `local-config` below `~/.fluvio`; returns the data directory. Ports are free ones."""
    data_dir = fluvio_dir / "data"
    metadata = data_dir / "metadata"
    shutil.copytree(
        DATA / "engine-metadata", metadata, ignore=shutil.ignore_patterns("README.md", "remote-side")
    )
    shutil.copytree(DATA / "engine-replica" / "spu-logs-5001", data_dir / "spu-logs-5001")
    for replica in (data_dir / "spu-logs-5001").iterdir():
        os.truncate(max(replica.glob("*.index")), _ACTIVE_INDEX_BYTES)
    _add_seg(metadata)
    sc_public, sc_private, *spu_ports = free_ports(6)
    for number, (old, public, private) in enumerate(((9010, *spu_ports[:2]), (9020, *spu_ports[2:]))):
        path = metadata / "SPU" / f"custom-spu-{5001 + number}.yaml"
        _edit(path, (f"port: {old}\n", f"port: {public}\n"), (f"port: {old + 1}\n", f"port: {private}\n"))
    (fluvio_dir / "local-config").write_text(
        'platform_version = "0.18.2-dev"\n'
        f'log_dir = "{fluvio_dir / "log"}"\n'
        f'data_dir = "{data_dir}"\n'
        'rust_log = "info"\n'
        "spu_replicas = 2\n"
        f'sc_pub_addr = "127.0.0.1:{sc_public}"\n'
        f'sc_priv_addr = "0.0.0.0:{sc_private}"\n'
        "skip_checks = false\nhide_spinner = false\n"
        'installation_type = "local"\n'
        "save_profile = true\n"
        '\n[server_tls_policy]\ntls_policy = "disabled"\n'
        '\n[client_tls_policy]\ntls_policy = "disabled"\n'
    )
    return data_dir


def _add_seg(metadata: Path) -> None:
    """`seg`: `plain`, on the other SPU, with the storage settings of its replica."""
    policy = f"cleanupPolicy: !segment\n    timeInSeconds: {_HUNDRED_YEARS_S}\n"
    storage = "storage:\n    segmentSize: 1024\n    maxPartitionSize: 1048576\n"
    topic = shutil.copy(metadata / "Topic" / "plain.yaml", metadata / "Topic" / "seg.yaml")
    _edit(
        Path(topic),
        ("plain", "seg"),
        ("- 5002", "- 5001"),
        ("  compressionType", f"  {policy}  {storage}  compressionType"),
    )
    partition = shutil.copy(metadata / "Partition" / "plain-0.yaml", metadata / "Partition" / "seg-0.yaml")
    _edit(
        Path(partition),
        ("plain", "seg"),
        ("5002", "5001"),
        ("cleanupPolicy: null\n", policy),
        ("storage: null\n", storage),
    )


def _edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text, (path, old)
        text = text.replace(old, new)
    path.write_text(text)
