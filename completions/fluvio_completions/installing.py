"""Puts completion scripts where shells look for them, and takes them away again.

bash (with bash-completion) and fish load a file by the command's name. zsh finds a file `_fluvio` in a
directory of `fpath`, PowerShell and a bash without bash-completion load what their start-up file names: a
block between two marker lines is added there once, and replaced or removed as a whole.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fluvio_completions.scripts import script

_BEGIN, _END = "# >>> fluvio completions >>>", "# <<< fluvio completions <<<"


class Place(NamedTuple):
    """Where a shell's script goes; `start_up` with `block` when the shell must be told to load it."""

    script: Path
    start_up: Path | None = None
    block: str = ""


def place_of(shell: str, environment: Mapping[str, str], home: Path) -> Place:
    """Where things go for `shell`; XDG variables count."""
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    if shell == "fish":
        return Place(config / "fish" / "completions" / "fluvio.fish")
    if shell == "bash":
        path = data / "bash-completion" / "completions" / "fluvio"
        return Place(path, home / ".bashrc", f'[ -r "{path}" ] && . "{path}"')
    if shell == "zsh":
        path = data / "zsh" / "site-functions" / "_fluvio"
        start_up = Path(environment.get("ZDOTDIR") or home) / ".zshrc"
        lines = (
            f'fpath=("{path.parent}" $fpath)',
            "autoload -Uz compinit && compinit -u",
        )
        return Place(path, start_up, "\n".join(lines))
    path = data / "fluvio" / "completions.ps1"
    return Place(path, config / "powershell" / "profile.ps1", f'. "{path}"')


def install(shell: str, environment: Mapping[str, str], home: Path) -> list[Path]:
    """Write the script, and the block if there is one; returns the files that changed. Raises `OSError`."""
    place = place_of(shell, environment, home)
    changed = [place.script] if _write(place.script, script(shell)) else []
    if place.start_up is not None and _write(place.start_up, _with_block(_text(place.start_up), place.block)):
        changed.append(place.start_up)
    return changed


def uninstall(shell: str, environment: Mapping[str, str], home: Path) -> list[Path]:
    """Undo `install`; returns the files that changed or are gone. Raises `OSError`."""
    place = place_of(shell, environment, home)
    changed = []
    if place.script.exists():
        place.script.unlink()
        changed.append(place.script)
    if place.start_up is not None and place.start_up.exists():
        text = _text(place.start_up)
        if _write(place.start_up, _without_block(text)):
            changed.append(place.start_up)
    return changed


def shell_of(environment: Mapping[str, str]) -> str | None:
    """The user's shell, by `SHELL`; None when it is none of ours."""
    name = Path(environment.get("SHELL", "")).name
    return {"bash": "bash", "zsh": "zsh", "fish": "fish", "pwsh": "powershell"}.get(name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _with_block(text: str, block: str) -> str:
    kept = _without_block(text)
    gap = "" if not kept or kept.endswith("\n") else "\n"
    return f"{kept}{gap}{_BEGIN}\n{block}\n{_END}\n"


def _without_block(text: str) -> str:
    before, begin, rest = text.partition(f"{_BEGIN}\n")
    _, end, after = rest.partition(f"{_END}\n")
    return before + after if begin and end else text


def _write(path: Path, text: str) -> bool:
    """Replace a file in one step, keeping its mode; whether anything changed. A symbolic link stays one."""
    real = Path(os.path.realpath(path))
    if real.exists() and _text(real) == text:
        return False
    real.parent.mkdir(parents=True, exist_ok=True)
    temporary = real.with_name(f".{real.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        if real.exists():
            temporary.chmod(real.stat().st_mode & 0o7777)
        os.replace(temporary, real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True
