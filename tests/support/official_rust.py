"""The official Rust client (the crate `fluvio` of crates.io), built once for all clones of this user.

tests/interop/rust has the program and, pinned with checksums, what it is built of. Sources and results are
below `tests.support.installers.cache()`, so a fresh clone builds nothing. Who needs the client while another
process builds it waits for that.
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.installers import (
    ROOT,
    MissingError,
    cache,
    only_one,
    real_home,
    run_installer,
)

SOURCES = ROOT / "tests" / "interop" / "rust"
_FILES = ("Cargo.toml", "Cargo.lock", "src/main.rs")
_BINARY = ROOT / ".make" / "rust" / "official-client"
_BUILD_S = 600.0
_ENDPOINT_OF_PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class RustClient:
    """A client that is built."""

    program: Path

    def command(self, endpoint: str, task: str, **parameters: Any) -> list[str]:
        """What runs a task of tests/interop/rust; it prints the result as JSON.

        Without an endpoint ("") the client finds the cluster itself, as its users' programs do.
        """
        return [str(self.program), endpoint or _ENDPOINT_OF_PROFILE, task, json.dumps(parameters)]

    def run(self, endpoint: str, task: str, timeout_s: float = 30.0, **parameters: Any) -> Any:
        """Run a task and return its result; fails if the client does."""
        command = self.command(endpoint, task, **parameters)
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s)
        except subprocess.TimeoutExpired as exc:
            said = (exc.stderr or b"").decode(errors="replace")
            raise AssertionError(f"the client has not ended within {timeout_s} s: {said}") from None
        assert done.returncode == 0, f"the client failed: {done.stderr.decode(errors='replace')}"
        return json.loads(done.stdout)


def install() -> RustClient:
    """Build it, or wait until who builds it now is ready. Raises `MissingError`."""
    cargo = find_cargo()
    folder = _folder()
    with only_one(folder) as lock:
        _refuse_old_compiler(cargo)
        _copy_sources(folder / "source")
        _drop_old_results(folder, cargo)
        run_installer(
            [cargo, "build", "--locked", "--quiet"],
            "the crate fluvio",
            folder / "source",
            environment={**os.environ, **build_settings()},
            inherits=(lock,),
            timeout_s=_BUILD_S,
        )
        _BINARY.parent.mkdir(parents=True, exist_ok=True)
        new = _BINARY.with_suffix(f".{os.getpid()}")
        shutil.copy2(folder / "target" / "debug" / _BINARY.name, new)
        new.replace(_BINARY)  # at once: another test may be running the old one
    return RustClient(_BINARY)


def build_settings() -> dict[str, str]:
    """Variables with which cargo uses what is built already, in any home."""
    homes = {"CARGO_HOME": ".cargo", "RUSTUP_HOME": ".rustup"}
    return {
        **{name: os.environ.get(name, str(real_home() / folder)) for name, folder in homes.items()},
        "CARGO_TARGET_DIR": str(_folder() / "target"),
        "CARGO_PROFILE_DEV_DEBUG": "false",
        "CARGO_INCREMENTAL": "0",
        "CARGO_TERM_COLOR": "never",
    }


def find_cargo() -> str:
    """Its path. Raises `MissingError`."""
    usual = real_home() / ".cargo" / "bin"  # where rustup puts it
    found = shutil.which("cargo", path=f"{os.environ.get('PATH', '')}{os.pathsep}{usual}")
    if found is None:
        raise MissingError("no cargo here, which builds the official Rust client")
    return found


def _folder() -> Path:
    return cache() / "rust"


def _compiler(cargo: str) -> str:
    """What the compiler says of itself."""
    rustc = shutil.which("rustc", path=f"{Path(cargo).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if rustc is None:
        raise MissingError(f"no rustc beside {cargo}")
    return run_installer([rustc, "-vV"], "rustc", _folder(), environment={**os.environ, **build_settings()})


def _refuse_old_compiler(cargo: str) -> None:
    """Before hundreds of crates say it one by one."""
    wanted = tomllib.loads((SOURCES / "Cargo.toml").read_text())["package"]["rust-version"]
    found = re.search(r"^release: (\d+)\.(\d+)", said := _compiler(cargo), re.M)
    if found is None or (int(found[1]), int(found[2])) < tuple(map(int, wanted.split("."))):
        raise MissingError(f"the official Rust client needs rustc {wanted}: {said.splitlines()[0]} is here")


def _copy_sources(folder: Path) -> None:
    """Into the folder of all clones; what is the same stays untouched, so it is not built anew."""
    for name in _FILES:
        source, copy = SOURCES / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copyfile(source, copy)


def _drop_old_results(folder: Path, cargo: str) -> None:
    """Remove what another compiler, or other crates, have left: it would stay for ever."""
    wanted = _compiler(cargo) + "".join((SOURCES / name).read_text() for name in ("Cargo.toml", "Cargo.lock"))
    mark = folder / "built-of"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder / "target", ignore_errors=True)
        mark.write_text(wanted)
