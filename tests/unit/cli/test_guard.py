"""What read-only and protected clusters let through, before anything connects."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluvio_cli import app, guard
from fluvio_cli.command import Command
from fluvio_cli.command_table import ROOT, Group, Leaf
from fluvio_cli.context import CliContext
from fluvio_cli.effect import DESTROYS, WRITES, Effect
from fluvio_cli.guard import OtherClusterError, ProtectedClusterError, ReadOnlyClusterError
from fluvio_cli.output.printer import Printer
from fluvio_profiles.errors import ConfigBrokenError
from fluvio_profiles.resolve import TargetOptions

FILE = """\
version = "2.0"
current_profile = "prod"
[profile.prod]
cluster = "big"
[profile.twin]
cluster = "twin"
[profile.mirror]
cluster = "mirror"
[profile.test]
cluster = "test"
[cluster.big]
endpoint = "sc.example.com:9003"
[cluster.big.metadata.fluvio_cli]
protection = "protected"
[cluster.twin]
endpoint = "SC.example.com:9003"
[cluster.mirror]
endpoint = "mirror:9003"
[cluster.mirror.metadata.fluvio_cli]
protection = "read-only"
[cluster.test]
endpoint = "test:9003"
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def context(home: Path, typed: str | None = None, file: str = FILE, **options: Any) -> CliContext:
    path = home / "config"
    path.write_text(file)
    stderr = io.StringIO() if typed is None else Terminal()
    return CliContext(
        environment={},
        home=home,
        profile_path=path,
        target_options=TargetOptions(**options),
        printer=Printer(io.StringIO(), stderr, {}),
        stdin=io.StringIO() if typed is None else Terminal(typed),
        executable=home / "fluvio",
    )


def check(effect: Effect, cli: CliContext, **values: Any) -> dict[str, Any]:
    guard.check("fluvio do", effect, values, cli)
    return values


def test_a_protected_cluster_may_be_written_to(tmp_path: Path) -> None:
    check(WRITES, context(tmp_path))


def test_what_destroys_is_refused_where_nobody_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ProtectedClusterError, match="`big` is protected") as caught:
        check(DESTROYS, context(tmp_path), force=True)
    assert "--yes-i-mean big" in str(caught.value.hint)


def test_the_clusters_name_has_to_be_typed(tmp_path: Path) -> None:
    cli = context(tmp_path, "big\n")
    check(DESTROYS, cli)
    assert isinstance(cli.printer.stderr, io.StringIO)
    assert "sc.example.com:9003" in cli.printer.stderr.getvalue()
    for typed in ("prod\n", "y\n", "\n", ""):
        with pytest.raises(ProtectedClusterError, match="was not typed"):
            check(DESTROYS, context(tmp_path, typed))


def test_the_option_stands_for_the_typed_name_and_must_be_right(tmp_path: Path) -> None:
    check(DESTROYS, context(tmp_path, yes_i_mean="big"))
    for wrong in ("prod", "test", ""):
        with pytest.raises(OtherClusterError):
            check(DESTROYS, context(tmp_path, "big\n", yes_i_mean=wrong))


def test_the_option_is_checked_on_a_cluster_without_protection_too(tmp_path: Path) -> None:
    check(DESTROYS, context(tmp_path, profile="test", yes_i_mean="test"))
    with pytest.raises(OtherClusterError, match="acts on cluster `test`, not on `big`"):
        check(DESTROYS, context(tmp_path, profile="test", yes_i_mean="big"))
    with pytest.raises(OtherClusterError, match="`new:1`"):
        check(DESTROYS, context(tmp_path, cluster="new:1", yes_i_mean="big"))


@pytest.mark.parametrize("options", [{"cluster": "sc.EXAMPLE.com:9003"}, {"profile": "twin"}])
def test_protection_follows_the_address(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(ProtectedClusterError, match="`big`"):
        check(DESTROYS, context(tmp_path, **options))
    check(DESTROYS, context(tmp_path, yes_i_mean="big", **options))


@pytest.mark.parametrize("options", [{"profile": "mirror"}, {"cluster": "mirror:9003"}])
@pytest.mark.parametrize("effect", [WRITES, DESTROYS])
def test_nothing_is_written_to_a_read_only_cluster(
    tmp_path: Path, options: dict[str, str], effect: Effect
) -> None:
    with pytest.raises(ReadOnlyClusterError, match="`mirror` is read-only"):
        check(effect, context(tmp_path, "mirror\n", yes_i_mean="mirror", **options))


def test_an_effect_may_hang_on_a_flag(tmp_path: Path) -> None:
    cli = context(tmp_path, profile="mirror")
    check(Effect(not_with=("dry_run",)), cli, dry_run=True)
    check(Effect(only_with=("consumer",)), cli, consumer=None)
    check(Effect(told_later=True), cli)
    with pytest.raises(ReadOnlyClusterError):
        check(Effect(not_with=("dry_run",)), cli, dry_run=False)
    with pytest.raises(ReadOnlyClusterError):
        check(Effect(only_with=("consumer",)), cli, consumer="me")


def test_an_answer_here_is_the_answer_to_the_commands_own_question(tmp_path: Path) -> None:
    effect = Effect(destroys=True, answers="force")
    assert check(effect, context(tmp_path, "big\n"), force=False)["force"] is True
    assert check(effect, context(tmp_path, profile="test"), force=False)["force"] is False


def test_an_entry_of_the_profile_file_is_held_to_its_own_protection(tmp_path: Path) -> None:
    effect = Effect(destroys=True, on="cluster_name")
    check(effect, context(tmp_path), cluster_name="twin")
    check(effect, context(tmp_path), cluster_name="mirror")
    check(effect, context(tmp_path), cluster_name="nobody")
    with pytest.raises(ProtectedClusterError):
        check(effect, context(tmp_path, profile="test"), cluster_name="big")


def test_a_file_that_does_not_parse_lets_nothing_be_destroyed(tmp_path: Path) -> None:
    cli = context(tmp_path, file="nonsense", cluster="h:1")
    check(WRITES, cli)
    with pytest.raises(ConfigBrokenError):
        check(DESTROYS, cli)


def test_a_target_that_cannot_be_told_is_left_to_the_command(tmp_path: Path) -> None:
    check(DESTROYS, context(tmp_path, profile="nobody"))
    cli = context(tmp_path)
    cli.profile_path.unlink()
    check(DESTROYS, cli)


def test_who_chose_is_said_on_a_terminal_when_a_directory_did(tmp_path: Path) -> None:
    (tmp_path / ".fluvio-profile").write_text("test")
    base = context(tmp_path, "")
    cli = CliContext(
        base.environment,
        base.home,
        base.profile_path,
        base.target_options,
        base.printer,
        base.stdin,
        base.executable,
        tmp_path,
    )
    check(WRITES, cli)
    assert isinstance(cli.printer.stderr, io.StringIO)
    assert cli.printer.stderr.getvalue() == f"cluster `test`, chosen by {tmp_path / '.fluvio-profile'}\n"


# Commands that change no cluster: reading ones, and those that change files of this user. Every other command
# says its effect in its rules; a new command must do either.
WITHOUT_EFFECT = {
    "cluster run",  # on a cluster of its own
    "topic list",
    "topic describe",
    "topic export",
    "topic diff",
    "partition list",
    "table-format list",
    "tf list",
    "consumer describe",
    "consumer list",
    "plan",
    "export",
    "explain",
    "version",
    "cluster start",  # makes a cluster, refuses where one is
    "cluster resume",
    "cluster status",
    "cluster check",
    "cluster diagnostics",
    "cluster list",
    "cluster snapshot",
    "cluster fork",  # makes a cluster, changes nothing of the other
    "cluster spu list",
    "doctor",
    "top",
    "tap",  # what goes through it is its clients' doing
    "metadata",
    "__refresh",
    *(f"completions {name}" for name in ("bash", "zsh", "fish", "powershell", "install", "uninstall")),
    *(f"profile {name}" for name in ("current", "list", "switch", "add", "rename", "delete", "copy", "set")),
    *(f"profile {name}" for name in ("delete-profile", "export", "edit", "validate", "prompt", "sync local")),
}


NAMED_BY = {  # by which parameters a command says what it acts on
    "destination": {"destination"},
    "target": set(),
    "local": {"name"},
    "snapshot": {"snapshot_name", "source"},
    "cluster_name": {"cluster_name"},
}


def leaves(group: Group, above: str = "") -> Iterator[tuple[str, Leaf]]:
    for name, member in group.members.items():
        path = f"{above} {name}".strip()
        if isinstance(member, Group):
            yield from leaves(member, path)
        else:
            yield path, member


def test_every_command_says_what_it_does_to_the_cluster() -> None:
    without = set()
    for path, leaf in leaves(ROOT):
        rules = None if leaf.parameterless else Command(path, app.imported(leaf.target)).rules
        if rules is None or rules.effect is None:
            without.add(path)
            continue
        names = {parameter.name for parameter in Command(path, app.imported(leaf.target)).parameters}
        effect = rules.effect
        used = {*effect.only_with, *effect.not_with}
        used |= NAMED_BY[effect.on] | ({effect.answers} if effect.answers is not None else set())
        assert used <= names, path
    assert without == WITHOUT_EFFECT


@pytest.mark.parametrize(
    "words",
    [
        ("topic", "delete", "t", "--force"),
        ("consumer", "delete", "c"),
        ("cluster", "delete", "--force"),
        ("cluster", "shutdown"),
        ("cluster", "spu", "unregister", "--id", "1", "--force"),
        ("profile", "delete-cluster", "big", "--force"),
    ],
)
def test_the_commands_that_destroy_ask(tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(ProtectedClusterError):
        app.run(words, lambda options: context(tmp_path, **options))


@pytest.mark.parametrize(
    "words",
    [
        ("produce", "t"),
        ("consume", "t", "--consumer", "me"),
        ("topic", "create", "t"),
        ("topic", "add-partition", "t", "-c", "1"),
        ("topic", "delete", "t"),
        ("topic", "import", "file", "t"),
        ("topic", "replay", "file", "t"),
        ("topic", "copy", "t", "u"),
        ("topic", "copy", "test:t", "mirror:t"),
        ("cluster", "spu", "register", "--id", "1", "--public-server", "h:1", "--private-server", "h:2"),
    ],
)
def test_the_commands_that_write_are_refused_on_a_read_only_cluster(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with pytest.raises(ReadOnlyClusterError):
        app.run(("-P", "mirror", *words), lambda options: context(tmp_path, **options))
