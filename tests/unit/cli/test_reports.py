"""Reports for CI systems: their form, and that nothing foreign in them becomes a command."""

import io
import re
import signal
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import junitparser
import pytest

from fluvio_cli.context import CliContext
from fluvio_cli.failures import UnknownNameError
from fluvio_cli.output.printer import _CI_VARIABLES, Printer
from fluvio_cli.reports import annotations, junit, summary
from fluvio_cli.reports.annotations import System
from fluvio_cli.reports.cases import MOST_NAME, Case, Outcome, one_line, shortened
from fluvio_cli.reports.judging import ReportError, checked_place, judged, wish_of
from fluvio_local_cluster.lifecycle.errors import ServerFailedError
from fluvio_profiles.resolve import TargetOptions

GOOD = Case("fluvio.x", "good", seconds=0.25)
BAD = Case(
    "fluvio.x", "bad", Outcome.FAILED, 1.5, "it is bad", "it is bad\nbecause", "line 1\nline 2", "sc.log"
)
CASES = [
    GOOD,
    BAD,
    Case("fluvio.x", "odd", Outcome.ERROR, message="interrupted"),
    Case("g", "s", Outcome.SKIPPED),
]
ALL_CONTROLS = "".join(map(chr, range(0x20))) + "\x7f\x85\ufffe\uffff\ud800"


def context(tmp_path: Path, **environment: str) -> CliContext:
    printer = Printer(io.StringIO(), io.StringIO(), environment)
    home = tmp_path / "home"
    return CliContext(
        environment, home, home / "config", TargetOptions(), printer, io.StringIO(), home / "fluvio"
    )


def printed(cli: CliContext) -> str:
    assert isinstance(cli.printer.stderr, io.StringIO)
    return cli.printer.stderr.getvalue()


# --- JUnit -----------------------------------------------------------------------------------------------


def parsed(content: bytes) -> list[junitparser.TestCase]:
    [suite] = junitparser.JUnitXml.fromstring(content.decode())
    return list(suite)


def test_a_reader_of_others_finds_every_case_and_its_outcome() -> None:
    good, bad, odd, skipped = parsed(junit.document("fluvio x", CASES, "2026-01-02T03:04:05", 2.0))
    assert (good.name, good.classname, good.time, good.is_passed) == ("good", "fluvio.x", 0.25, True)
    [result] = bad.result
    assert isinstance(result, junitparser.Failure)
    assert (result.message, result.text, bad.system_out) == (
        "it is bad",
        "it is bad\nbecause",
        "line 1\nline 2",
    )
    assert isinstance(odd.result[0], junitparser.Error)
    assert isinstance(skipped.result[0], junitparser.Skipped)


def test_sums_stand_at_the_suite_and_above_it() -> None:
    root = ElementTree.fromstring(junit.document("fluvio x", CASES, "2026-01-02T03:04:05", 2.0))
    expected = {
        "name": "fluvio x",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "2.000",
    }
    assert root.tag == "testsuites"
    assert root.attrib == expected
    assert root[0].attrib == {**expected, "timestamp": "2026-01-02T03:04:05"}


ELEMENTS = {  # what Jenkins' schema allows of what is used: attributes, and elements in it
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"testcase"},
    ),
    "testcase": ({"classname", "name", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


@pytest.mark.parametrize("text", [ALL_CONTROLS, "<&>\"']]>", "\x1b[31mred\x1b[0m", "名前", ""])
def test_whatever_text_there_is_the_file_keeps_to_the_schema(text: str) -> None:
    case = Case(text, text, Outcome.FAILED, 0.0, text, text, text)
    content = junit.document(text, [case, GOOD], "2026-01-02T03:04:05", 0.0)
    for element in ElementTree.fromstring(content).iter():
        attributes, inner = ELEMENTS[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= inner
    assert len(parsed(content)) == 2


def test_text_is_kept_but_for_what_xml_cannot_hold() -> None:
    assert junit.clean("a\tb\nc\x00d\x1b[1mé\x1b[0m") == "a\tb\nc\ufffddé"
    assert len(junit.clean("x" * 10**6)) < junit.MOST_TEXT + 50


# --- annotations -----------------------------------------------------------------------------------------


def test_github_gets_an_error_with_everything_escaped() -> None:
    line = annotations.error(System.GITHUB, "a: b, c%\n", "100%\nsecond\rthird: x, y")
    assert line == "::error title=a%3A b%2C c%25%0A::100%25%0Asecond%0Athird: x, y"


def test_the_others_get_it_in_their_words() -> None:
    assert annotations.error(System.AZURE, "t", "1%\n2") == "##vso[task.logissue type=error]t: 1%AZP25%0A2"
    told = annotations.error(System.TEAMCITY, "t", "it's [a|b]\né😀")
    assert told == "##teamcity[message text='t: it|'s |[a||b|]|n|0x00E9|0xD83D|0xDE00' status='ERROR']"
    assert annotations.error(System.GITLAB, "t", "m") is None


@pytest.mark.parametrize(
    ("system", "first", "last"),
    [
        (System.GITHUB, "::group::of sc.log", "::endgroup::"),
        (System.AZURE, "##[group]of sc.log", "##[endgroup]"),
        (
            System.TEAMCITY,
            "##teamcity[blockOpened name='of sc.log']",
            "##teamcity[blockClosed name='of sc.log']",
        ),
        (
            System.GITLAB,
            "\x1b[0Ksection_start:7:fluvio_3[collapsed=true]\r\x1b[0Kof sc.log",
            "\x1b[0Ksection_end:7:fluvio_3\r\x1b[0K",
        ),
    ],
)
def test_output_is_put_into_a_group(system: System, first: str, last: str) -> None:
    text = annotations.group(system, "of sc.log", ["one", "::endgroup::"], 3, 7.9)
    assert text == f"{first}\n| one\n| | ::endgroup::\n{last}\n"


SMUGGLED = (
    "::set-output name=a::b",
    "  \t::error::x",
    "\ufeff::stop-commands::t",
    "first\r::set-env name=PATH::x",
    "first\n::add-path::x",
    "first\u2028::warning::x",
    "x ##[set-env name=PATH;]y",
    "x ##vso[task.setvariable variable=PATH]y",
    "##VSO[task.prependpath]y",
    "##teamcity[buildStop comment='x']",
    "\x1b[0Ksection_start:1:a\r\x1b[0Kx",
    "##\x00vso[task.setvariable variable=PATH]y",
    ":\x01:set-output name=a::b",
)
_COMMANDS = re.compile(r"(?:^\s*::|##[a-z]*\[|\x1b|\r)", re.I | re.M)


@pytest.mark.parametrize("text", SMUGGLED)
def test_no_command_is_left_in_foreign_text(text: str) -> None:
    assert not _COMMANDS.search(annotations.harmless(text))


@pytest.mark.parametrize("text", SMUGGLED)
@pytest.mark.parametrize("system", list(System))
def test_what_is_printed_has_no_command_but_its_own(system: System, text: str) -> None:
    line = annotations.error(system, text, text) or ""
    own = {System.GITHUB: "::error ", System.AZURE: "##vso[", System.TEAMCITY: "##teamcity["}.get(system, "")
    assert "\n" not in line
    assert "\r" not in line
    assert not _COMMANDS.search(line.removeprefix(own))
    body = annotations.group(system, "t", [text], 1, 1.0).split("\n")[1:-2]
    assert not [shown for shown in body if _COMMANDS.search(shown)]


def test_ordinary_text_stays_as_it_is() -> None:
    text = "SC ended: std::io::Error at 12:30 ## heading\n\tindented [x]"
    assert annotations.harmless(text) == text


@pytest.mark.parametrize(
    ("environment", "system"),
    [
        ({}, None),
        ({"GITHUB_ACTIONS": "true"}, System.GITHUB),
        ({"TF_BUILD": "True"}, System.AZURE),
        ({"TEAMCITY_VERSION": "2024.1"}, System.TEAMCITY),
        ({"GITLAB_CI": "true"}, System.GITLAB),
        ({"CI": "true"}, None),
    ],
)
def test_the_system_is_known_by_its_variable(environment: dict[str, str], system: System | None) -> None:
    assert wish_of(environment, None).system is system
    assert wish_of({**environment, "FLUVIO_ANNOTATIONS": "off"}, None).system is None


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION", "GITLAB_CI"])
def test_errors_are_printed_harmless_where_a_system_reads_them(tmp_path: Path, variable: str) -> None:
    cli = context(tmp_path, **{variable: "1"})
    cli.printer.error("failed:\n::set-output name=a::b")
    assert printed(cli) == "failed:\n| ::set-output name=a::b\n"
    plain = context(tmp_path)
    plain.printer.error("::x")
    assert printed(plain) == "::x\n"


# --- the summary -----------------------------------------------------------------------------------------


def test_the_summary_is_a_table_with_the_bad_ones_first() -> None:
    lines = summary.table("fluvio x", [GOOD, replace(BAD, message="a|b <img>\n`c`")], 2.0).splitlines()
    assert lines[1] == "### ❌ fluvio x: failed"
    assert "1 of 2 passed, 2.0 s" in lines
    assert lines[-3:-1] == [r"| ❌ | bad | 1.50 | a\|b \<img\> \`c\` |", "| ✅ | good | 0.25 |  |"]


def test_a_summary_of_many_is_cut() -> None:
    text = summary.table("x", [GOOD] * 250, 1.0)
    assert text.count("| good |") == summary.MOST_ROWS
    assert "and 150 more" in text


# --- judging ---------------------------------------------------------------------------------------------


def test_a_command_that_is_content_has_a_report_of_its_cases(tmp_path: Path) -> None:
    cli = context(tmp_path)
    path = tmp_path / "report.xml"
    with judged(cli, "fluvio x", str(path)) as verdict:
        verdict.add("one", seconds=0.5)
        verdict.add("two", "bad\nreason")
        verdict.skip("three", "not asked for")
    one, two, three = parsed(path.read_bytes())
    assert (one.classname, one.is_passed, three.is_skipped) == ("fluvio.x", True, True)
    assert (two.result[0].message, two.result[0].text) == ("bad", "bad\nreason")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.xml"]


def test_a_failure_without_a_case_becomes_one(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"

    def work() -> None:
        with judged(context(tmp_path), "fluvio x", str(path)) as verdict:
            verdict.add("one")
            raise UnknownNameError("no such thing", hint="look elsewhere")

    with pytest.raises(UnknownNameError):
        work()
    one, whole = parsed(path.read_bytes())
    assert one.is_passed
    assert whole.name == "fluvio x"
    assert whole.result[0].text == "no such thing\nhint: look elsewhere"


def test_a_failure_that_cases_tell_of_is_not_told_twice(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"

    def work() -> None:
        with judged(context(tmp_path), "fluvio x", str(path)) as verdict:
            verdict.add("one", "bad")
            raise UnknownNameError("one is bad")

    with pytest.raises(UnknownNameError):
        work()
    assert [case.name for case in parsed(path.read_bytes())] == ["one"]


def test_secrets_are_in_no_report(tmp_path: Path) -> None:
    page, path = tmp_path / "page.md", tmp_path / "report.xml"
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page), "DEPLOY_TOKEN": "deploy-value"}
    cli = context(tmp_path, **environment)
    printed_by_server = ["password=hunter2", "with deploy-value"]
    failure = ServerFailedError("SC ended: token=abcdef", tmp_path / "sc.log", printed_by_server)

    def work() -> None:
        with judged(cli, "fluvio x", str(path)) as verdict:
            verdict.add("with deploy-value")
            raise failure

    with pytest.raises(ServerFailedError):
        work()
    for text in (printed(cli), page.read_text(), path.read_text()):
        assert "left out" in text
        assert not [secret for secret in ("hunter2", "deploy-value", "abcdef") if secret in text]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_has_a_report_that_says_so(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "report.xml"

    def work() -> None:
        with judged(context(tmp_path), "fluvio x", str(path)) as verdict:
            verdict.add("one", "bad")
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        work()
    one, whole = parsed(path.read_bytes())
    assert not one.is_passed
    assert whole.result[0].message == "interrupted"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_annotations_come_with_the_server_s_output_and_a_summary(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    cli = context(tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page))
    failure = ServerFailedError(
        "SC ended with exit code 1", tmp_path / "flv_sc.log", ["::set-output name=a::b"]
    )

    def work() -> None:
        with judged(cli, "fluvio cluster start"):
            raise failure

    with pytest.raises(ServerFailedError):
        work()
    assert printed(cli).splitlines() == [
        "::error title=fluvio cluster start%3A fluvio cluster start::SC ended with exit code 1",
        "::group::output of flv_sc.log",
        "| | ::set-output name=a::b",
        "::endgroup::",
    ]
    assert page.read_text().startswith("before\n\n### ❌ fluvio cluster start: failed\n")


def test_more_failures_than_are_shown_are_counted(tmp_path: Path) -> None:
    cli = context(tmp_path, GITHUB_ACTIONS="true")
    with judged(cli, "fluvio x") as verdict:
        for number in range(25):
            verdict.add(f"case {number}", "bad")
    lines = printed(cli).splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith("::bad (and 15 more failures)")


def test_without_a_wish_nothing_is_printed_and_sigterm_is_left_alone(tmp_path: Path) -> None:
    cli = context(tmp_path, CI="true")
    with judged(cli, "fluvio x") as verdict:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        verdict.add("one", "bad")
    assert printed(cli) == ""


@pytest.mark.parametrize("name", ["no/report.xml", "home"])
def test_a_report_that_could_not_be_written_is_told_before_the_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "home").mkdir()
    began: list[str] = []

    def work() -> None:
        with judged(context(tmp_path), "fluvio x", str(tmp_path / name)) as verdict:
            began.append(verdict.command)

    with pytest.raises(ReportError):
        work()
    assert began == []


def test_a_report_that_cannot_be_written_in_the_end_fails_a_content_command_only(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    path = str(place / "report.xml")

    def work() -> None:
        with judged(context(tmp_path), "fluvio x", path):
            place.rmdir()

    with pytest.raises(ReportError):
        work()
    place.mkdir()
    cli = context(tmp_path)

    def failing_work() -> None:
        with judged(cli, "fluvio x", path):
            place.rmdir()
            raise UnknownNameError("x")

    with pytest.raises(UnknownNameError):
        failing_work()
    assert "the report cannot be written" in printed(cli)


def test_a_device_is_written_to_and_stays_one() -> None:
    assert checked_place("/dev/null") == Path("/dev/null")


def test_a_long_command_is_cut_to_a_name() -> None:
    assert shortened("sh -c 'a\n  b'") == "sh -c 'a b'"
    assert len(shortened("x" * 1000)) == MOST_NAME


def test_the_first_line_that_says_something_is_the_message() -> None:
    assert one_line("\n  \n  first \nsecond") == "first"


def test_the_printer_knows_the_variables_without_loading_the_systems() -> None:
    assert set(_CI_VARIABLES) == {system.value for system in System}
