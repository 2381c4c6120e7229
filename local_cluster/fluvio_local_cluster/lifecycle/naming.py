"""Names of clusters on this machine: what they may be, and the directories that follow from one. Pure.

A name is a directory, a profile and a word of command lines, so it has letters, digits, `-`, `_` and `.`
only. `local` is what the cluster that was started without a name is called; no other may bear it.
"""

from pathlib import Path

from fluvio_local_cluster.lifecycle.settings import PROFILE_NAME

MAX_NAME_LENGTH = 40  # the path of an SPU's socket, which is below, has 107 bytes at most
_ENDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_MIDDLE = _ENDS | frozenset("-_.")
RULE = f"use 1 to {MAX_NAME_LENGTH} letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"


def is_name(text: str) -> bool:
    """Whether a cluster, or a snapshot, may be called so."""
    return (
        0 < len(text) <= MAX_NAME_LENGTH
        and _MIDDLE.issuperset(text)
        and text[0] in _ENDS
        and text[-1] in _ENDS
    )


def is_same(one: str, other: str) -> bool:
    """Whether two names would be one directory somewhere: file systems may not tell `A` from `a`."""
    return one.lower() == other.lower()


def is_reserved(name: str) -> bool:
    """Whether `name` is that of the cluster without a name."""
    return is_same(name, PROFILE_NAME)


def root_of(fluvio_dir: Path, name: str) -> Path:
    """The directory that has everything of the cluster `name`, unless its start named others."""
    return fluvio_dir / "clusters" / name


def data_dir_of(fluvio_dir: Path, name: str) -> Path:
    """Where the cluster `name` keeps records and metadata, unless its start named another directory."""
    return fluvio_dir / "data" if is_reserved(name) else root_of(fluvio_dir, name) / "data"


def log_dir_of(fluvio_dir: Path, name: str) -> Path:
    """Where the servers of the cluster `name` print, unless its start named another directory."""
    return root_of(fluvio_dir, name) / "log"
