"""Runs the snippets of one document in a throw-away home, from its first to its last.

The marks are those of `tests.support.documents`. Each block has a shell of its own that stops at the first
failure; what all blocks of a document share is the home, which is the working directory, too.
"""

import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pexpect
import yaml

from tests.support.documented_home import DocumentedHome, DocumentedPorts
from tests.support.documents import Snippet
from tests.support.shells import TOOLS, installed
from tests.support.toolchains import toolchain
from tests.support.volatile import settled

PATIENCE_S = 60.0  # for one block
_TERMINAL = (40, 120)  # rows, columns
_STRICT = {
    "bash": ["--norc", "-e", "-u", "-o", "pipefail", "-c"],
    "zsh": ["-f", "-e", "-u", "-o", "pipefail", "-c"],
    "fish": ["--no-config", "-c"],
}
_TELL_WHERE = {"bash": "trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n"}


class SnippetError(AssertionError):
    """A snippet does not do what its document says; the text names the place and has what was printed."""


class DocumentRun:
    """`with DocumentRun(snippets) as document`: the home in which they run, one after the other."""

    def __init__(self, snippets: Sequence[Snippet], *, default_ports: bool = False) -> None:
        """With `default_ports` clusters take those when they are free."""
        text = "\n".join(snippet.scripts for snippet in snippets)
        for tool in TOOLS:
            if re.search(rf"(?:^|[|;&(] *){tool} ", text, re.M):
                installed(tool)
        self.ports = DocumentedPorts(text, default_ports=default_ports)
        needed = {snippet.marks["needs"] for snippet in snippets if "needs" in snippet.marks}
        toolchains = {name: toolchain(name) for name in sorted(needed)}  # may skip: before there is a home
        self.home = DocumentedHome("fluvio-documents-", self.ports)
        self._environments = {
            name: self.home.environment | found.settle(self.home.path, self.home.environment["PATH"])
            for name, found in toolchains.items()
        }
        for snippet in snippets:
            if name := snippet.marks.get("file"):
                path = self._file(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.ports.to_run(snippet.text), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        left = self.home.remove()
        if left and kind is None:
            raise SnippetError(f"left running: {left}")

    def _file(self, name: str) -> Path:
        path = (self.home.path / name).resolve()
        if not path.is_relative_to(self.home.path):
            raise SnippetError(f"{name} is not in the working directory")
        return path

    def run(self, snippet: Snippet) -> str:
        """Run or check one snippet; returns what it printed on standard output, as documents would show it.

        Raises `SnippetError`.
        """
        marks = snippet.marks
        if "not run" in marks:
            return ""
        if snippet.language in ("json", "toml", "yaml"):
            _parse(snippet)
        if "first" in marks and not snippet.is_shell:
            self._shell(snippet, "bash", marks["first"])
        if script := marks.get("output of"):
            printed = self._shell(snippet, "bash", script)
            _compare(snippet, printed)
            return printed
        if script := marks.get("input of"):
            return self._shell(snippet, "bash", script, stdin=self.ports.to_run(snippet.text))
        if snippet.language == "python" and "file" not in marks:
            return self._printed(
                snippet, [sys.executable, "-W", "error", "-c", self.ports.to_run(snippet.text)]
            )
        if not snippet.is_shell:
            return ""
        if "until" in marks:
            return self._endless(snippet)
        parts = (marks.get("first", ""), snippet.text, marks.get("then", ""))
        return self._shell(snippet, snippet.language, "\n".join(parts))

    def _shell(self, snippet: Snippet, shell: str, script: str, stdin: str = "") -> str:
        return self._printed(snippet, self._command(shell, script), stdin)

    def _command(self, shell: str, script: str) -> list[str]:
        return [installed(shell), *_STRICT[shell], _TELL_WHERE.get(shell, "") + self.ports.to_run(script)]

    def _printed(self, snippet: Snippet, command: list[str], stdin: str = "") -> str:
        try:
            done = subprocess.run(
                command,
                input=stdin,
                env=self._environments.get(snippet.marks.get("needs", ""), self.home.environment),
                cwd=self.home.path,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise SnippetError(f"{snippet.place}: did not end in {PATIENCE_S:g} s\n{exc.stdout!r}") from exc
        if str(done.returncode) != snippet.marks.get("exit code", "0"):
            raise SnippetError(
                f"{snippet.place}: exit code {done.returncode}\n"
                f"--- run\n{snippet.text}--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
            )
        return settled(self.ports.to_show(done.stdout), self.home.path)

    def _endless(self, snippet: Snippet) -> str:
        """Run, at a terminal, what would go on for ever until its mark says that it works; press Ctrl-C.

        What is to be done first has ended before: until then the mark may tell of something else.
        """
        if first := snippet.marks.get("first"):
            self._shell(snippet, snippet.language, first)
        program, *arguments = self._command(snippet.language, snippet.text)
        output = self._file(".output")
        environment = {**self.home.environment, "OUTPUT": str(output)}
        condition = self._command("bash", snippet.marks["until"])
        child = pexpect.spawn(
            program,
            arguments,
            env=environment,
            cwd=str(self.home.path),
            dimensions=_TERMINAL,
            timeout=PATIENCE_S,
        )
        try:
            works, deadline = False, time.monotonic() + PATIENCE_S
            goes_on = _drain(child, output)
            while not works and goes_on and time.monotonic() < deadline:
                works = self._holds(condition, environment)
                goes_on = _drain(child, output)
            if goes_on:
                child.sendintr()
                child.expect(pexpect.EOF)
                with output.open("ab") as file:
                    file.write(child.before)
        except pexpect.TIMEOUT as exc:
            raise SnippetError(f"{snippet.place}: did not end at Ctrl-C\n--- run\n{snippet.text}") from exc
        finally:
            child.close(force=True)
        printed = output.read_text(encoding="utf-8", errors="replace")
        interrupted = child.exitstatus in (0, 128 + signal.SIGINT) or child.signalstatus == signal.SIGINT
        if not works or not goes_on or not interrupted:
            said = f"works: {works}, goes on: {goes_on}, exit code {child.exitstatus}"
            raise SnippetError(f"{snippet.place}: {said}\n--- run\n{snippet.text}--- printed\n{printed}")
        return settled(self.ports.to_show(printed), self.home.path)

    def _holds(self, condition: list[str], environment: dict[str, str]) -> bool:
        done = subprocess.run(
            condition,
            env=environment,
            cwd=self.home.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode == 0


def _drain(child: "pexpect.spawn[bytes]", output: Path) -> bool:
    """Append what has been printed so far to `output`; returns whether more may come."""
    with output.open("ab") as file:
        try:
            while True:
                file.write(child.read_nonblocking(65_536, timeout=0))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False


def _parse(snippet: Snippet) -> None:
    """Raises `SnippetError` when it is no document of its language."""
    try:
        if snippet.language == "json":
            json.loads(snippet.text)
        elif snippet.language == "toml":
            tomllib.loads(snippet.text)
        elif yaml.compose(snippet.text) is None:  # the structure alone: tags are for their readers
            raise SnippetError(f"{snippet.place}: empty")
    except (ValueError, yaml.YAMLError) as exc:
        raise SnippetError(f"{snippet.place}: {exc}") from exc


def _compare(snippet: Snippet, printed: str) -> None:
    if snippet.language == "json":
        same = json.loads(snippet.text) == json.loads(printed)
    else:
        same = [line.rstrip() for line in snippet.text.splitlines()] == [
            line.rstrip() for line in printed.splitlines()
        ]
    if not same:
        raise SnippetError(f"{snippet.place}: not what is printed today\n--- printed\n{printed}")
