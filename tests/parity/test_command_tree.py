"""Each official command and flag is here and the same, or stands in the table of deviations."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from fluvio_cli.command_table import Group, Leaf
from fluvio_cli.grammar import Parameter, Rules
from tests.parity.comparing import Aspect, Difference, differences, of_parameters
from tests.parity.deviations import DEVIATIONS, outlived, unlisted
from tests.parity.meaning import says_the_same
from tests.parity.official import OfficialCommand, read_binaries
from tests.parity.ours import OurCommand, read_tree
from tests.parity.scope import OUT_OF_SCOPE, why_command_is_out

BINARIES = read_binaries()
OFFICIAL = BINARIES["fluvio"]
RECORDED = {command.path: command for tree in BINARIES.values() for command in tree.walk()}
OURS = read_tree()
FOUND = differences(OFFICIAL, OURS)


def test_every_difference_is_listed_with_a_reason():
    assert unlisted(FOUND) == []


def test_every_listed_deviation_is_still_there():
    assert outlived(FOUND) == []


def test_no_deviation_is_listed_twice():
    counts = Counter(key for deviation in DEVIATIONS for key in deviation.covered())
    assert [key for key, count in counts.items() if count > 1] == []


def test_the_recording_is_the_whole_command_line():
    commands = list(OFFICIAL.walk())
    assert (len(commands), sum(len(command.parameters) for command in commands)) == (83, 309)


def test_every_binary_is_compared_or_out_of_scope():
    assert [name for name in BINARIES if name != "fluvio" and why_command_is_out(name) is None] == []


@pytest.mark.parametrize("entry", OUT_OF_SCOPE, ids=lambda entry: f"{entry.command}{entry.flags[:1]}")
def test_what_is_out_of_scope_exists_in_the_recording(entry):
    recorded = {parameter.subject for parameter in RECORDED[entry.command].parameters}
    assert set(entry.flags) <= recorded


@pytest.mark.parametrize("entry", OUT_OF_SCOPE, ids=lambda entry: f"{entry.command}{entry.flags[:1]}")
def test_what_is_out_of_scope_is_absent_from_help(entry):
    if not entry.flags:
        parent, _, name = entry.command.rpartition(" ")
        assert entry.command not in OURS
        assert parent not in OURS or f"  {name} " not in OURS[parent].help_page()
    elif entry.command in OURS:
        page = OURS[entry.command].help_page().replace("=", " ").split()
        assert [flag for flag in entry.flags if flag in page] == []


@pytest.mark.parametrize("path", OURS)
def test_each_help_page_shows_what_is_not_hidden(path):
    mine = OURS[path]
    words = set(re.findall(r"--[a-z0-9-]+|<[^<>]+>|\[[a-zA-Z_: ]+\]", mine.help_page()))
    for each in mine.parameters:
        name = each.long_flag or f"{each.label[0]}{each.value_name}{each.label.rstrip('.')[-1]}"
        assert (name in words) != each.hidden, name
        assert each.help, name


# --- the comparison itself: it has to see what it is there for ---


def aspects(path: str, parameters: list[Parameter], rules: Rules | None = None) -> set[tuple[str, Aspect]]:
    """What is found at one command with these parameters, beyond what is found now."""
    mine = OURS[path]
    now = {difference.key for difference in FOUND}
    found = of_parameters(RECORDED[path], parameters, mine.rules if rules is None else rules)
    return {(each.subject, each.aspect) for each in found if each.key not in now}


def changed(path: str, name: str, **changes: object) -> list[Parameter]:
    """The parameters of a command, one of them changed."""
    return [replace(each, **changes) if each.name == name else each for each in OURS[path].parameters]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "name", "changes", "seen"),
    [
        ("fluvio consume", "beginning", {"flags": ("--beginning",)}, ("--beginning", Aspect.SHORT_FLAG)),
        ("fluvio consume", "topic", {"value_name": "TOPIC"}, ("<topic>", Aspect.VALUE_NAME)),
        ("fluvio consume", "partition", {"repeatable": False}, ("--partition", Aspect.REPEATABLE)),
        ("fluvio consume", "topic", {"required": False}, ("<topic>", Aspect.REQUIRED)),
        ("fluvio consume", "maxbytes", {"parse": str}, ("--maxbytes", Aspect.VALUES)),
        ("fluvio consume", "head", {"help": "Start before the end"}, ("--head", Aspect.HELP)),
        ("fluvio consume", "head", {"help": ""}, ("--head", Aspect.HELP)),
        ("fluvio produce", "batch_size", {"help": "Bytes of a batch"}, ("--batch-size", Aspect.DEFAULT)),
        ("fluvio topic create", "partitions", {"default": 2}, ("--partitions", Aspect.DEFAULT)),
        ("fluvio topic create", "system", {"hidden": False}, ("--system", Aspect.HIDDEN)),
        ("fluvio topic list", "output", {"choices": ("table", "json")}, ("--output", Aspect.LISTED)),
        ("fluvio topic list", "output", {"parse": str}, ("--output", Aspect.VALUES)),
    ],
)
def test_a_parameter_that_changes_is_found(path, name, changes, seen):
    assert seen in aspects(path, changed(path, name, **changes))


def test_a_parameter_that_goes_or_comes_is_found():
    parameters = list(OURS["fluvio produce"].parameters)
    without_raw = [each for each in parameters if each.name != "raw"]
    assert aspects("fluvio produce", without_raw) >= {("--raw", Aspect.MISSING)}
    more = [*parameters, Parameter("fast", ("--fast",), takes_value=False, help="Be quick")]
    assert aspects("fluvio produce", more) == {("--fast", Aspect.EXTRA)}


def test_conflicts_that_go_or_come_are_found():
    parameters = list(OURS["fluvio produce"].parameters)
    assert aspects("fluvio produce", parameters, Rules()) == {
        ("--key", Aspect.CONFLICTS),
        ("--key-separator", Aspect.CONFLICTS),
        ("--raw", Aspect.CONFLICTS),
    }
    rules = replace(OURS["fluvio produce"].rules, requires={"raw": ("file",)})
    assert aspects("fluvio produce", parameters, rules) == {("--raw", Aspect.REQUIRES)}


def test_a_command_that_goes_comes_or_hides_is_found():
    def keys(ours: dict[str, OurCommand]) -> set[tuple[str, str, Aspect]]:
        return {each.key for each in differences(OFFICIAL, ours)} - {each.key for each in FOUND}

    without = {path: mine for path, mine in OURS.items() if path != "fluvio topic list"}
    assert keys(without) == {("fluvio topic list", "", Aspect.MISSING)}
    leaf = Leaf("Purge", "nowhere:command")
    more = {**OURS, "fluvio topic purge": OurCommand("fluvio topic purge", leaf, "Purge", (), Rules())}
    assert keys(more) == {("fluvio topic purge", "", Aspect.EXTRA)}
    listing = OURS["fluvio topic list"]
    assert isinstance(listing.entry, Leaf)
    hidden = {**OURS, "fluvio topic list": replace(listing, entry=listing.entry._replace(hidden=True))}
    assert keys(hidden) == {("fluvio topic list", "", Aspect.HIDDEN)}
    profile = OURS["fluvio profile"]
    assert isinstance(profile.entry, Group)
    plain = {**OURS, "fluvio profile": replace(profile, entry=profile.entry._replace(default=None))}
    assert keys(plain) == {("fluvio profile", "", Aspect.DEFAULT)}


def test_an_alias_that_leads_elsewhere_is_found():
    official = replace(RECORDED["fluvio version"], aliases=("about",))
    tree: OfficialCommand = replace(OFFICIAL, parameters=(), subcommands=(official,))

    def found(ours: dict[str, OurCommand]) -> list[Difference]:
        return [each for each in differences(tree, ours) if each.aspect is Aspect.ALIAS]

    assert [each.official for each in found(OURS)] == ["fluvio about"]
    assert len(found({**OURS, "fluvio about": OURS["fluvio consume"]})) == 1
    assert found({**OURS, "fluvio about": OURS["fluvio version"]}) == []


def test_the_table_is_held_to_what_is_found():
    covered = set(DEVIATIONS[0].covered())
    assert {each.key for each in unlisted(FOUND, DEVIATIONS[1:])} == covered
    assert set(outlived([each for each in FOUND if each.key not in covered])) == covered


def test_texts_that_were_swapped_do_not_say_the_same():
    head, tail = "start this many records after the oldest", "start this many records before the end"
    assert says_the_same("Start so many records after the oldest", head, [tail])
    assert not says_the_same("Start so many records before the end", head, [tail])
    assert not says_the_same("Compress everything", head, [])
