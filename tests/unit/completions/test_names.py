"""The cache of names: old, broken, huge, shared, and on a disk that cannot be written."""

import json
import os
import time
from pathlib import Path

from fluvio_completions.names import MOST, STALE_S, NameCache, cache_directory


def test_what_was_remembered_is_read_by_kind_and_in_order(tmp_path: Path) -> None:
    cache = NameCache(tmp_path / "names", "h:9003")
    assert cache.read("topic") == []
    cache.remember("topic", ["b", "a", "b"])
    cache.remember("spu", ["5001"])
    assert NameCache(tmp_path / "names", "h:9003").read("topic") == ["a", "b"]
    assert cache.read("spu") == ["5001"]
    assert NameCache(tmp_path / "names", "h:9004").read("topic") == []
    cache.add("topic", "c")
    cache.remove("topic", "a")
    assert cache.read("topic") == ["b", "c"]
    assert cache.path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_read_counts_as_nothing(tmp_path: Path) -> None:
    cache = NameCache(tmp_path, "h:1")
    for content in (b"", b"{", b"[1]", b'{"topic": [1, "a", null]}', b'{"topic": "a"}', b"\xff\xfe"):
        cache.path.write_bytes(content)
        assert cache.read("topic") == (["a"] if b'"a", null' in content else [])
    cache.path.write_bytes(b'{"topic": ["' + b"x" * (1 << 20) + b'"]}')
    assert cache.read("topic") == []


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    cache = NameCache(tmp_path, "h:1")
    cache.remember("topic", (f"t{i:06}" for i in range(MOST + 100)))
    assert len(cache.read("topic")) == MOST


def test_a_directory_that_cannot_be_made_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = NameCache(tmp_path / "file" / "names", "h:1")
    cache.remember("topic", ["a"])
    assert cache.read("topic") == []
    assert not cache.take_turn()


def test_an_address_is_a_file_name_whatever_it_holds(tmp_path: Path) -> None:
    cache = NameCache(tmp_path, "../../etc:[::1]/x" * 40)
    cache.remember("topic", ["a"])
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path]


def test_one_renews_old_names_and_others_wait(tmp_path: Path) -> None:
    cache = NameCache(tmp_path / "names", "h:1")
    assert cache.take_turn()
    assert not NameCache(tmp_path / "names", "h:1").take_turn()
    cache.remember("topic", ["a"])
    assert not cache.take_turn()
    past = time.time() - STALE_S - 1
    for path in (tmp_path / "names").iterdir():
        os.utime(path, (past, past))
    assert cache.take_turn()


def test_a_clock_that_was_set_back_does_not_stop_renewing(tmp_path: Path) -> None:
    cache = NameCache(tmp_path, "h:1")
    cache.remember("topic", ["a"])
    future = time.time() + 86_400
    os.utime(cache.path, (future, future))
    assert cache.take_turn()


def test_names_only_are_kept(tmp_path: Path) -> None:
    cache = NameCache(tmp_path, "h:1")
    cache.remember("consumer", ["a"])
    assert json.loads(cache.path.read_text()) == {"consumer": ["a"]}


def test_the_directory_is_where_caches_go(tmp_path: Path) -> None:
    assert cache_directory({"XDG_CACHE_HOME": "/x"}, tmp_path) == Path("/x/fluvio-cli/names")
    assert cache_directory({}, tmp_path) == tmp_path / ".cache" / "fluvio-cli" / "names"
