"""Runs the steps of a composite action of GitHub's as its runner does, as far as ours need it.

Steps with `run` go to bash with the options that the runner gives it; GITHUB_ENV, GITHUB_PATH and
GITHUB_OUTPUT are read after each. Steps with `uses` are noted, not run. Of expressions there are: comparison
of an input with a text, `success()`, `failure()`, `always()`, and names of contexts between `${{` and `}}`.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_COMPARISON = re.compile(r"([\w.-]+)\s*(==|!=)\s*'((?:[^']|'')*)'")
_SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


class UnknownExpressionError(ValueError):
    """An expression that this runner cannot evaluate."""


@dataclass(slots=True)
class Job:
    """A job in a workspace: what its steps leave to those that follow. `temp` is the runner's directory."""

    workspace: Path
    temp: Path
    environment: dict[str, str]
    uploads: list[dict[str, str]] = field(default_factory=list)  # `with` of each step with `uses`
    summary: str = ""

    def run_script(
        self, script: str, more: Mapping[str, str]
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
        """One step: how it ended, and its outputs."""
        folder = Path(tempfile.mkdtemp(prefix="step-", dir=self.temp))
        files = {
            name: folder / name
            for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        for path in files.values():
            path.touch()
        (folder / "script.sh").write_text(script)
        environment = {
            **self.environment,
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_WORKSPACE": str(self.workspace),
            **{name: str(path) for name, path in files.items()},
            **more,
        }
        done = subprocess.run(
            [*_SHELL, str(folder / "script.sh")],
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        self.environment |= _assignments(files["GITHUB_ENV"])
        for directory in files["GITHUB_PATH"].read_text().splitlines():
            self.environment["PATH"] = f"{directory}:{self.environment['PATH']}"
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        return done, _assignments(files["GITHUB_OUTPUT"])

    def use(self, action: Path, **inputs: str) -> "Used":
        """A step with `uses`: all steps of the action in this job. Raises `UnknownExpressionError`."""
        document = yaml.safe_load((action / "action.yml").read_text())
        known = {name: str(each.get("default", "")) for name, each in document["inputs"].items()}
        assert set(inputs) <= set(known)
        values = {f"inputs.{name}": value for name, value in {**known, **inputs}.items()}
        values |= {"github.action_path": str(action), "runner.temp": str(self.temp)}
        used = Used()
        for step in document["runs"]["steps"]:
            if _is_true(step.get("if", "success()"), values, has_failed=used.has_failed):
                self._step(step, values, used)
        used.outputs = {
            name: _filled(output["value"], values) for name, output in document.get("outputs", {}).items()
        }
        return used

    def _step(self, step: dict[str, Any], values: dict[str, str], used: "Used") -> None:
        if "uses" in step:
            self.uploads.append({key: _filled(value, values) for key, value in step["with"].items()})
            return
        assert step["shell"] == "bash"
        variables = {name: _filled(value, values) for name, value in step.get("env", {}).items()}
        done, outputs = self.run_script(_filled(step["run"], values), variables)
        used.output += done.stdout + done.stderr
        used.has_failed = used.has_failed or done.returncode != 0
        values |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outputs.items()}


@dataclass(slots=True)
class Used:
    """What came of an action: whether a step has failed, and all that was printed."""

    has_failed: bool = False
    output: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


def _assignments(path: Path) -> dict[str, str]:
    """`NAME=value` lines, and values between `NAME<<WORD` and `WORD`."""
    found: dict[str, str] = {}
    lines = iter(path.read_text().splitlines())
    for line in lines:
        name, is_long, word = line.partition("<<")
        if is_long and "=" not in name:
            value = []
            for each in lines:
                if each == word:
                    break
                value.append(each)
            found[name] = "\n".join(value)
        else:
            name, _, value_text = line.partition("=")
            found[name] = value_text
    return found


def _filled(text: Any, values: Mapping[str, str]) -> str:
    def value(found: "re.Match[str]") -> str:
        name = found[1]
        if not re.fullmatch(r"[\w.-]+", name):
            raise UnknownExpressionError(name)
        return values.get(name, "")  # as the runner: what is not there is empty

    return _EXPRESSION.sub(value, str(text))


def _is_true(condition: str, values: Mapping[str, str], *, has_failed: bool) -> bool:
    """A condition; without a status function it wants success as well, as the runner has it."""
    states = {"success()": not has_failed, "failure()": has_failed, "always()": True}
    parts = [part.strip() for part in condition.split("&&")]
    if not any(part in states for part in parts):
        parts.append("success()")
    for part in parts:
        if part in states:
            holds = states[part]
        elif compared := _COMPARISON.fullmatch(part):
            same = values.get(compared[1], "") == compared[3].replace("''", "'")
            holds = same if compared[2] == "==" else not same
        else:
            raise UnknownExpressionError(part)
        if not holds:
            return False
    return True
