"""Completions in real shells on a pseudo-terminal: what TAB puts into the line is run, and does its work."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.support.local_cluster import LocalCluster
from tests.support.shells import installed

WAIT_S = 30
PROMPT = "ready> "
STARTS = {
    "bash": ["--noprofile"],
    "zsh": [],
    "fish": [],
}


@pytest.fixture(scope="module")
def cluster(local_cluster: LocalCluster) -> Iterator[LocalCluster]:
    for name in ("alpha-one", "beta"):
        local_cluster.run("topic", "create", name)
    local_cluster.run("topic", "list")  # what completions know is what commands have seen
    local_cluster.run("profile", "add", "with space", "127.0.0.1:1")
    local_cluster.run("profile", "switch", "local")
    yield local_cluster
    for name in ("alpha-one", "beta"):
        local_cluster.run("topic", "delete", name)


@pytest.fixture(params=list(STARTS))
def shell(request: pytest.FixtureRequest, cluster: LocalCluster) -> Iterator["pexpect.spawn[str]"]:
    """A shell in which `fluvio completions install` was run, as its next start finds it."""
    name = request.param
    path = installed(name)
    cluster.run("completions", "install", "--shell", name)
    starts = {".bashrc": f"PS1='{PROMPT}'\nbind 'set enable-bracketed-paste off'\n"}
    starts[".zshrc"] = f"PS1='{PROMPT}'\nunsetopt zle_bracketed_paste PROMPT_SP 2>/dev/null\n"
    for file, text in starts.items():
        here = cluster.home / file
        here.write_text(text + (here.read_text() if here.exists() else ""))
    prompt = cluster.home / ".config" / "fish" / "functions" / "fish_prompt.fish"
    prompt.parent.mkdir(parents=True, exist_ok=True)
    prompt.write_text(f"function fish_prompt\n    printf '{PROMPT}'\nend\n")
    env = {**cluster.env, "TERM": "xterm", "LANG": "C.UTF-8"}
    env["PATH"] = f"{cluster.executable.parent}:{env.get('PATH', os.defpath)}"
    child = pexpect.spawn(
        path,
        [*STARTS[name], "-i"],
        env=env,
        encoding="utf-8",
        timeout=WAIT_S,
        dimensions=(40, 200),
        cwd=cluster.home,
    )
    child.expect_exact(PROMPT)
    yield child
    child.close(force=True)
    cluster.run("completions", "uninstall", "--shell", name)
    for file in starts:
        (cluster.home / file).unlink(missing_ok=True)


def test_tab_completes_commands_options_values_and_names(
    shell: "pexpect.spawn[str]", cluster: LocalCluster
) -> None:
    shell.send("fluvio topic desc\t")
    shell.expect_exact("describe")
    shell.send("al\t")
    shell.expect_exact("alpha-one")
    shell.send("--outp\t")
    shell.expect_exact("output")
    shell.send("js\t")
    shell.expect_exact("json")
    shell.send("> told.json; echo do''ne\r")
    shell.expect_exact("done")
    told = json.loads((cluster.home / "told.json").read_text())
    assert [topic["name"] for topic in told] == ["alpha-one"]


def test_names_with_spaces_files_and_joined_values_are_put_in_properly(
    shell: "pexpect.spawn[str]", cluster: LocalCluster
) -> None:
    (cluster.home / "input file.txt").write_text("from a file\n")
    shell.send("fluvio -P wi\t")
    shell.expect_exact("space")
    shell.send("profile > told.txt; echo do''ne\r")
    shell.expect_exact("done")
    shell.send("fluvio produce be\t")
    shell.expect_exact("beta")
    shell.send("--file inp\t")
    shell.expect_exact("file.txt")
    shell.send("; echo do''ne\r")
    shell.expect_exact("done")
    shell.send("fluvio topic list --output=js\t")
    shell.expect_exact("json")
    shell.send(" > told.json; echo do''ne\r")
    shell.expect_exact("done")
    assert json.loads((cluster.home / "told.json").read_text())
    assert cluster.run("consume", "beta", "-B", "-d").stdout.endswith("from a file\n")


@pytest.mark.parametrize("name", list(STARTS))
def test_a_script_that_is_only_sourced_works_as_well(
    name: str, cluster: LocalCluster, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text(cluster.run("completions", name).stdout)
    checks = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}
    done = subprocess.run(
        [installed(name), *checks[name], script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_key_press_never_waits_for_a_cluster_and_names_come_from_the_background(
    fresh_cluster: LocalCluster,
) -> None:
    fresh_cluster.run("topic", "create", "new-topic")
    shutil.rmtree(fresh_cluster.home / ".cache", ignore_errors=True)
    words = ("__complete", "zsh", "topic", "delete", "")
    assert fresh_cluster.run(*words).stdout == "words\n"
    until = time.monotonic() + WAIT_S
    while "new-topic" not in (told := fresh_cluster.run(*words).stdout):
        assert time.monotonic() < until, told
    assert told == "words\nnew-topic\n"
    fresh_cluster.run("topic", "delete", "new-topic")
    assert fresh_cluster.run(*words).stdout == "words\n"


def test_a_cluster_that_hangs_or_is_gone_delays_nobody(throwaway_home: LocalCluster) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = throwaway_home.run("__complete", "zsh", "-c", address, "topic", "delete", "", timeout=5)
        assert (done.stdout, done.stderr) == ("words\n", "")


def test_metadata_tells_of_commands_and_plugins(throwaway_home: LocalCluster) -> None:
    extensions = throwaway_home.home / ".fluvio" / "extensions"
    extensions.mkdir(parents=True)
    for name, text in (
        ("fluvio-good", 'echo \'{"title": "good", "description": "d", "version": "1"}\''),
        ("fluvio-bad", "echo nonsense"),
        ("fluvio-failing", "exit 3"),
    ):
        (extensions / name).write_text(f"#!/bin/sh\n{text}\n")
        (extensions / name).chmod(0o755)
    told = json.loads(throwaway_home.run("metadata").stdout)
    assert [each["title"] for each in told] == ["topic", "partition", "produce", "consume", "good"]
    assert told[0]["package"] == "fluvio/fluvio"


def test_installing_says_what_it_did_and_which_shell_it_needs(throwaway_home: LocalCluster) -> None:
    first = throwaway_home.run("completions", "install", SHELL="/usr/bin/fish")
    assert first.stdout == f"wrote {throwaway_home.home}/.config/fish/completions/fluvio.fish\n"
    again = throwaway_home.run("completions", "install", SHELL="/usr/bin/fish")
    assert again.stdout == "completions for fish are installed already\n"
    unknown = throwaway_home.run("completions", "install", check=False, SHELL="/bin/tcsh")
    assert unknown.returncode == 3
    assert "SHELL names `/bin/tcsh`" in unknown.stderr
