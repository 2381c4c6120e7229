"""Waits for the end of the process that made an ephemeral cluster, and has its traces removed if need be.

Run as a file, with nothing imported: it waits as long as the cluster lives and should cost next to nothing.
Standard input is a pipe whose other end only the maker has. Lines are words for `ephemeral.main`; the line
`done` says that the maker has removed everything itself. When the pipe closes without it, the maker was
killed, and this process becomes the one that removes.
"""

import os
import sys


def main() -> None:
    """Wait; then end, or become `python -m fluvio_local_cluster.lifecycle.ephemeral clear WORDS...`."""
    said = b""
    while chunk := os.read(0, 4096):
        said += chunk
    words = said.decode().splitlines()
    if "done" not in words:
        module = "fluvio_local_cluster.lifecycle.ephemeral"
        os.execv(sys.executable, [sys.executable, "-P", "-m", module, "clear", *sys.argv[1:], *words])


if __name__ == "__main__":
    main()
