"""What help pages show of commands, where it once differed from the official ones without a reason."""

import pytest

from fluvio_cli import usage
from fluvio_cli.command import Command
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
