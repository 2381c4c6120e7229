"""Topics that a file fixes (`--read-only FILE`): clients can neither make nor change nor delete any.

The file is the official one: JSON, `{"topics": [{"metadata": {"name": ...}, "spec": {...}}, ...]}` with Topic
objects as Kubernetes has them. Unlike the official controller ours keeps its metadata directory beside it,
because the file cannot say on which SPU a partition's records are: after a restart they are found there.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fluvio_local_cluster.sc.controller import Controller, Plan
from fluvio_local_cluster.sc.model.objects import Topic
from fluvio_local_cluster.sc.model.topics import new_topic, provision
from fluvio_local_cluster.sc.model.tree import DocumentError, from_tree
from fluvio_local_cluster.sc.model.validation import Refusal, check_new_topic
from fluvio_protocol.api.topic import TopicSpec
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 16 * 1024 * 1024
_PARTS = ("topics", "home")


class FixedTopicsError(FluvioError):
    """The file with the topics cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"`{path}` cannot be used: {reason}")
        self.path, self.reason = path, reason


def read_topics(path: Path) -> dict[str, TopicSpec]:
    """Topics by name, as the file has them. Raises `FixedTopicsError`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise FixedTopicsError(path, f"it is larger than {MAX_FILE_BYTES} bytes")
        document = json.loads(content)
    except OSError as exc:
        raise FixedTopicsError(path, exc.strerror or str(exc)) from exc
    except (ValueError, RecursionError) as exc:
        raise FixedTopicsError(path, f"it is no JSON: {exc}") from exc
    try:
        return _topics(document)
    except DocumentError as exc:
        raise FixedTopicsError(path, str(exc)) from exc


def _topics(document: Any) -> dict[str, TopicSpec]:
    members = _mapping(document, "the document")
    for part in members:
        if part not in _PARTS:
            raise DocumentError(f"`{part}` is unknown; known are {', '.join(_PARTS)}")
    if members.get("home") is not None:
        raise DocumentError("`home`: mirroring is not supported yet")
    entries = members.get("topics", [])
    if not isinstance(entries, list):
        raise DocumentError("`topics` is no list")
    found: dict[str, TopicSpec] = {}
    for number, entry in enumerate(entries):
        place = f"topics[{number}]"
        topic = _mapping(entry, f"`{place}`")
        name = _mapping(topic.get("metadata"), f"`{place}.metadata`").get("name")
        if not isinstance(name, str):
            raise DocumentError(f"`{place}.metadata.name` is no text")
        if name in found:
            raise DocumentError(f"`{place}`: there are two topics `{name}`")
        found[name] = from_tree(TopicSpec, topic.get("spec"), f"{place}.spec")
    return found


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{what} is no mapping")
    return value


async def fix_topics(controller: Controller, path: Path) -> None:
    """Make the topics of the file that the cluster does not have. Raises `FixedTopicsError`.

    A topic that it has is compared, not changed: another count of partitions would be a loss, or a surprise.
    """
    wanted, cluster = read_topics(path), controller.cluster
    made: list[Topic] = []
    for name, spec in wanted.items():
        known = cluster.topics.get(name)
        if known is None:
            try:
                check_new_topic(name, spec, cluster, spus_may_come=True)
            except Refusal as exc:
                raise FixedTopicsError(path, str(exc)) from exc
            made.append(new_topic(name, spec))
        elif known.spec != spec:
            raise FixedTopicsError(
                path,
                f"topic `{name}` is not as the cluster has it; put the file back, or delete the cluster",
            )
    cluster.is_read_only = True
    if made:
        await controller.change(lambda: Plan(put=provision(cluster, made).objects))
    for topic in cluster.topics:
        if topic.key not in wanted and not topic.spec.system:
            _logger.warning("a topic stays that the file does not have topic=%s file=%s", topic.key, path)
    _logger.info("topics are fixed topics=%d made=%d file=%s", len(wanted), len(made), path)
