"""Profiles against a real cluster, with a real editor and real shells."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.local_cluster import FLUVIO, LocalCluster
from tests.support.shells import installed


@pytest.fixture
def home(tmp_path: Path) -> LocalCluster:
    """A home with two profiles and no cluster."""
    place = LocalCluster(tmp_path)
    place.run("profile", "add", "prod", "127.0.0.1:1", "local")
    place.run("profile", "add", "test", "127.0.0.1:2", "local")
    return place


def editor(home: LocalCluster, script: str) -> str:
    path = home.home / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def copies(home: LocalCluster) -> list[Path]:
    return sorted(home.profile_path.parent.glob("config.edit.*"))


def test_a_protected_cluster_is_deleted_only_with_its_name(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "kept")
    fresh_cluster.run("profile", "set", "local", "--protected")
    for words in (("topic", "delete", "kept"), ("cluster", "shutdown"), ("cluster", "delete", "--force")):
        done = fresh_cluster.run(*words, check=False)
        assert done.returncode == 1
        assert "cluster `local` is protected" in done.stderr
    data = str(fresh_cluster.data_dir)
    assert fresh_cluster.run("cluster", "delete", "--force", "--data-dir", data, check=False).returncode == 1
    address = fresh_cluster.run("-c", fresh_cluster.endpoint, "topic", "delete", "kept", check=False)
    assert address.returncode == 1
    assert "kept" in fresh_cluster.run("topic", "list").stdout
    fresh_cluster.run("produce", "kept", stdin="x\n")
    fresh_cluster.run("--yes-i-mean", "local", "topic", "delete", "kept")
    fresh_cluster.run("--yes-i-mean", "local", "cluster", "delete")
    assert not fresh_cluster.data_dir.exists()


def test_a_read_only_cluster_is_read_and_not_written(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "t")
    fresh_cluster.run("profile", "set", "local", "--read-only")
    done = fresh_cluster.run("produce", "t", stdin="x\n", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "cluster `local` is read-only for you: `fluvio produce` was not run\n"
    assert fresh_cluster.run("consume", "t", "-B", "-d").stdout == ""
    fresh_cluster.run("topic", "create", "other", "--dry-run")
    fresh_cluster.run("profile", "set", "local", "--normal")  # so that the fixture can delete it


def test_validation_tells_who_is_there(local_cluster: LocalCluster, tmp_path: Path) -> None:
    place = LocalCluster(tmp_path)
    place.run("profile", "add", "nobody", "127.0.0.1:1", "local")
    place.run("profile", "add", "here", local_cluster.endpoint, "local")
    (found,) = json.loads(place.run("profile", "validate", "-O", "json").stdout)
    assert (found["profile"], found["result"], found["code"]) == ("here", "ok", None)
    assert found["platformVersion"]
    every = place.run("profile", "validate", "--all", "-O", "json", check=False)
    assert (every.returncode, every.stderr) == (4, "")
    assert [entry["result"] for entry in json.loads(every.stdout)] == ["ok", "cannot-connect"]
    one = place.run("profile", "validate", "nobody", check=False)
    assert one.returncode == 4
    assert one.stderr.startswith("nobody: ")


def test_a_cluster_that_is_silent_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    import socket

    place = LocalCluster(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.run("profile", "add", "silent", f"127.0.0.1:{silent.getsockname()[1]}", "local")
        done = place.run("profile", "validate", "--timeout", "200ms", check=False, timeout=20)
    assert done.returncode == 4
    assert "cannot-connect" in done.stdout


def test_the_editor_changes_the_file_byte_for_byte(home: LocalCluster) -> None:
    script = editor(home, 'echo "# a remark" >> "$1"; ls -l "$1" | cut -c1-10 > "$HOME/mode"')
    done = home.run("profile", "edit", EDITOR=script)
    assert done.stdout == f"saved to {home.profile_path}\n"
    assert home.profile_path.read_text().endswith("# a remark\n")
    assert (home.home / "mode").read_text() == "-rw-------\n"
    assert home.profile_path.stat().st_mode & 0o777 == 0o600
    assert copies(home) == []


def test_visual_goes_before_editor_and_may_have_arguments(home: LocalCluster) -> None:
    script = editor(home, '[ "$1" = --wait ] && echo "# seen" >> "$2"')
    home.run("profile", "edit", VISUAL=f"{script} --wait", EDITOR="/nowhere")
    assert "# seen" in home.profile_path.read_text()


def test_an_editor_that_changes_nothing_leaves_nothing(home: LocalCluster) -> None:
    assert home.run("profile", "edit", EDITOR="true").stdout == "nothing was changed\n"
    assert copies(home) == []


@pytest.mark.parametrize("name", ["false", "/nowhere/editor"])
def test_an_editor_that_fails_changes_nothing(home: LocalCluster, name: str) -> None:
    before = home.profile_path.read_bytes()
    done = home.run("profile", "edit", check=False, EDITOR=name)
    assert (done.returncode, name in done.stderr) == (1, True)
    assert (home.profile_path.read_bytes(), copies(home)) == (before, [])


@pytest.mark.parametrize("text", ["nonsense", '[profile.x]\ncluster = "gone"'])
def test_a_text_that_is_no_profile_file_is_kept_beside_it(home: LocalCluster, text: str) -> None:
    before = home.profile_path.read_bytes()
    (home.home / "text").write_text(text)
    done = home.run("profile", "edit", check=False, EDITOR=editor(home, 'cat "$HOME/text" >> "$1"'))
    assert done.returncode == 1
    assert home.profile_path.read_bytes() == before
    (copy,) = copies(home)
    assert str(copy) in done.stderr
    assert copy.read_text().endswith(text)


def test_what_another_program_wrote_meanwhile_is_not_lost(home: LocalCluster) -> None:
    script = editor(home, f'echo "# mine" >> "$1"; {FLUVIO} profile switch prod')
    done = home.run("profile", "edit", check=False, EDITOR=script)
    assert (done.returncode, "changed by another program" in done.stderr) == (1, True)
    assert home.run("profile").stdout == "prod\n"
    (copy,) = copies(home)
    assert "# mine" in copy.read_text()


def in_terminal(home: LocalCluster, typed: bytes, *words: str, **variables: str) -> tuple[int, str]:
    """Run `fluvio` on a terminal where `typed` is what a person types."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(FLUVIO, [str(FLUVIO), *words], {**home.env, **variables})
    os.write(terminal, typed)
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_on_a_terminal_a_broken_text_can_be_edited_again(home: LocalCluster) -> None:
    script = editor(
        home,
        'if [ -e "$HOME/twice" ]; then sed -i "/nonsense/d" "$1"; echo "# ok" >> "$1"; '
        'else touch "$HOME/twice"; echo nonsense >> "$1"; fi',
    )
    code, shown = in_terminal(home, b"y\n", "profile", "edit", EDITOR=script)
    assert (code, "edit again?" in shown) == (0, True)
    assert home.profile_path.read_text().endswith("# ok\n")


def test_on_a_terminal_the_clusters_name_is_asked_for(home: LocalCluster) -> None:
    home.run("profile", "set", "prod", "--protected")
    code, shown = in_terminal(home, b"no\n", "profile", "delete-cluster", "prod", "--force")
    assert (code, "type the cluster's name" in shown) == (1, True)
    code, shown = in_terminal(home, b"prod\n", "profile", "delete-cluster", "prod", "--force")
    assert (code, "Cluster prod deleted" in shown) == (0, True)


SHELLS = {
    "bash": 'PS1="$(fluvio profile prompt --shell bash --format "{profile} ")>"; printf "%s" "${PS1@P}"',
    "zsh": "setopt prompt_subst; P='$(fluvio profile prompt --shell zsh --format \"{profile} \")>'; "
    "print -nP $P",
    "fish": "function fish_right_prompt; fluvio profile prompt --format '{profile} '; end; "
    "fish_right_prompt; echo -n '>'",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_shows_the_fragment(home: LocalCluster, shell: str) -> None:
    program = installed(shell)
    home.run("profile", "set", "test", "--protected")
    environment = {**home.env, "PATH": f"{FLUVIO.parent}:{home.env['PATH']}", "TERM": "xterm"}
    plain = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell]
    done = subprocess.run(
        [program, plain, "-c", SHELLS[shell]], capture_output=True, env=environment, timeout=30, check=True
    )
    shown = done.stdout.replace(b"\x01", b"").replace(b"\x02", b"")
    assert shown == b"\x1b[1;31mtest \x1b[0m>"


def test_a_directory_chooses_for_the_installed_command(home: LocalCluster) -> None:
    pinned = home.home / "pinned"
    pinned.mkdir()
    (pinned / ".fluvio-profile").write_text("prod\n")
    for words in (["profile"], ["profile", "prompt"]):
        done = subprocess.run(
            [FLUVIO, *words], cwd=pinned, env={**home.env, "NO_COLOR": "1"}, capture_output=True, text=True,
            timeout=30, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == "prod"
    (pinned / ".fluvio-profile").write_text("127.0.0.1:9003\n")
    done = subprocess.run(
        [FLUVIO, "topic", "list"], cwd=pinned, env=home.env, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert (done.returncode, str(pinned / ".fluvio-profile") in done.stderr) == (1, True)
