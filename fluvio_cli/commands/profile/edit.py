"""`fluvio profile edit`.

The editor gets a copy beside the profile file (mode 0600: keys may stand in it). What it leaves is checked
and then takes the file's place byte for byte, comments included, under the lock of `store`. The lock is not
held while somebody types: a file that another program changed meanwhile is left alone, and the copy is kept.
The copy is removed only when its text is in the file, or when nothing was written into it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_types.errors import FluvioError

_EMPTY = b"""version = "2.0"
# current_profile = "NAME"

[profile]
# [profile.NAME]
# cluster = "NAME"

[cluster]
# [cluster.NAME]
# endpoint = "host:9003"
"""


class EditorError(FluvioError):
    """The editor could not be started, or ended with a failure."""

    def __init__(self, editor: str, reason: str) -> None:
        super().__init__(f"the editor `{editor}` {reason}; the profile file is as it was")
        self.hint = "VISUAL or EDITOR in the environment names the editor"


class EditNotSavedError(FluvioError):
    """What was written in the editor did not become the profile file; the copy is kept."""

    def __init__(self, reason: str, copy: Path) -> None:
        super().__init__(f"{reason}\nthe profile file is as it was, your text is in `{copy}`")
        self.copy = copy


@rules(examples=(("Use another editor", "EDITOR=nano fluvio profile edit"),))
def command(ctx: typer.Context) -> None:
    """Change the profile file in an editor.

    The editor is that of VISUAL or EDITOR, else vi. What you save is checked before it replaces the file; if
    it has an error you can go on editing, and nothing you wrote is lost.
    """
    cli: CliContext = ctx.obj
    real = Path(os.path.realpath(cli.profile_path))
    before = real.read_bytes() if real.exists() else None
    start = _EMPTY if before is None else before
    copy = _write_copy(real, start)
    try:
        text = _edited(cli, copy, before)
    except BaseException:
        _remove_if(copy, start)
        raise
    if text != start:
        _save(cli, before, text, copy)
    copy.unlink(missing_ok=True)
    outcome = "nothing was changed" if text == start else f"saved to {cli.profile_path}"
    cli.printer.message(outcome)


def _write_copy(real: Path, content: bytes) -> Path:
    import tempfile

    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(".toml", f"{real.name}.edit.", real.parent)  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _remove_if(copy: Path, untouched: bytes) -> None:
    """Remove the copy when it holds nothing of the user's."""
    try:
        if copy.read_bytes() == untouched:
            copy.unlink()
    except OSError:
        pass


def _edited(cli: CliContext, copy: Path, before: bytes | None) -> bytes:
    """Run the editor until the text is in order; raises `EditorError`, `EditNotSavedError`."""
    start = copy.read_bytes()
    while True:
        _run_editor(cli, copy)
        try:
            text = copy.read_bytes()
        except FileNotFoundError:  # removed in the editor: a way to say no
            return start
        found = [] if text == start else _problems(cli, before, text)
        if not found:
            return text
        reason = "\n".join(found)
        if not (cli.stdin.isatty() and cli.printer.stderr_is_terminal):
            raise EditNotSavedError(reason, copy)
        cli.printer.error(reason)
        cli.printer.stderr.write("edit again? [Y/n] ")
        cli.printer.stderr.flush()
        answer = cli.stdin.readline()
        if not answer or answer.strip().lower().startswith("n"):
            raise EditNotSavedError("not saved", copy)


def _problems(cli: CliContext, before: bytes | None, text: bytes) -> list[str]:
    """Why `text` cannot be the profile file; what was wrong before may stay so."""
    from fluvio_profiles.consistency import problems
    from fluvio_profiles.errors import ConfigBrokenError
    from fluvio_profiles.store import parse_config

    try:
        found = problems(parse_config(text, cli.profile_path))
    except ConfigBrokenError as exc:
        where = "" if exc.line is None else f" at line {exc.line}, column {exc.column}"
        return [f"the text is no profile file{where}: {exc.reason}"]
    try:
        known = [] if before is None else problems(parse_config(before, cli.profile_path))
    except ConfigBrokenError:
        known = []
    return [problem for problem in found if problem not in known]


def _run_editor(cli: CliContext, copy: Path) -> None:
    import shlex
    import subprocess

    editor = cli.environment.get("VISUAL") or cli.environment.get("EDITOR") or "vi"
    cli.printer.flush()
    try:
        with _interrupts_left_to_the_editor():
            code = subprocess.run([*shlex.split(editor), str(copy)], check=False).returncode
    except (OSError, ValueError) as exc:
        raise EditorError(editor, f"could not be started: {getattr(exc, 'strerror', None) or exc}") from exc
    if code:
        kept = f", with your text in `{copy}`" if copy.exists() else ""
        raise EditorError(editor, f"ended with code {code}{kept}")


@contextmanager
def _interrupts_left_to_the_editor() -> Iterator[None]:
    """Ctrl-C is a key of the editor's; a handler, unlike ignoring it, is not passed on to it."""
    import signal

    old = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)


def _save(cli: CliContext, before: bytes | None, text: bytes, copy: Path) -> None:
    from fluvio_profiles.errors import ProfileError
    from fluvio_profiles.store import replace_config

    try:
        replace_config(cli.profile_path, before, text)
    except ProfileError as exc:
        raise EditNotSavedError(str(exc), copy) from exc
