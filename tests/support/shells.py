"""Real shells, and tools that documents use in them, for tests; installed where they are missing."""

import os
import shutil
import subprocess

import pytest

SHELLS = ("bash", "zsh", "fish")
TOOLS = ("jq", "curl", "openssl")
_PACKAGES = {"go": "golang-go", "javac": "default-jdk-headless"}  # of Debian, where its name is another one


def installed(shell: str) -> str:
    """The path of a shell or tool; installed first where that is possible.

    For a test that is left out shows nothing.
    """
    path = shutil.which(shell)
    package = _PACKAGES.get(shell, shell)
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
            subprocess.run(
                ["apt-get", *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        path = shutil.which(shell)
    if path is None and not os.environ.get("CI"):
        pytest.skip(f"no {shell} here, and it cannot be installed; CI has it")
    assert path is not None, f"{shell} is needed for this test"
    return path
