"""Objects as the documents that `export` writes, and as flat settings that a plan compares. Pure.

The inverse of the readers: reading a document gives the object back. What has its default is left out.
"""

from collections.abc import Mapping
from typing import Any

from fluvio_cli.declared.model import DeclaredProfile, Kind
from fluvio_cli.values import format_duration_ns, parse_byte_size
from fluvio_profiles.model import TlsPolicy, TlsSource, tls_document
from fluvio_protocol.api.table_format import TableFormatSpec
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    CompressionAlgorithm,
    Deduplication,
    TopicReplicaParam,
    TopicSpec,
)
from fluvio_types.defaults import RETENTION_S, SEGMENT_BYTES

KEY_SETTING = "tls.certs.key"
KEPT_SETTINGS = (KEY_SETTING, "installation", "protection", "description")  # where they are not declared


class UndeclarableError(ValueError):
    """An object that no declaration can say; the text is the reason."""


def document_of(kind: Kind, spec: Any, *, with_keys: bool = True) -> dict[str, Any]:
    """The document of an object; without `with_keys` private keys are left out that stand in it themselves.

    Raises `UndeclarableError`.
    """
    if kind is Kind.TOPIC:
        return topic_document(spec)
    if kind is Kind.TABLE_FORMAT:
        return table_format_document(spec)
    return profile_document(spec, with_keys=with_keys)


def topic_document(spec: TopicSpec) -> dict[str, Any]:
    """A topic's settings in the layout of docs/topic-config.md. Raises `UndeclarableError`."""
    partition: dict[str, Any] = {}
    if isinstance(spec.replicas, TopicReplicaParam):
        partition = {"count": spec.replicas.partitions, "replication": spec.replicas.replication_factor}
        if spec.replicas.ignore_rack_assignment:
            partition["ignore-rack-assignment"] = True
    elif isinstance(spec.replicas, AssignedReplicas):
        partition["maps"] = [{"id": row.id, "replicas": list(row.replicas)} for row in spec.replicas.maps]
    else:
        raise UndeclarableError("it is a mirror")
    retention: dict[str, Any] = {}
    if spec.cleanup_policy is not None:
        retention["time"] = format_duration_ns(spec.cleanup_policy.time_in_seconds * 10**9)
    if spec.storage is not None:
        if spec.storage.segment_size is not None:
            retention["segment-size"] = exact_size(spec.storage.segment_size)
        if spec.storage.max_partition_size is not None:
            partition["max-size"] = exact_size(spec.storage.max_partition_size)
    document: dict[str, Any] = {"partition": partition}
    if retention:
        document["retention"] = retention
    if spec.compression_type is not CompressionAlgorithm.ANY:
        document["compression"] = {"type": spec.compression_type.name.capitalize()}
    if spec.deduplication is not None:
        document["deduplication"] = _deduplication_document(spec.deduplication)
    return document


def _deduplication_document(deduplication: Deduplication) -> dict[str, Any]:
    bounds: dict[str, Any] = {"count": deduplication.bounds.count}
    if (age := deduplication.bounds.age) is not None:
        bounds["age"] = format_duration_ns(age.seconds * 10**9 + age.nanos)
    transform: dict[str, Any] = {"uses": deduplication.filter.transform.uses}
    if deduplication.filter.transform.with_:
        transform["with"] = dict(deduplication.filter.transform.with_)
    return {"bounds": bounds, "filter": {"transform": transform}}


def table_format_document(spec: TableFormatSpec) -> dict[str, Any]:
    """A layout in the form of docs/table-formats.md, without its name."""

    def word(member: Any) -> str | None:
        return None if member is None else str(member.name)

    columns = None
    if spec.columns is not None:
        columns = [
            _present(
                headerLabel=column.header_label,
                width=column.width,
                alignment=word(column.alignment),
                keyPath=column.key_path,
                format=column.format,
                display=column.display,
                primaryKey=column.primary_key,
                headerBgColor=word(column.header_bg_color),
                headerTextColor=word(column.header_text_color),
            )
            for column in spec.columns
        ]
    return _present(inputFormat=word(spec.input_format), columns=columns, smartmodule=spec.smartmodule)


def profile_document(profile: DeclaredProfile, *, with_keys: bool = True) -> dict[str, Any]:
    """A profile with its cluster, in the words of the profile file."""
    document: dict[str, Any] = {"endpoint": profile.endpoint, "cluster": profile.cluster}
    if profile.use_spu_local_address:
        document["use_spu_local_address"] = True
    optional = {"installation": profile.installation, "protection": profile.protection}
    document |= {key: value for key, value in optional.items() if value is not None}
    if profile.description is not None:
        document["description"] = profile.description
    if profile.tls.policy is not TlsPolicy.DISABLED:
        tls = tls_document(profile.tls)
        certs, is_inline = profile.tls.certs, profile.tls.source is TlsSource.INLINE
        if certs is not None and is_inline and not (certs.key and with_keys):
            del tls["certs"][
                "key"
            ]  # the path of a file is no secret, and has to be read back, whatever it is
        document["tls"] = tls
    return document


def exact_size(size_bytes: int) -> int | str:
    """A size as people write it where that says it to the byte, else the number of bytes."""
    found = []
    for base, suffix in ((1024, "iB"), (1000, "B")):
        for power in (1, 2, 3, 4):
            amount, rest = divmod(size_bytes, base**power)
            text = f"{amount} {'KMGT'[power - 1]}{suffix}"
            if amount and not rest and parse_byte_size(text) == size_bytes:
                found.append(text)
    return min(found, key=len) if found else size_bytes


_TOPIC_DEFAULTS = {
    "partition.ignore-rack-assignment": False,
    "retention.time": format_duration_ns(RETENTION_S * 10**9),
    "retention.segment-size": exact_size(SEGMENT_BYTES),
    "compression.type": "Any",
}
_PROFILE_DEFAULTS = {
    "use_spu_local_address": False,
    "tls.tls_policy": "disabled",
}


def settings_of(kind: Kind, spec: Any) -> dict[str, Any]:
    """All settings of an object by the way to them, such as `partition.count`; defaults included.

    The values of two objects are the same exactly where they mean the same.
    """
    flat = flattened(document_of(kind, spec))
    if kind is Kind.TOPIC:
        # The kinds of placement have no default in common.
        defaults = dict(_TOPIC_DEFAULTS)
        if isinstance(spec.replicas, AssignedReplicas):
            del defaults["partition.ignore-rack-assignment"]
        return flat | {setting: value for setting, value in defaults.items() if setting not in flat}
    return {**_PROFILE_DEFAULTS, **flat} if kind is Kind.PROFILE else flat


def flattened(document: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a": {"b": [1]}}` as `{"a.b[0]": 1}`; what is empty stays as it is."""
    flat: dict[str, Any] = {}

    def add(place: str, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                add(f"{place}.{key}" if place else key, inner)
        elif isinstance(value, list) and value:
            for position, inner in enumerate(value):
                add(f"{place}[{position}]", inner)
        else:
            flat[place] = value

    for key, value in document.items():
        add(key, value)
    return flat


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
