"""Scripts, where they go, and the table that they are answered from."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fluvio_completions import entry
from fluvio_completions.entry import answer_text
from fluvio_completions.installing import install, place_of, shell_of, uninstall
from fluvio_completions.scripts import SHELLS, script

DOCS = Path(__file__).parents[3] / "docs"


def test_the_table_is_that_of_the_command_tree() -> None:
    spec = importlib.util.spec_from_file_location("completion_tree", DOCS / "generate_completion_tree.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TABLE.read_text(encoding="utf-8") == module.table(), (
        "run `python docs/generate_completion_tree.py`"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_serves_the_name_it_was_made_for(shell: str) -> None:
    text = script(shell, "my-fluvio")
    assert "my-fluvio __complete" in text
    assert "NAME" not in text.replace("-CommandName", "")
    assert "FUNCTION" not in text
    assert "flv" in script(shell)
    assert "flv" not in text


@pytest.mark.parametrize("shell", SHELLS)
def test_installing_twice_changes_nothing_and_uninstalling_leaves_nothing(shell: str, tmp_path: Path) -> None:
    place = place_of(shell, {}, tmp_path)
    mine = "# mine, without an end of line"
    if place.start_up is not None:
        place.start_up.parent.mkdir(parents=True, exist_ok=True)
        place.start_up.write_text(mine)
        place.start_up.chmod(0o640)
    assert install(shell, {}, tmp_path) == [
        path for path in (place.script, place.start_up) if path is not None
    ]
    assert install(shell, {}, tmp_path) == []
    assert place.script.read_text() == script(shell)
    if place.start_up is not None:
        assert place.start_up.read_text().startswith(mine + "\n")
        assert place.start_up.stat().st_mode & 0o777 == 0o640
    assert uninstall(shell, {}, tmp_path)
    assert uninstall(shell, {}, tmp_path) == []
    assert not place.script.exists()
    if place.start_up is not None:
        assert place.start_up.read_text() == mine + "\n"


def test_a_start_up_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "bashrc"
    real.write_text("# mine\n")
    (tmp_path / ".bashrc").symlink_to(real)
    install("bash", {}, tmp_path)
    assert (tmp_path / ".bashrc").is_symlink()
    assert "fluvio completions" in real.read_text()


def test_variables_move_the_places(tmp_path: Path) -> None:
    variables = {"XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c", "ZDOTDIR": "/z"}
    assert place_of("fish", variables, tmp_path).script == Path("/c/fish/completions/fluvio.fish")
    assert place_of("bash", variables, tmp_path).script == Path("/d/bash-completion/completions/fluvio")
    assert place_of("zsh", variables, tmp_path).start_up == Path("/z/.zshrc")


def test_the_shell_in_use_is_known() -> None:
    assert shell_of({"SHELL": "/usr/bin/zsh"}) == "zsh"
    assert shell_of({"SHELL": "/opt/pwsh"}) == "powershell"
    assert shell_of({"SHELL": "/bin/tcsh"}) is None
    assert shell_of({}) is None


def test_profiles_come_from_the_file_and_are_quoted_for_bash(tmp_path: Path) -> None:
    (tmp_path / ".fluvio").mkdir()
    (tmp_path / ".fluvio" / "config").write_text(
        'version = "2.0"\ncurrent_profile = "a b"\n[profile."a b"]\ncluster = "c"\n'
        '[cluster.c]\nendpoint = "127.0.0.1:1"\n[cluster.c.tls]\ntls_policy = "disabled"\n'
    )

    def bash(line: str) -> str:
        return answer_text(["bash", line, str(len(line))], {}, tmp_path)

    assert bash("fluvio -P a") == "words\na\\ b\n"
    assert bash("fluvio -P 'a") == "words\na b\n"
    assert bash("fluvio --profile=a") == "words\na\\ b\n"
    assert bash("fluvio --output") == "words\n"
    assert answer_text(["zsh", "-P", "a"], {}, tmp_path) == "words\na b\n"


def test_a_key_press_asks_no_network_and_shows_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **_: started.append(words))
    code = (
        "import sys, socket\n"
        "def refuse(*_, **__): raise SystemExit('a socket was made')\n"
        "socket.socket = refuse\n"
        "import subprocess; subprocess.Popen = lambda *_, **__: None\n"
        "from fluvio_completions.entry import main\n"
        "main(['zsh', '-c', '127.0.0.1:1', 'topic', 'delete', ''], {'HOME': sys.argv[1]})\n"
        "loaded = {'typer', 'asyncio', 'rich', 'fluvio_cli', 'fluvio_client', 'inspect'} & set(sys.modules)\n"
        "assert not loaded - {'inspect'}, loaded\n"
    )
    monkeypatch.undo()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "words\n", "")
    assert entry.main(["zsh", "topic", "delete", ""], {"FLV_PROFILE_PATH": str(tmp_path / "none")}) == 0
    assert capsys.readouterr() == ("", "")
