"""`fluvio __complete SHELL WORDS...`: what a shell's script calls at each key press.

Prints a line with what the shell offers (`words`, `file`, `directory`), then one line for each candidate.
For bash the words are two, the line and the cursor's place in it, as bash splits lines at `=` and `:`.
Nothing is ever printed to standard error, and the exit code is 0: a prompt is no place for messages.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fluvio_completions import engine
from fluvio_completions.engine import Answer, Candidate
from fluvio_completions.names import NameCache, cache_directory

_DEFAULT_BREAKS = " \t\n\"'><=;|&(:"


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Answer one key press; `arguments` are the shell's name and its words."""
    try:
        text = answer_text(arguments, environment, Path(os.path.expanduser("~")))
    except Exception:  # whatever is wrong, a key press must not print a traceback into the prompt
        if environment.get("FLUVIO_TRACEBACK"):
            raise
        return 0
    sys.stdout.write(text)
    return 0


def answer_text(arguments: Sequence[str], environment: Mapping[str, str], home: Path) -> str:
    """What `main` prints."""
    from fluvio_completions.tree import TREE

    shell, *words = arguments
    typed = ""
    if shell == "bash":
        line, point = words
        words, typed = split_line(line[: int(point)])
    source = _Names(engine.root_options(TREE, words), environment, home)
    answer = engine.complete(TREE, words, source)
    if shell == "bash":
        answer = _for_bash(answer, words[-1], typed, environment.get("COMP_WORDBREAKS") or _DEFAULT_BREAKS)
    return "\n".join([answer.paths or "words", *(_line(shell, each) for each in answer.candidates), ""])


def split_line(line: str) -> tuple[list[str], str]:
    """The words after the first, without quotes, the last one unfinished; and the last one as it was typed.

    After `|`, `;` or `&` another command begins, and so does counting.
    """
    words: list[str] = []
    word, raw, quote, is_open = "", "", "", False
    position = 0
    while position < len(line):
        character = line[position]
        position += 1
        raw += character
        if quote:
            if character == quote:
                quote = ""
            elif (
                character == "\\" and quote == '"' and line[position : position + 1] in ('"', "\\", "$", "`")
            ):
                word, raw, position = word + line[position], raw + line[position], position + 1
            else:
                word += character
        elif character in "\"'":
            quote, is_open = character, True
        elif character == "\\" and position < len(line):
            word, raw, position, is_open = word + line[position], raw + line[position], position + 1, True
        elif character in " \t":
            if is_open:
                words.append(word)
            word, raw, is_open = "", "", False
        elif character in "|;&":
            words, word, raw, is_open = [], "", "", False
        else:
            word, is_open = word + character, True
    return [*words[1:], word], raw


class _Names:
    """Names by kind, from the profile file and the cache of the cluster that the line means."""

    def __init__(self, options: Mapping[str, str], environment: Mapping[str, str], home: Path) -> None:
        self._options, self._environment, self._home = options, environment, home

    def __call__(self, kind: str) -> Sequence[str]:
        if kind in ("profile", "cluster"):
            from fluvio_profiles.store import load_config, profile_path

            config = load_config(profile_path(self._environment, self._home))
            return sorted(config.profiles if kind == "profile" else config.clusters)
        endpoint = self._endpoint()
        if endpoint is None:
            return ()
        cache = NameCache(cache_directory(self._environment, self._home), endpoint)
        found = cache.read(kind)
        if cache.take_turn():
            self._renew()
        return found

    def _endpoint(self) -> str | None:
        named = self._options.get("--cluster")
        if named is not None:
            return named
        from fluvio_profiles.resolve import TargetOptions, resolve_target
        from fluvio_profiles.store import load_config, profile_path

        options = TargetOptions(profile=self._options.get("--profile"))
        path = profile_path(self._environment, self._home)
        return resolve_target(options, lambda: load_config(path), self._choice).endpoint

    def _choice(self) -> tuple[str, str] | None:
        from fluvio_profiles.choice import chosen_nearby

        return chosen_nearby(self._environment, os.getcwd(), str(self._home))

    def _renew(self) -> None:
        """Start the command that asks the cluster; it belongs to nobody and ends by itself."""
        import subprocess

        chosen = [f"{flag}={value}" for flag, value in self._options.items()]
        subprocess.Popen(
            [sys.executable, "-P", "-m", "fluvio_cli", *chosen, "__refresh"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**self._environment, "FLUVIO_TIMEOUT": "5s"},
            start_new_session=True,
        )


def _for_bash(answer: Answer, word: str, typed: str, breaks: str) -> Answer:
    """Candidates as bash puts them in: its word begins after the last break, and is quoted."""
    quote = typed[:1] if typed[:1] in ("'", '"') else ""
    cut = 0 if quote else max((typed.rfind(each) + 1 for each in breaks if each in "=:"), default=0)
    if cut:
        cut = max((word.rfind(each) + 1 for each in breaks if each in "=:"), default=0)
    candidates = []
    for value, text in answer.candidates:
        rest = value[cut:]
        candidates.append(Candidate(rest if quote else _escaped(rest), text))
    return Answer(tuple(candidates), answer.paths)


def _escaped(value: str) -> str:
    return "".join(
        character if character.isalnum() or character in "-_./:=@%+," else f"\\{character}"
        for character in value
    )


def _line(shell: str, candidate: Candidate) -> str:
    value = candidate.value.replace("\n", " ")
    if shell == "bash" or not candidate.help:
        return value.replace(":", "\\:") if shell == "zsh" else value
    help_line = candidate.help.partition("\n")[0]
    if shell == "zsh":  # `_describe` splits at the first bare colon
        return value.replace(":", "\\:") + ":" + help_line
    return f"{value}\t{help_line}"
