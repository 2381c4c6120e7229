"""The fragment for shell prompts: what it shows, what it loads, and that it never complains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fluvio_cli import prompt

FILE = """\
version = "2.0"
current_profile = "prod"
[profile.prod]
cluster = "big"
[profile.look]
cluster = "mirror"
[profile.free]
cluster = "test"
[cluster.big]
endpoint = "h:1"
[cluster.big.metadata.fluvio_cli]
protection = "protected"
[cluster.mirror]
endpoint = "h:2"
[cluster.mirror.metadata.fluvio_cli]
protection = "read-only"
[cluster.test]
endpoint = "h:3"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "config"
    path.write_text(FILE)
    return {"FLV_PROFILE_PATH": str(path)}


def shown(environment: dict[str, str], form: str = "{profile}", shell: str = "plain", **more: str) -> str:
    return prompt.fragment(environment | more, form, shell)


def test_colours_tell_the_protection(environment: dict[str, str]) -> None:
    assert shown(environment) == "\x1b[1;31mprod\x1b[0m"
    assert shown(environment, FLUVIO_PROFILE="look") == "\x1b[33mlook\x1b[0m"
    assert shown(environment, FLUVIO_PROFILE="free") == "\x1b[32mfree\x1b[0m"


def test_colours_can_be_left_out(environment: dict[str, str]) -> None:
    assert shown(environment, NO_COLOR="1") == "prod"
    assert shown(environment, TERM="dumb") == "prod"
    assert shown(environment, NO_COLOR="", TERM="xterm") == "\x1b[1;31mprod\x1b[0m"


def test_shells_are_told_that_colours_have_no_width(environment: dict[str, str]) -> None:
    assert shown(environment, shell="bash") == "\\[\x1b[1;31m\\]prod\\[\x1b[0m\\]"
    assert shown(environment, shell="zsh") == "%{\x1b[1;31m%}prod%{\x1b[0m%}"


def test_the_format_has_three_fields_and_keeps_all_else(environment: dict[str, str]) -> None:
    form = "{profile}@{cluster} {protection} {other} {{profile}} {"
    assert shown(environment, form, NO_COLOR="1") == "prod@big protected {other} {prod} {"
    assert shown(environment, "") == ""


@pytest.mark.parametrize("shell", prompt.SHELLS)
def test_names_cannot_make_a_shell_do_anything(tmp_path: Path, shell: str) -> None:
    path = tmp_path / "config"
    name = "a$(touch x)`id`\\u{cluster}%n!\u200b"
    quoted = name.replace("\\", "\\\\")
    path.write_text(f'[profile."{quoted}"]\ncluster = "c"\n[cluster.c]\nendpoint = "h:1"\n')
    environment = {"FLV_PROFILE_PATH": str(path), "FLUVIO_PROFILE": name, "NO_COLOR": "1"}
    text = prompt.fragment(environment, "{profile}", shell)
    assert text == f"a?(touch x)?id??u{{cluster}}{'%%' if shell == 'zsh' else '%'}n??"


def test_without_a_profile_there_is_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    assert shown(environment, FLUVIO_PROFILE="nobody") == ""
    assert shown({"FLV_PROFILE_PATH": str(tmp_path / "gone")}) == ""
    assert shown({"FLV_PROFILE_PATH": str(tmp_path)}) == ""
    for content in (b"", b"nonsense", b"\xff", b'current_profile = "x"', b"profile = 3", b"[profile]\nx = 1"):
        (tmp_path / "config").write_bytes(content)
        assert shown(environment) == ""


def test_a_directory_chooses_and_a_broken_choice_shows_nothing(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".fluvio-profile").write_text("free\n")
    assert shown(environment, NO_COLOR="1") == "free"
    (tmp_path / ".fluvio-profile").write_text("free\nx\n")
    assert shown(environment, NO_COLOR="1") == ""


def test_only_plain_options_take_the_short_way() -> None:
    assert prompt._read([]) == ("{profile}", "plain")
    assert prompt._read(["--shell", "zsh", "--format=x y"]) == ("x y", "zsh")
    for other in (
        ["--help"],
        ["-h"],
        ["x"],
        ["--shell"],
        ["--shell", "fish"],
        ["--shell", "--format"],
        ["--"],
    ):
        assert prompt._read(other) is None
    assert prompt._read(["--shell", "zsh", "--shell", "zsh"]) is None


FORBIDDEN = {
    *("typer", "click", "asyncio", "rich", "inspect", "dataclasses", "enum", "re", "typing", "pathlib"),
    *("tomllib", "logging", "json", "socket", "subprocess", "tempfile", "functools", "collections"),
    *("fluvio_client", "fluvio_protocol", "fluvio_cli.app", "fluvio_cli.context", "fluvio_profiles.model"),
}


def loaded(environment: dict[str, str], *arguments: str) -> tuple[str, set[str]]:
    program = (
        "import sys; before = set(sys.modules); from fluvio_cli.__main__ import main\n"
        "sys.argv = ['fluvio', *sys.argv[1:]]; code = main()\n"
        "print(*(set(sys.modules) - before), file=sys.stderr, sep='\\n'); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "profile", "prompt", *arguments],
        capture_output=True,
        text=True,
        env={"HOME": "/nowhere", **environment},
        timeout=30,
        check=True,
    )
    return done.stdout, set(done.stderr.split())


def test_a_prompt_loads_next_to_nothing(environment: dict[str, str]) -> None:
    text, modules = loaded(environment, "--shell", "bash")
    assert "prod" in text
    assert "fluvio_profiles.glance" in modules
    assert modules.isdisjoint(FORBIDDEN)
    assert len(modules) < 12, modules


def test_a_file_that_is_not_plain_loads_the_real_parser_and_nothing_of_ours(
    environment: dict[str, str],
) -> None:
    path = Path(environment["FLV_PROFILE_PATH"])
    path.write_text(path.read_text() + "\n[cluster.test.tls.certs]\nkey = '''\nPEM'''\n")
    text, modules = loaded(environment)
    assert "prod" in text
    assert "tomllib" in modules
    assert modules.isdisjoint({"typer", "asyncio", "rich", "inspect", "fluvio_cli.app"})


def test_help_and_errors_take_the_long_way(environment: dict[str, str]) -> None:
    text, modules = loaded(environment, "--help")
    assert "--format <TEXT>" in text
    assert "typer" in modules


def test_a_closed_output_is_no_complaint(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "fluvio_cli", "profile", "prompt"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
