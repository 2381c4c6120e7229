"""What help pages show of commands, where it once differed from the official ones without a reason."""

from collections.abc import Iterator, Mapping

import pytest

from fluvio_cli import usage
from fluvio_cli.app import imported
from fluvio_cli.command import Command
from fluvio_cli.command_table import ROOT, Group, Leaf
from fluvio_cli.commands import consume, produce
from fluvio_cli.commands.profile import export
from fluvio_cli.commands.topic import create
from fluvio_cli.grammar import UsageProblem


def page(command: Command) -> str:
    return usage.command_help(command.path, command.about, command.parameters, command.rules, long=False)


def test_the_default_delivery_is_shown_in_the_official_spelling() -> None:
    assert "[default: at-least-once]" in page(Command("fluvio produce", produce.command))


def test_the_default_delivery_repeats_what_failed() -> None:
    default = Command("fluvio produce", produce.command).parse(["t"])["delivery_semantic"]
    named = Command("fluvio produce", produce.command).parse(["t", "--delivery-semantic", "AtLeastOnce"])
    assert default != "at_most_once"
    assert named["delivery_semantic"] != "at_most_once"


def test_the_usage_of_profile_export_names_its_word_as_officially() -> None:
    assert "Usage: fluvio profile export [OPTIONS] [PROFILE_NAME]" in page(
        Command("fluvio profile export", export.command)
    )


def test_consume_says_what_disable_progressbar_leaves_out() -> None:
    assert "Show no spinner" in page(Command("fluvio consume", consume.command))


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (Command("fluvio produce", produce.command), "--compression"),
        (Command("fluvio topic create", create.command), "--compression-type"),
    ],
)
def test_words_that_the_error_does_not_list_stand_in_the_help_text_once(command: Command, flag: str) -> None:
    line = next(line for line in page(command).splitlines() if f"{flag} <" in line)
    assert line.count("snappy") == 1
    with pytest.raises(UsageProblem) as caught:
        command.parse(["t", flag])
    assert caught.value.details == ()


MANY = 12  # options that one panel may hold; more are grouped


def commands(path: str, members: Mapping[str, Leaf | Group]) -> Iterator[Command]:
    for name, member in members.items():
        if isinstance(member, Group):
            yield from commands(f"{path} {name}", member.members)
        elif not member.parameterless:
            yield Command(f"{path} {name}", imported(member.target))


@pytest.mark.parametrize("command", list(commands("fluvio", ROOT.members)), ids=lambda command: command.path)
def test_options_are_grouped_where_there_are_many_and_no_group_names_what_is_not_there(
    command: Command,
) -> None:
    options = [option for option in command.parameters if not option.is_positional and not option.hidden]
    named = [name for names in command.rules.panels.values() for name in names]
    assert len(named) == len(set(named))
    if command.path.startswith("fluvio bench"):  # their commands share one list
        assert set(named) >= {option.name for option in options if option.panel}
    else:
        assert set(named) <= {option.name for option in options}
    assert max(map(len, usage.in_panels(options, command.rules.panels).values()), default=0) <= MANY


def test_a_page_shows_its_panels_in_the_order_declared_and_the_rest_last() -> None:
    titles = [
        line for line in page(Command("fluvio consume", consume.command)).splitlines() if line.endswith(":")
    ]
    assert titles == [
        "Arguments:",
        "Which records:",
        "Where to start and to end:",
        "How to print them:",
        "Options:",
    ]
