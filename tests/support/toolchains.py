"""Compilers and interpreters of other languages, for the programs that documents show.

What they need of registries is that of the official clients' tests; nothing is downloaded for a document.
`python -m tests.support.toolchains` makes ready what takes long: `make test` begins with it, beside its first
tests.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import official_node, official_rust
from tests.support.documents import documents, snippets_of
from tests.support.installers import MissingError, cache, required, run_installer
from tests.support.shells import installed


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One that is there.

    `links` are what a user has in the working directory, `copies` what the toolchain changes there.
    """

    program: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Path, ...] = ()
    copies: tuple[Path, ...] = ()

    def settle(self, home: Path, path: str) -> dict[str, str]:
        """Make it usable in a home whose PATH is `path`; returns the variables that commands need."""
        for source in self.links:
            (home / source.name).symlink_to(source)
        for source in self.copies:
            shutil.copy(source, home)
        return {**self.variables, "PATH": f"{path}{os.pathsep}{self.program.parent}"}


def toolchain(name: str) -> Toolchain:
    """That of this name. Where it cannot be had the test fails in CI, and is skipped elsewhere."""
    return {"rust": _rust, "node": _node, "go": _go, "java": _java}[name]()


def _rust() -> Toolchain:
    """With the crate `fluvio` built, and the versions that it is built of."""
    required(official_rust.install)
    return Toolchain(
        Path(required(official_rust.find_cargo)),
        {**official_rust.build_settings(), "CARGO_NET_OFFLINE": "true"},
        copies=(official_rust.SOURCES / "Cargo.lock",),
    )


def _node() -> Toolchain:
    if not official_node.has_build():
        pytest.skip("@fluvio/client has no build for this machine")
    node = required(official_node.install)
    return Toolchain(Path(node.node), links=(official_node.INSTALLED / "node_modules",))


def _go() -> Toolchain:
    """Its cache has the standard library, which it compiles on first use."""
    return Toolchain(Path(installed("go")), _go_settings())


def _go_settings() -> dict[str, str]:
    return {"GOCACHE": str(cache() / "go"), "GOTOOLCHAIN": "local"}


def _java() -> Toolchain:
    return Toolchain(Path(installed("javac")))


def _make_ready() -> None:
    """The Rust client, and what Go compiles for the tests in documents. What fails is printed.

    Tests that need it try again themselves, and say so again.
    """
    begin = time.monotonic()
    for name, make in {"the official Rust client": official_rust.install, "go": _compile_go}.items():
        try:
            make()
        except MissingError as exc:
            print(exc, flush=True)
        else:
            print(f"{name}: ready after {time.monotonic() - begin:.1f} s", flush=True)


def _compile_go() -> None:
    """Raises `MissingError`."""
    go = shutil.which("go")
    if go is None:
        raise MissingError("no go here")
    for document in documents():
        for snippet in snippets_of(document.read_text(encoding="utf-8"), document.name):
            if snippet.language == "go" and "file" in snippet.marks:
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder, snippet.marks["file"])
                    file.write_text(snippet.text, encoding="utf-8")
                    command = [go, "test", "-run", "^$", file.name]
                    run_installer(command, "go", Path(folder), environment={**os.environ, **_go_settings()})


if __name__ == "__main__":
    _make_ready()
