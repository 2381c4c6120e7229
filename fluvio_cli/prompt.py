"""`fluvio profile prompt`: the chosen profile as a coloured fragment for a shell's prompt.

It runs before every line that somebody types, so it is the fastest command: no Typer, no context, no
`tomllib` as a rule (see `glance`), and `__main__` calls it before anything else is loaded. Whatever goes
wrong, it prints nothing and ends well: the commands themselves say what is wrong.

The text lands in a place that shells expand. So characters of names that a shell may act on, or that move the
cursor, are printed as `?`, and colours are marked as having no width: bash wants them in `\\[ \\]`, zsh in
`%{ %}`. Colours do not ask for a terminal, since a prompt is read through a pipe; `NO_COLOR` and `TERM=dumb`
count.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_FORMAT = "{profile}"
FIELDS = ("profile", "cluster", "protection")
SHELLS = ("plain", "bash", "zsh")
_COLOURS = {"normal": "32", "read-only": "33", "protected": "1;31"}
_WRAPPED = {"plain": "{}", "bash": "\\[{}\\]", "zsh": "%{{{}%}}"}
_EXPANDED = frozenset("$`\\!;&|<>\"'")  # by one shell or another, when a prompt is put together


def show(arguments: "Sequence[str]") -> bool:
    """Print the fragment of this process's surroundings; False: the arguments need the whole command line."""
    options = _read(arguments)
    if options is None:
        return False
    text = fragment(os.environ, *options)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):  # closed, full, or a coding without the name's letters
        _give_up_output()
    return True


def fragment(environment: "Mapping[str, str]", form: str, shell: str) -> str:
    """The fragment, without line end; empty when no profile is chosen or it cannot be told."""
    from fluvio_profiles.choice import chosen_nearby
    from fluvio_profiles.glance import glance, profile_path

    try:
        choice = chosen_nearby(environment, _directory(), os.path.expanduser("~"))
        found = glance(profile_path(environment), None if choice is None else choice[0])
    except Exception:  # noqa: BLE001 - a prompt that complains at every line helps nobody
        return ""
    if found is None:
        return ""
    return coloured(filled(form, found, shell), found[2], shell, environment)


def filled(form: str, found: tuple[str, str, str], shell: str) -> str:
    """`form` with the names in the place of `{profile}`, `{cluster}`, `{protection}`, in one pass."""
    parts = []
    rest = form
    while rest:
        before, brace, after = rest.partition("{")
        parts.append(before)
        name, end, following = after.partition("}")
        if brace and end and name in FIELDS:
            parts.append(_harmless(found[FIELDS.index(name)], shell))
            rest = following
        else:
            parts.append(brace)
            rest = after
    return "".join(parts)


def coloured(text: str, level: str, shell: str, environment: "Mapping[str, str]") -> str:
    """`text` in the colour of a protection: red, yellow or green."""
    if not text or environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return text
    wrapped = _WRAPPED[shell]
    return wrapped.format(f"\x1b[{_COLOURS[level]}m") + text + wrapped.format("\x1b[0m")


def _harmless(name: str, shell: str) -> str:
    name = "".join("?" if letter in _EXPANDED or not letter.isprintable() else letter for letter in name)
    return name.replace("%", "%%") if shell == "zsh" else name


def _read(arguments: "Sequence[str]") -> tuple[str, str] | None:
    """Format and shell of `--format X` and `--shell X`; None for anything that is not just these."""
    given = {}
    words = list(arguments)
    while words:
        flag, equals, value = words.pop(0).partition("=")
        if flag not in ("--format", "--shell") or flag in given:
            return None
        if not equals:
            if not words or words[0].startswith("-"):
                return None
            value = words.pop(0)
        given[flag] = value
    form, shell = given.get("--format", DEFAULT_FORMAT), given.get("--shell", "plain")
    return (form, shell) if shell in SHELLS else None


def _directory() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _give_up_output() -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    except OSError:
        pass
