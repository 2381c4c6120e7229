"""What a command does to the cluster, said once in its `rules(effect=...)`; `guard` acts on it.

A command without an effect only reads, or changes nothing but files of this user; a test keeps the list.
"""

from typing import NamedTuple


class Effect(NamedTuple):
    """How a command changes the cluster it acts on; names are the function's parameters."""

    destroys: bool = False  # what is gone cannot be had back, or the cluster stops
    # `target`; `local`: that of `data_dir` or `name`, where given, else the target; `snapshot`: that of which
    # `snapshot_name` in `source` is; `cluster_name`, of the profile file; `destination`: that of the profile
    # before the colon of that parameter, else the target
    on: str = "target"
    only_with: tuple[str, ...] = ()  # it has the effect when one of these is given
    not_with: tuple[str, ...] = ()  # it has none when one of these is given
    told_later: bool = False  # what it changes depends on what it finds: it calls `guard.check` itself
    answers: str | None = None  # the flag that answers the command's own question, once `guard` has asked


WRITES = Effect()
DESTROYS = Effect(destroys=True)
