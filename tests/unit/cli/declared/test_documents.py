"""What is exported is read as what it was made of, and equal objects have equal settings."""

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.declared.documents import UndeclarableError, document_of, exact_size, settings_of
from fluvio_cli.declared.model import DeclaredProfile, Kind
from fluvio_cli.declared.reading import read_object
from fluvio_cli.output.structured import render_structured
from fluvio_cli.values import parse_byte_size
from fluvio_cli.yaml_files import parse_yaml
from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource
from fluvio_protocol.api.mirror import HomeMirrorConfig
from fluvio_protocol.api.table_format import (
    Color,
    DataFormat,
    TableFormatAlignment,
    TableFormatColumnConfig,
    TableFormatSpec,
)
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    Bounds,
    CompressionAlgorithm,
    Deduplication,
    Duration,
    Filter,
    MirrorReplicas,
    PartitionMap,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
    TopicStorageConfig,
    Transform,
)

u32 = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
topics = st.builds(
    TopicSpec,
    replicas=st.one_of(
        st.builds(
            TopicReplicaParam, partitions=u32, replication_factor=u32, ignore_rack_assignment=st.booleans()
        ),
        st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=3), max_size=4).map(
            lambda rows: AssignedReplicas(
                maps=[PartitionMap(id=index, replicas=row) for index, row in enumerate(rows)]
            )
        ),
    ),
    cleanup_policy=st.none() | st.builds(SegmentBasedPolicy, time_in_seconds=u32),
    storage=st.none()
    | st.builds(
        TopicStorageConfig,
        segment_size=st.none() | u32,
        max_partition_size=st.none() | st.integers(0, 2**64 - 1),
    ),
    compression_type=st.sampled_from(CompressionAlgorithm),
    deduplication=st.none()
    | st.builds(
        Deduplication,
        bounds=st.builds(
            Bounds,
            count=u32,
            age=st.none() | st.builds(Duration, seconds=u32, nanos=st.integers(0, 10**9 - 1)),
        ),
        filter=st.builds(
            Filter,
            transform=st.builds(Transform, uses=texts, with_=st.dictionaries(texts, texts, max_size=3)),
        ),
    ),
)
columns = st.builds(
    TableFormatColumnConfig,
    header_label=st.none() | texts,
    width=st.none() | st.integers(1, 65_535).map(str),
    alignment=st.none() | st.sampled_from(TableFormatAlignment),
    key_path=texts,
    format=st.none() | texts,
    display=st.none() | st.booleans(),
    primary_key=st.none() | st.booleans(),
    header_bg_color=st.none() | st.sampled_from(Color),
    header_text_color=st.none() | st.sampled_from(Color),
)
table_formats = st.builds(
    TableFormatSpec,
    name=st.just("t"),
    input_format=st.none() | st.sampled_from(DataFormat),
    columns=st.none() | st.lists(columns, max_size=3),
    smartmodule=st.none() | texts,
)
lines = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=20)
tls = st.one_of(
    st.just(Tls()),
    st.just(Tls(TlsPolicy.ANONYMOUS)),
    st.builds(Tls, st.just(TlsPolicy.VERIFIED), st.just(TlsSource.FILES), st.builds(TlsCerts, *[texts] * 4)),
    st.builds(Tls, st.just(TlsPolicy.VERIFIED), st.just(TlsSource.INLINE), st.builds(TlsCerts, *[lines] * 4)),
)
profiles = st.builds(
    DeclaredProfile,
    cluster=lines,
    endpoint=st.integers(0, 99_999).map(lambda port: f"h:{port}"),
    use_spu_local_address=st.booleans(),
    installation=st.none() | st.sampled_from(["k8", "local", "docker"]),
    protection=st.none() | st.sampled_from(["normal", "protected", "read-only"]),
    description=st.none() | lines,
    tls=tls,
)
OBJECTS = st.one_of(
    st.tuples(st.just(Kind.TOPIC), topics),
    st.tuples(st.just(Kind.TABLE_FORMAT), table_formats),
    st.tuples(st.just(Kind.PROFILE), profiles),
)


PARSERS: dict[str, Callable[[str], Any]] = {
    "yaml": lambda text: parse_yaml(text, "f", ValueError),
    "toml": tomllib.loads,
    "json": json.loads,
}


@given(OBJECTS, st.sampled_from(["yaml", "json", "toml"]))
def test_a_document_is_read_as_the_object_it_was_made_of(subject: tuple[Kind, Any], form: str) -> None:
    kind, spec = subject
    text = render_structured({"t": document_of(kind, spec)}, form)
    document = PARSERS[form](text)
    again = read_object(kind, "t", document["t"])
    assert settings_of(kind, again) == settings_of(kind, spec)


@given(st.integers(0, 2**64 - 1) | st.integers(0, 2**20).map(lambda n: n * 1000) | u32.map(lambda n: n << 20))
def test_a_size_is_written_to_the_byte(size: int) -> None:
    assert parse_byte_size(str(exact_size(size))) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, 0),
        (999, 999),
        (1000, "1 KB"),
        (1024, "1 KiB"),
        (64_000_000, "64 MB"),
        (1 << 30, "1 GiB"),
        (1025, 1025),
    ],
)
def test_a_size_is_written_as_people_would(size: int, text: int | str) -> None:
    assert exact_size(size) == text


def test_what_has_its_default_is_left_out_and_counts_as_if_it_were_said() -> None:
    plain = TopicSpec(replicas=TopicReplicaParam(partitions=2, replication_factor=1))
    said = TopicSpec(
        replicas=TopicReplicaParam(partitions=2, replication_factor=1),
        cleanup_policy=SegmentBasedPolicy(time_in_seconds=604_800),
        storage=TopicStorageConfig(segment_size=1 << 30),
    )
    assert document_of(Kind.TOPIC, plain) == {"partition": {"count": 2, "replication": 1}}
    assert settings_of(Kind.TOPIC, plain) == settings_of(Kind.TOPIC, said)


def test_mirrors_cannot_be_declared() -> None:
    with pytest.raises(UndeclarableError, match="mirror"):
        document_of(Kind.TOPIC, TopicSpec(replicas=MirrorReplicas(config=HomeMirrorConfig(partitions=[]))))


def test_a_profile_without_the_path_of_a_key_is_read_back() -> None:
    files = Tls(TlsPolicy.VERIFIED, TlsSource.FILES, TlsCerts("d", "", "c", "ca"))
    assert document_of(Kind.PROFILE, DeclaredProfile("c", "h:1", tls=files))["tls"]["certs"]["key"] == ""


def test_an_export_has_no_private_key_but_the_path_of_one() -> None:
    certs = TlsCerts("d", "KEY", "c", "ca")
    inline = DeclaredProfile("c", "h:1", tls=Tls(TlsPolicy.VERIFIED, TlsSource.INLINE, certs))
    files = DeclaredProfile("c", "h:1", tls=Tls(TlsPolicy.VERIFIED, TlsSource.FILES, certs))
    assert "KEY" not in str(document_of(Kind.PROFILE, inline, with_keys=False))
    assert document_of(Kind.PROFILE, files, with_keys=False)["tls"]["certs"]["key"] == "KEY"
    assert inline.tls.certs is not None
    assert inline.tls.certs.key == "KEY"
