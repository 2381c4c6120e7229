"""Tokens in, values or the official tool's usage errors out."""

from typing import Any

import pytest

from fluvio_cli import usage
from fluvio_cli.grammar import HelpRequested, Parameter, Rules, UsageProblem, parse
from fluvio_cli.values import Choice, i64, output_format

PARAMETERS = (
    Parameter("topic", value_name="topic", required=True),
    Parameter("start", ("--start",), "integer", parse=i64),
    Parameter("head", ("-H", "--head"), "integer", parse=i64),
    Parameter("disable", ("-d", "--disable-continuous"), takes_value=False),
    Parameter("beginning", ("-B", "--beginning"), takes_value=False),
    Parameter("partition", ("-p", "--partition"), "integer", parse=i64, repeatable=True),
    Parameter("output", ("-O", "--output"), "type", parse=output_format, choices=output_format.choices),
    Parameter("config", ("-c", "--config"), "PATH"),
)
RULES = Rules(
    conflicts=(("start", "head", "beginning"),),
    stands_alone={"config": ("topic", "head")},
    requires={"output": ("disable",)},
)


def values(*tokens: str) -> dict[str, Any]:
    return parse(PARAMETERS, tokens, RULES).given


def error(*tokens: str) -> str:
    with pytest.raises(UsageProblem) as caught:
        parse(PARAMETERS, tokens, RULES)
    return usage.error_blocks(caught.value, "fluvio consume", PARAMETERS)


@pytest.mark.parametrize(
    "tokens",
    [
        ("t", "--head", "3", "-d"),
        ("--head=3", "-d", "t"),
        ("-H", "3", "-d", "t"),
        ("-H3", "-d", "t"),
        ("-H=3", "-d", "t"),
        ("-dH3", "t"),
        ("-dH", "3", "t"),
        ("-d", "-H3", "--", "t"),
    ],
)
def test_every_form_of_an_option_is_accepted(tokens: tuple[str, ...]) -> None:
    assert values(*tokens) == {"topic": "t", "head": 3, "disable": True}


def test_joined_flags_are_flags() -> None:
    assert values("-dB", "t") == {"topic": "t", "disable": True, "beginning": True}


def test_a_repeatable_option_adds_up() -> None:
    assert values("t", "-p", "1", "-p2")["partition"] == [1, 2]


def test_a_value_may_start_with_a_dash_only_when_joined() -> None:
    assert values("t", "--start=-1")["start"] == -1
    assert "unexpected argument '-1' found" in error("t", "--start", "-1")


def test_after_two_dashes_everything_is_a_word() -> None:
    assert values("--", "--head") == {"topic": "--head"}


def test_a_single_dash_is_a_word() -> None:
    assert values("-") == {"topic": "-"}


def test_words_of_an_enumeration_ignore_case() -> None:
    assert values("t", "-d", "-O", "JSON")["output"] == "json"


FULL_USAGE = "Usage: fluvio consume [OPTIONS] <topic>"


@pytest.mark.parametrize(
    ("tokens", "blocks"),
    [
        (
            (),
            (
                "error: the following required arguments were not provided:\n  <topic>",
                "Usage: fluvio consume <topic>",
            ),
        ),
        (
            ("--x", "t"),
            (
                "error: unexpected argument '--x' found",
                "  tip: to pass '--x' as a value, use '-- --x'",
                FULL_USAGE,
            ),
        ),
        (
            ("-dz", "t"),
            (
                "error: unexpected argument '-z' found",
                "  tip: to pass '-z' as a value, use '-- -z'",
                FULL_USAGE,
            ),
        ),
        (("t", "u"), ("error: unexpected argument 'u' found", FULL_USAGE)),
        (
            ("t", "--he", "1"),
            (
                "error: unexpected argument '--he' found",
                "  tip: to pass '--he' as a value, use '-- --he'",
                FULL_USAGE,
            ),
        ),
        (
            ("t", "-d", "-d"),
            ("error: the argument '--disable-continuous' cannot be used multiple times", FULL_USAGE),
        ),
        (
            ("t", "--start", "1", "--start=2"),
            ("error: the argument '--start <integer>' cannot be used multiple times", FULL_USAGE),
        ),
        (("t", "--start"), ("error: a value is required for '--start <integer>' but none was supplied",)),
        (("--start", "-d"), ("error: a value is required for '--start <integer>' but none was supplied",)),
        (
            ("t", "--start", "x"),
            ("error: invalid value 'x' for '--start <integer>': invalid digit found in string",),
        ),
        (
            ("t", "-O", "x"),
            ("error: invalid value 'x' for '--output <type>'\n  [possible values: table, yaml, json, toml]",),
        ),
        (
            ("t", "-B", "--start", "1"),
            (
                "error: the argument '--beginning' cannot be used with '--start <integer>'",
                "Usage: fluvio consume --beginning <topic>",
            ),
        ),
        (
            ("t", "--start", "1", "-H1", "-B"),
            (
                "error: the argument '--start <integer>' cannot be used with:\n"
                "  --head <integer>\n  --beginning",
                "Usage: fluvio consume --start <integer> <topic>",
            ),
        ),
        (
            ("-c", "f", "t"),
            (
                "error: the argument '--config <PATH>' cannot be used with:\n  <topic>\n  --head <integer>",
                "Usage: fluvio consume --config <PATH> <topic>",
            ),
        ),
        (
            ("t", "-O", "json"),
            (
                "error: the following required arguments were not provided:\n  --disable-continuous",
                "Usage: fluvio consume --disable-continuous --output <type> <topic>",
            ),
        ),
    ],
)
def test_usage_errors_have_the_official_blocks(tokens: tuple[str, ...], blocks: tuple[str, ...]) -> None:
    assert error(*tokens) == "\n\n".join([*blocks, "For more information, try '--help'."])


def test_an_option_that_stands_alone_lifts_the_demand_for_words() -> None:
    assert values("-c", "f") == {"config": "f"}


def test_one_of_several_options_has_to_be_there() -> None:
    parameters = (Parameter("id", ("--id",), "ID"), Parameter("name", ("--name",), "string"))
    rules = Rules(one_of=(("id", "name"),))
    assert parse(parameters, ["--name", "x"], rules).given == {"name": "x"}
    with pytest.raises(UsageProblem) as caught:
        parse(parameters, [], rules)
    assert usage.error_blocks(caught.value, "fluvio cluster spu unregister", parameters) == (
        "error: the following required arguments were not provided:\n  --id <ID>\n\n"
        "Usage: fluvio cluster spu unregister --id <ID>\n\n"
        "For more information, try '--help'."
    )


@pytest.mark.parametrize(("token", "long"), [("-h", False), ("--help", True), ("-dh", False)])
def test_help_is_asked_for_before_anything_is_checked(token: str, long: bool) -> None:
    with pytest.raises(HelpRequested) as caught:
        values(token)
    assert caught.value.long is long


def test_reading_can_stop_at_the_first_word() -> None:
    options = (Parameter("profile", ("-P",), "profile"),)
    parsed = parse(options, ["-P", "x", "topic", "-P"], Rules(), stop_at_word=True)
    assert (parsed.given, parsed.rest) == ({"profile": "x"}, ["topic", "-P"])


def test_optional_and_repeatable_words_show_so() -> None:
    assert Parameter("n", value_name="name").label == "[name]"
    assert Parameter("n", value_name="name", repeatable=True, required=True).label == "<name>..."


def test_a_flag_takes_no_value() -> None:
    assert error("t", "--beginning=1").startswith("error: unexpected value '1' for '--beginning' found")


def test_a_choice_without_ignore_case_is_exact() -> None:
    with pytest.raises(ValueError):
        Choice("a", "b")("A")
