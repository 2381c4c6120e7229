"""Cases as JUnit XML: one suite in `testsuites`, in the form that CI systems' readers have in common.

There is no standard; this keeps to what Jenkins' schema allows and GitLab and the GitHub actions read:
attributes `name`, `tests`, `failures`, `errors`, `skipped`, `time`, `timestamp` of a suite, `classname`,
`name`, `time` of a case, in which stands at most one of `failure`, `error`, `skipped`, and `system-out`.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fluvio_cli.reports.cases import Case, Outcome, count

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# What XML 1.0 cannot hold, in whatever form: section 2.2, "Characters".
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_TAGS = {Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.SKIPPED: "skipped"}
MOST_TEXT = 64 * 1024  # characters of one text: readers refuse huge ones


def document(suite: str, cases: Sequence[Case], timestamp: str, seconds: float) -> bytes:
    """The file's content. `timestamp`: when it began, ISO 8601 without a zone, UTC; `seconds` it took."""
    from xml.etree import ElementTree

    sums = {
        "tests": str(len(cases)),
        "failures": str(count(cases, Outcome.FAILED)),
        "errors": str(count(cases, Outcome.ERROR)),
        "skipped": str(count(cases, Outcome.SKIPPED)),
        "time": f"{seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": clean(suite), **sums})
    inner = ElementTree.SubElement(root, "testsuite", {"name": clean(suite), **sums, "timestamp": timestamp})
    for case in cases:
        _add(inner, case)
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add(suite: "Element", case: Case) -> None:
    from xml.etree.ElementTree import SubElement

    element = SubElement(
        suite,
        "testcase",
        {"classname": clean(case.group), "name": clean(case.name), "time": f"{case.seconds:.3f}"},
    )
    tag = _TAGS.get(case.outcome)
    if tag is not None:
        child = SubElement(element, tag, {"message": clean(case.message)})
        if case.is_bad:
            child.set("type", case.outcome.value)
            child.text = clean(case.detail or case.message)
    if case.output:
        SubElement(element, "system-out").text = clean(case.output)


def clean(text: str) -> str:
    """`text` without what XML cannot hold and terminals' control sequences; cut where it is very long."""
    text = _FORBIDDEN.sub("\ufffd", _TERMINAL.sub("", text))
    return (
        text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}\n({len(text) - MOST_TEXT} more characters)"
    )
