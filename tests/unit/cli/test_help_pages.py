"""What help pages show of commands, where it once differed from the official ones without a reason."""

from fluvio_cli import usage
from fluvio_cli.command import Command
from fluvio_cli.commands import consume, produce
from fluvio_cli.commands.profile import export


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
