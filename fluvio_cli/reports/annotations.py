"""The words that CI systems read in a job's output, and what keeps foreign text from being taken for them.

Which system it is, its own variable tells. Sources are their documents: GitHub "Workflow commands", Azure
Pipelines "Logging commands", TeamCity "Service messages", GitLab "Custom collapsible sections" (it has no
other). FLUVIO_ANNOTATIONS=off turns annotations off; foreign text stays harmless all the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

OFF_VARIABLE = "FLUVIO_ANNOTATIONS"
_OFF_WORDS = ("off", "0", "no", "false")
MOST_MESSAGE = 4000  # characters; systems cut or refuse longer ones
# Anywhere in a line: Azure's and TeamCity's, and GitHub's old ones; at its beginning: GitHub's.
_HASHES = re.compile(r"##(?=[a-z]*\[)", re.I)
_COLONS = re.compile(r"^[\s\ufeff\u200b-\u200f]*::", re.M)
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


class System(StrEnum):
    """A CI system; the value is the variable that it sets."""

    GITHUB = "GITHUB_ACTIONS"
    AZURE = "TF_BUILD"
    TEAMCITY = "TEAMCITY_VERSION"
    GITLAB = "GITLAB_CI"


def system_of(environment: Mapping[str, str]) -> System | None:
    """Which system reads the output of this job."""
    return next((system for system in System if environment.get(system.value)), None)


def is_off(environment: Mapping[str, str]) -> bool:
    """Whether the user wants none."""
    return environment.get(OFF_VARIABLE, "").strip().lower() in _OFF_WORDS


def harmless(text: str) -> str:
    """`text` in which no system finds a command: such words are split, and control characters are gone."""
    text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text))
    text = _HASHES.sub("# #", text)
    return _COLONS.sub(lambda found: f"| {found[0].lstrip()}", text)


def error(system: System, title: str, message: str) -> str | None:
    """The line, without its end, that shows a failure beside the job; None where the system has none."""
    message = harmless(message if len(message) <= MOST_MESSAGE else f"{message[:MOST_MESSAGE]}...")
    title = harmless(title)
    if system is System.GITHUB:
        return f"::error title={_github_property(title)}::{_github(message)}"
    if system is System.AZURE:
        return f"##vso[task.logissue type=error]{_azure(f'{title}: {message}')}"
    if system is System.TEAMCITY:
        return f"##teamcity[message text='{_teamcity(f'{title}: {message}')}' status='ERROR']"
    return None


def group(system: System, title: str, lines: Sequence[str], number: int, now_s: float) -> str:
    """`lines`, which are foreign, as a part of the output that is shown on demand; with its line ends.

    `number` tells groups of one job apart, `now_s` is seconds since 1970.
    """
    begin, end = _BRACKETS[system](harmless(title).replace("\n", " "), f"fluvio_{number}", int(now_s))
    body = "".join(f"| {harmless(line)}\n" for line in lines)
    return f"{begin}\n{body}{end}\n"


def _github_group(title: str, _name: str, _now_s: int) -> tuple[str, str]:
    return f"::group::{_github(title)}", "::endgroup::"


def _azure_group(title: str, _name: str, _now_s: int) -> tuple[str, str]:
    return f"##[group]{title}", "##[endgroup]"


def _teamcity_group(title: str, _name: str, _now_s: int) -> tuple[str, str]:
    name = _teamcity(title)
    return f"##teamcity[blockOpened name='{name}']", f"##teamcity[blockClosed name='{name}']"


def _gitlab_group(title: str, name: str, now_s: int) -> tuple[str, str]:
    begin = f"\x1b[0Ksection_start:{now_s}:{name}[collapsed=true]\r\x1b[0K{title}"
    return begin, f"\x1b[0Ksection_end:{now_s}:{name}\r\x1b[0K"


_BRACKETS: Mapping[System, Callable[[str, str, int], tuple[str, str]]] = {
    System.GITHUB: _github_group,
    System.AZURE: _azure_group,
    System.TEAMCITY: _teamcity_group,
    System.GITLAB: _gitlab_group,
}


def _github(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github(text).replace(":", "%3A").replace(",", "%2C")


def _azure(text: str) -> str:
    text = text.replace("%", "%AZP25")
    return text.replace("\r", "%0D").replace("\n", "%0A")


def _teamcity(text: str) -> str:
    escaped = []
    for letter in text:
        if letter in "|'[]":
            escaped.append(f"|{letter}")
        elif letter in "\n\r":
            escaped.append("|n" if letter == "\n" else "|r")
        elif ord(letter) > 0xFFFF:
            high, low = divmod(ord(letter) - 0x10000, 0x400)
            escaped.append(f"|0x{0xD800 + high:04X}|0x{0xDC00 + low:04X}")
        elif ord(letter) > 126:
            escaped.append(f"|0x{ord(letter):04X}")
        elif letter == "\t" or ord(letter) >= 32:
            escaped.append(letter)
    return "".join(escaped)
