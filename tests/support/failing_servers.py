"""Servers that end as they begin, for starts that fail."""

from pathlib import Path

_SITE = """
import os, sys
if {module!r} in sys.orig_argv:
    print({said!r}, file=sys.stderr, flush=True)
    os._exit({code})
"""


def variables_for_failing(
    directory: Path, module: str = "fluvio_local_cluster.spu", said: str = "cannot go on", code: int = 7
) -> dict[str, str]:
    """An environment in which servers of `module` print `said` and end with `code`.

    The file that does it is put into `directory`.
    """
    (directory / "sitecustomize.py").write_text(_SITE.format(module=module, said=said, code=code))
    return {"PYTHONPATH": str(directory)}
