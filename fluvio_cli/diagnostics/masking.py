"""Takes secrets out of text: keys, certificates, tokens, passwords, and values of variables that are secret.

Server output and state have none by design. Who runs a cluster may still have put one into a path, a filter
or an address, and the archive goes to others; so what looks like a secret is replaced, and an innocent word
may go with it.
"""

import re
from collections.abc import Iterable, Mapping

MASK = "(left out)"
_SECRET_NAME = (
    r"(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)"
)
SECRET_VARIABLE = re.compile(rf"{_SECRET_NAME}|(?:^|_)(?:key|auth|pat|pwd)(?:_|$)", re.I)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.S)
_ASSIGNED = re.compile(
    rf"""(?P<name>["']?[\w.-]*{_SECRET_NAME}[\w.-]*["']?\s*[:=]\s*)"""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*'|[^\s,;&"'}})\]]+)""",
    re.I,
)
_BEARER = re.compile(r"\b(?P<name>(?:authorization\s*[:=]\s*)?(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.I)
_IN_ADDRESS = re.compile(r"(?P<name>\b[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.I)
# Tokens that their makers gave a form of their own: GitHub, GitLab, Slack, AWS, JSON Web Tokens.
_KNOWN_FORMS = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_SHORTEST_VALUE = 6  # shorter ones stand in texts by chance


class Masking:
    """Knows the values of secret variables of this call."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._values = secret_values(environment)

    def text(self, text: str) -> str:
        """`text` without secrets; lines stay lines, except for those inside of a key or certificate."""
        text = _PEM.sub(MASK, text)
        for value in self._values:
            text = text.replace(value, MASK)
        text = _KNOWN_FORMS.sub(MASK, text)
        text = _BEARER.sub(rf"\g<name>{MASK}", text)
        text = _IN_ADDRESS.sub(rf"\g<name>{MASK}@", text)
        return _ASSIGNED.sub(_without_value, text)


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """Values that stand nowhere, the longest first: a short one may be part of it."""
    found = {
        value
        for name, value in environment.items()
        if SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST_VALUE
    }
    return sorted(found, key=lambda value: (-len(value), value))


def variable_lines(environment: Mapping[str, str], shown: Iterable[str]) -> list[str]:
    """`NAME: (left out)` of the variables whose names begin with one of `shown`: that they are set counts."""
    prefixes = tuple(shown)
    return [f"{name}: {MASK}" for name in sorted(environment) if name.startswith(prefixes)]


def _without_value(found: "re.Match[str]") -> str:
    value = found["value"]
    if value.startswith(("/", "~")) or value in ("null", "None", "true", "false", MASK) or MASK in value:
        return found[0]  # a path to a key is none
    quote = value[0] if value[0] in "\"'" else ""
    if quote and value[1:2] in ("/", "~"):
        return found[0]
    return f"{found['name']}{quote}{MASK}{quote}"
