"""The fast reader against the real one."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from fluvio_profiles.glance import NotPlainError, glance, scan

PLAIN = """\
version = "2.0"
current_profile = "prod"

[profile.prod]
cluster = "c"
[profile."a b"]
cluster = "other"

# remark
[cluster.c]
endpoint = "h:9003"
use_spu_local_address = false
[cluster.c.metadata]
installation = "local"
[cluster.c.metadata.fluvio_cli]
protection = "protected"
[cluster.other]
endpoint = "h:1"
"""
_NAMES = st.text(min_size=1, max_size=6)
_VALUES = st.one_of(st.text(max_size=8), st.booleans(), st.integers(-5, 2**40), st.lists(st.text(max_size=3)))
_DOCUMENTS = st.dictionaries(
    _NAMES,
    st.recursive(_VALUES, lambda inner: st.dictionaries(_NAMES, inner, max_size=3), max_leaves=6),
    max_size=5,
)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "config"
    path.write_text(text)
    return str(path)


def test_a_plain_file_is_read_without_the_real_parser() -> None:
    assert scan(PLAIN) == tomllib.loads(PLAIN)
    assert scan(PLAIN.replace("\n", "\r\n")) == tomllib.loads(PLAIN)


@given(_DOCUMENTS)
def test_what_is_read_is_what_the_real_parser_reads(document: dict[str, Any]) -> None:
    text = tomli_w.dumps(document)
    try:
        found = scan(text)
    except NotPlainError:
        return
    assert found == document


@pytest.mark.parametrize(
    "line",
    [
        'a = "x\\ty"',
        "a = '''",
        'a = """',
        "a = [",
        "a = {b = 1}",
        "a.b = 1",
        'a = "x" # "y"',
        "a = 1_000",
        "a = 007",
        "[[a]]",
        "[a",
        "[a.]",
        "[]",
        '["a\\n"]',
        "a =",
        "nonsense",
        "version = 1",
        "[profile.prod]",
    ],
)
def test_anything_else_is_left_to_the_real_parser(line: str) -> None:
    text = PLAIN.replace("[profile.prod]", f"{line}\n[profile.prod]", 1)
    with pytest.raises(NotPlainError):
        scan(text)


def test_a_glance_tells_profile_cluster_and_protection(tmp_path: Path) -> None:
    for text in (PLAIN, PLAIN + "\n[cluster.more]\nendpoint = 'h:2'\n"):
        path = written(tmp_path, text)
        assert glance(path, None) == ("prod", "c", "protected")
        assert glance(path, "a b") == ("a b", "other", "normal")
        assert glance(path, "nobody") is None


@pytest.mark.parametrize(
    "text", ["", 'current_profile = "x"\n', '[profile.x]\ncluster = "gone"\n', "profile = 1"]
)
def test_a_glance_at_nothing_is_none(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert glance(path, None) is None
    assert glance(path, "x") is None
