"""Declarations in files: several files and forms make one, and what is wrong is named with file and key."""

import io
from pathlib import Path

import pytest

from fluvio_cli.declared.model import Declaration, DeclarationError, DeclaredProfile, Kind
from fluvio_cli.declared.reading import read_declaration
from fluvio_cli.yaml_files import MOST_BYTES, parse_yaml
from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource
from fluvio_protocol.api.table_format import TableFormatColumnConfig, TableFormatSpec
from fluvio_protocol.api.topic import SegmentBasedPolicy, TopicReplicaParam, TopicSpec

HEAD = "version: 1\n"
ONE = TopicSpec(replicas=TopicReplicaParam(partitions=1, replication_factor=1))


def read(*paths: Path | str, stdin: str = "") -> Declaration:
    return read_declaration([str(path) for path in paths], io.StringIO(stdin))


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_same_is_read_from_yaml_toml_json_and_standard_input(tmp_path: Path) -> None:
    expected = Declaration(
        {
            Kind.TOPIC: {
                "orders": TopicSpec(
                    replicas=TopicReplicaParam(partitions=3, replication_factor=1),
                    cleanup_policy=SegmentBasedPolicy(time_in_seconds=2 * 86_400),
                )
            },
            Kind.TABLE_FORMAT: {
                "hosts": TableFormatSpec(
                    name="hosts", columns=[TableFormatColumnConfig(key_path="ip", width="20")]
                )
            },
            Kind.PROFILE: {"prod": DeclaredProfile("prod", "h:9003", protection="protected")},
        }
    )
    yaml = (
        "version: 1\ntopics:\n  orders: {partition: {count: 3}, retention: {time: 2d}}\n"
        "table-formats:\n  hosts: {columns: [{keyPath: ip, width: 20}]}\n"
        "profiles:\n  prod: {endpoint: 'h:9003', protection: protected}\n"
    )
    toml = (
        'version = 1\n[topics.orders]\npartition.count = 3\nretention.time = "2d"\n'
        '[[table-formats.hosts.columns]]\nkeyPath = "ip"\nwidth = 20\n'
        '[profiles.prod]\nendpoint = "h:9003"\nprotection = "protected"\n'
    )
    json = (
        '{"version": 1, "topics": {"orders": {"partition": {"count": 3}, "retention": {"time": "2d"}}},'
        ' "table-formats": {"hosts": {"columns": [{"keyPath": "ip", "width": "20"}]}},'
        '\t"profiles": {"prod": {"endpoint": "h:9003", "protection": "protected"}}}'
    )
    assert read(written(tmp_path / "a.yaml", yaml)) == expected
    assert read(written(tmp_path / "no-suffix", yaml)) == expected
    assert read(written(tmp_path / "a.toml", toml)) == expected
    assert read(written(tmp_path / "a.json", json)) == expected
    assert read("-", stdin=yaml) == expected


def test_files_and_directories_make_one_declaration(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    written(tmp_path / "d" / "b.yml", HEAD + "topics: {b: }")
    written(tmp_path / "d" / "a.toml", "version = 1\n[topics.a]\n")
    written(tmp_path / "d" / ".hidden.yaml", "nonsense")
    written(tmp_path / "d" / "notes.md", "nonsense")
    first = written(tmp_path / "c.yaml", HEAD + "topics: {c: }\nprofiles: {}")
    assert read(first, tmp_path / "d").objects == {
        Kind.TOPIC: {"c": ONE, "a": ONE, "b": ONE},
        Kind.PROFILE: {},
    }


def test_a_section_that_is_left_out_or_null_is_no_section() -> None:
    assert read("-", stdin=HEAD + "topics:\nprofiles: {}").objects == {Kind.PROFILE: {}}
    assert not read("-", stdin=HEAD + "profiles: {}").needs_cluster
    assert read("-", stdin=HEAD + "table-formats: {}").needs_cluster


def test_names_are_text_as_they_are_written() -> None:
    text = HEAD + "topics: {on: , no: , 2024-01-01: , 1e-3x: }"
    assert set(read("-", stdin=text).objects[Kind.TOPIC]) == {"on", "no", "2024-01-01", "1e-3x"}


def test_aliases_and_merges_share_settings() -> None:
    text = (
        HEAD + "topics:\n  a: &big {partition: {count: 7}, retention: {time: 1d}}\n  b: *big\n"
        "  c: {<<: *big, partition: {count: 2}}\n"
    )
    topics = read("-", stdin=text).objects[Kind.TOPIC]
    assert topics["b"] == topics["a"]
    assert topics["c"].cleanup_policy == topics["a"].cleanup_policy
    assert topics["c"].replicas.partitions == 2


def test_profiles_have_the_words_of_the_profile_file() -> None:
    text = HEAD + (
        "profiles:\n  a:\n    endpoint: h:1\n    cluster: big\n    use_spu_local_address: true\n"
        "    installation: docker\n    description: ours\n"
        "    tls: {tls_policy: verified, tls_source: inline, certs: {domain: d, cert: C, ca_cert: CA}}\n"
    )
    assert read("-", stdin=text).objects[Kind.PROFILE]["a"] == DeclaredProfile(
        cluster="big",
        endpoint="h:1",
        use_spu_local_address=True,
        installation="docker",
        description="ours",
        tls=Tls(TlsPolicy.VERIFIED, TlsSource.INLINE, TlsCerts("d", "", "C", "CA")),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "standard input: the file: keys and their values are expected"),
        ("topics: {}", "standard input: missing field `version`"),
        ("version: 2", "version: it is 1 so far, not `2`"),
        (HEAD + "topic: {}", "unknown key `topic`"),
        (HEAD + "topics: []", "topics: names, each with its settings, are expected"),
        (HEAD + "topics: {A: }", "topics: `A` cannot be a name: Contain only lowercase"),
        (HEAD + "topics: {3: }", "topics: `3` cannot be a name: it is no text"),
        (HEAD + "topics: {a: 3}", "topics.a: keys and their values are expected"),
        (HEAD + "topics: {a: {name: b}}", "unknown key `topics.a.name`"),
        (HEAD + "topics: {a: {partition: {cuont: 3}}}", "unknown key `topics.a.partition.cuont`"),
        (HEAD + "topics: {a: {retention: {time: 5}}}", "topics.a.retention.time: time unit needed"),
        (
            HEAD + "topics: {a: {retention: {segment-size: 4 GiB}}}",
            "segment-size: it must be less than 4 GiB",
        ),
        (HEAD + "topics: {a: , a: }", "the key `a` is there twice, line 2, column 15"),
        (HEAD + "table-formats: {.a: }", "table-formats: `.a` cannot be a name"),
        (HEAD + "table-formats: {a: {columns: [{}]}}", "table-formats.a.columns[0]: missing field `keyPath`"),
        (
            HEAD + "table-formats: {a: {columns: [{keyPath: k, widht: 1}]}}",
            "unknown key `table-formats.a.columns[0].widht`",
        ),
        (HEAD + "profiles: {a: }", "profiles.a: missing field `endpoint`"),
        (HEAD + "profiles: {a: {endpoint: h}}", "profiles.a.endpoint: host:port is expected, not `h`"),
        (HEAD + "profiles: {a: {endpoint: 'h:1', tls: {tls_policy: x}}}", "tls_policy: one of disabled, "),
        (
            HEAD + "profiles: {a: {endpoint: 'h:1', tls: {tls_policy: anonymous, certs: {}}}}",
            "unknown key `profiles.a.tls.certs`",
        ),
        (
            HEAD + "profiles: {a: {endpoint: 'h:1', tls: {tls_policy: verified, tls_source: files, certs: "
            "{domain: d, cert: c, ca_cert: a}}}}",
            "profiles.a.tls.certs: missing field `key`",
        ),
        (
            HEAD + "profiles: {a: {endpoint: 'h:1', cluster: c}, b: {endpoint: 'h:2', cluster: c}}",
            "profiles `a` and `b` name cluster `c` and differ in what it is",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, told: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        read("-", stdin=text)
    assert told in str(caught.value)


def test_a_name_stands_in_one_file_only(tmp_path: Path) -> None:
    first = written(tmp_path / "a.yaml", HEAD + "topics: {t: }")
    second = written(tmp_path / "b.yaml", HEAD + "topics: {t: }")
    with pytest.raises(DeclarationError, match=f"^{second}: topic `t` is declared in {first} as well$"):
        read(first, second)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", "version = ", "is not TOML"),
        ("a.toml", "a = " + "[" * 5000, "is not TOML"),
        ("a.json", "{", "is not JSON"),
        ("a.json", '{"version": 1, "version": 1}', "the key `version` is there twice"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.yaml", "[" * 100_000, "is not YAML"),
        ("a.yaml", "a: &a [*a]", "an alias stands within what it repeats"),
        ("a.yaml", "? [a]\n: b", "a key that is no text"),
        ("a.yaml", "a: !!python/object:os.system x", "is not YAML"),
        ("a.yaml", "a: 1\n---\nb: 2", "is not YAML"),
        ("a.yaml", "x" * (MOST_BYTES + 1), "is larger than"),
    ],
)
def test_a_file_that_is_none_of_its_form_is_an_error_that_names_it(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    path = written(tmp_path / name, text)
    with pytest.raises(DeclarationError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


def test_aliases_cannot_make_a_small_file_a_huge_document() -> None:
    lines = ["a0: &a0 [" + "x, " * 20 + "]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}, " * 20 + "]" for n in range(1, 8)]
    with pytest.raises(DeclarationError, match="with its aliases it has more than"):
        parse_yaml("\n".join(lines), "f", DeclarationError)


def test_what_is_endless_missing_or_empty_ends(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="is larger than"):
        read("/dev/zero")
    with pytest.raises(DeclarationError, match="standard input is larger than"):
        read("-", stdin=" " * (MOST_BYTES + 1))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.yaml")
    with pytest.raises(DeclarationError, match="has no file that ends in"):
        read(tmp_path)
