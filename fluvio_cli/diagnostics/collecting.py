"""Gathers what somebody who helps with a cluster asks for, in one archive, without secrets.

The archive is written beside its final name and moved there when it is whole. Names of entries are the
official ones where those exist.
"""

import io
import json
import os
import platform
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluvio_cli.diagnostics.masking import MASK, Masking, variable_lines
from fluvio_types.errors import FluvioError
from fluvio_types.version import __version__

if TYPE_CHECKING:
    from fluvio_cli.diagnostics import offsets
    from fluvio_client.blocking import BlockingAdmin
    from fluvio_local_cluster.lifecycle.state import ClusterState
    from fluvio_profiles.model import Config

OUTPUT_BYTES = 16 * 1024 * 1024  # of each server's output: the end of it
MOST_FILES = 20_000  # of one listing
_METADATA_BYTES = 64 * 1024 * 1024
_PACKAGES = ("cramjam", "crc32c", "cryptography", "psutil", "typer", "fluvio")
_OWN_VARIABLES = ("FLUVIO_", "FLV_", "RUST_LOG", "PYTHON", "CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD")


@dataclass(slots=True)
class Subject:
    """The cluster that an archive is about. `state` is that of one of this machine."""

    state: "ClusterState | None"
    connect: Callable[[], AbstractContextManager["BlockingAdmin"]]
    load_config: Callable[[], "Config"]
    environment: Mapping[str, str]


@dataclass(slots=True)
class Collector:
    """Writes entries into one archive. `say` tells what is done, `show` what was found."""

    archive: tarfile.TarFile
    say: Callable[[str], None]
    show: Callable[[str], None]
    masking: Masking

    def text(self, name: str, text: str, *, is_shown: bool = False) -> None:
        """One entry, without secrets."""
        text = self.masking.text(text)
        self._entry(name, text.encode("utf-8", "replace"))
        if is_shown:
            self.show(text)

    def content(self, name: str, content: bytes) -> None:
        """One entry of bytes from which secrets were taken already."""
        self._entry(name, content)

    def part(self, what: str, collect: Callable[[], None]) -> None:
        """Run one part; when it fails, the archive says why."""
        self.say(what)
        try:
            collect()
        except (FluvioError, OSError, ValueError) as exc:
            self.say(self.masking.text(f"error {what}: {exc}"))
            self.text(f"missing/{what.replace(' ', '-').replace('/', '_')[:80]}.txt", f"{what}: {exc}\n")

    def _entry(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
        self.archive.addfile(entry, io.BytesIO(content))


def collect(subject: Subject, collector: Collector) -> None:
    """Everything about the cluster and, when it is one of this machine, about its servers."""
    from fluvio_cli.diagnostics import offsets

    state = subject.state
    collector.text("fluvio.yml", _versions(subject))
    told: list[offsets.Told] = []
    collector.part("start copying fluvio specs from...", lambda: told.extend(_specs(subject, collector)))
    if state is not None:
        _local(state, collector)
    collector.part(
        "reading the offsets of partitions",
        lambda: collector.text("offsets.yml", offsets.document(told, state), is_shown=True),
    )
    collector.part("reading the profile file", lambda: collector.text("profile.toml", _profile(subject)))
    collector.part("getting system info", lambda: _system(state, collector))


def write_archive(
    subject: Subject, place: Path, say: Callable[[str], None], show: Callable[[str], None]
) -> Path:
    """Collect into an archive at `place`, a file or a directory that is there; returns its path.

    Raises `OSError` when it cannot be written; then nothing is left.
    """
    with new_archive(place) as (archive, path):
        collect(subject, Collector(archive, say, show, Masking(subject.environment)))
    return path


def archive_path(place: Path) -> Path:
    """The file that an archive at `place` becomes: in a directory it is named after the time."""
    if place.is_dir():
        return place / f"diagnostics-{time.strftime('%Y-%m-%d-%H-%M-%S')}.tar.gz"
    return place


@contextmanager
def new_archive(place: Path) -> Iterator[tuple[tarfile.TarFile, Path]]:
    """An archive that gets its name when the block ends well; otherwise nothing is left. Raises `OSError`."""
    path = archive_path(place)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            yield archive, path
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _versions(subject: Subject) -> str:
    from importlib import metadata

    lines = [
        f"version: {__version__}",
        f"python: {platform.python_version()}",
        f"interpreter: {sys.executable}",
    ]
    for name in _PACKAGES:
        try:
            lines.append(f"{name}: {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if subject.state is not None:
        lines.append(f"cluster: {subject.state.cluster_id}")
        lines.append(f"cluster_platform: {subject.state.platform_version}")
    variables = variable_lines(subject.environment, _OWN_VARIABLES)
    lines.append("variables:" if variables else "variables: {}")
    return "".join(f"{line}\n" for line in (*lines, *(f"  {line}" for line in variables)))


def _specs(subject: Subject, collector: Collector) -> "list[offsets.Told]":
    """What the controller knows; returns how far it says that partitions reach."""
    from fluvio_cli.commands.cluster.spu.list import spu_view
    from fluvio_cli.diagnostics import offsets
    from fluvio_cli.output.objects import partition_view, topic_view
    from fluvio_cli.output.structured import render_structured

    told: list[offsets.Told] = []

    def partitions(admin: "BlockingAdmin") -> list[Any]:
        found = [each for system in (False, True) for each in admin.list_partitions(system=system)]
        told.extend(offsets.told_by(found))
        return [partition_view(each) for each in found]

    with subject.connect() as admin:
        collector.text("platform.yml", f"platform: {admin.platform_version}\n")
        parts: tuple[tuple[str, Callable[[], list[Any]]], ...] = (
            (
                "topic",
                lambda: [
                    topic_view(topic)
                    for system in (False, True)
                    for topic in admin.list_topics(system=system)
                ],
            ),
            ("partition", lambda: partitions(admin)),
            ("spu", lambda: [spu_view(spu) for spu in admin.list_spus()]),
        )
        for name, views in parts:
            collector.say(f"getting {name} spec")
            collector.text(f"admin-spec-{name}s.yml", render_structured(views(), "yaml"), is_shown=True)
    return told


def _local(state: "ClusterState", collector: Collector) -> None:
    from fluvio_local_cluster.lifecycle.state import to_document

    settings = state.settings
    collector.part(
        f'reading the state of the cluster in "{settings.data_dir}"',
        lambda: collector.text("cluster.json", json.dumps(to_document(state), indent=2) + "\n"),
    )
    for server in state.servers:
        path = server.plan.log
        collector.part(f'copying local log file: "{path}"', partial(_output, path, collector))
    metadata = settings.metadata_dir
    collector.part(f'reading local metadata from "{metadata}"', lambda: _metadata(metadata, collector))
    for spu in state.spus:
        directory = settings.data_dir / f"spu-logs-{spu.plan.id}"
        collector.part(
            f'retrieved local spu disk log "{directory}"',
            partial(_disk, spu.plan.id, directory, collector),
        )


def _disk(spu_id: int | None, directory: Path, collector: Collector) -> None:
    collector.text(f"{spu_id}-disk.log", _listing(directory))


def _output(path: Path, collector: Collector) -> None:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - OUTPUT_BYTES, 0))
        content = file.read(OUTPUT_BYTES)
    left_out = f"({size - OUTPUT_BYTES} bytes before this were left out)\n" if size > OUTPUT_BYTES else ""
    collector.text(path.name, left_out + content.decode("utf-8", "replace"))


def _metadata(directory: Path, collector: Collector) -> None:
    """All objects of the controller, as files; each passes through the masking."""
    buffer, size = io.BytesIO(), 0
    with tarfile.open(fileobj=buffer, mode="w:gz") as inner:
        for path in sorted(directory.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            size += len(content)
            if size > _METADATA_BYTES:
                raise ValueError(f"more than {_METADATA_BYTES} bytes")
            content = collector.masking.text(content.decode("utf-8", "replace")).encode()
            entry = tarfile.TarInfo(f"metadata/{path.relative_to(directory)}")
            entry.size, entry.mtime, entry.mode = len(content), int(path.stat().st_mtime), 0o600
            inner.addfile(entry, io.BytesIO(content))
    if not size and not directory.is_dir():
        raise FileNotFoundError(f"{directory} is not there")
    collector.content("metadata.tar.gz", buffer.getvalue())


def _listing(directory: Path) -> str:
    if not directory.is_dir():
        raise FileNotFoundError(f"{directory} is not there")
    lines = [f"{directory}\n"]
    for path in sorted(directory.rglob("*")):
        if len(lines) > MOST_FILES:
            lines.append(f"(only the first {MOST_FILES})\n")
            break
        try:
            facts = path.lstat()
        except OSError:  # retention was faster
            continue
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(facts.st_mtime))
        lines.append(
            f"{facts.st_size:>14} {facts.st_blocks * 512:>14} {when} {path.relative_to(directory)}\n"
        )
    return "".join(lines)


def _profile(subject: Subject) -> str:
    from fluvio_profiles.store import render_config

    return render_config(without_secrets(subject.load_config()))


def without_secrets(config: "Config") -> "Config":
    """The profile file without keys, certificates and what other tools keep in it."""
    from fluvio_profiles.model import TlsCerts, TlsSource

    clusters = {}
    for name, cluster in config.clusters.items():
        tls, certs = cluster.tls, cluster.tls.certs
        if certs is not None:
            inline = tls.source is TlsSource.INLINE
            shown = TlsCerts(
                certs.domain, *((MASK,) * 3 if inline else (certs.key, certs.cert, certs.ca_cert))
            )
            tls = replace(tls, certs=shown, extra={})
        metadata = {key: value if key == "installation" else MASK for key, value in cluster.metadata.items()}
        clusters[name] = replace(cluster, tls=tls, metadata=metadata, extra={})
    profiles = {name: replace(profile, extra={}) for name, profile in config.profiles.items()}
    return replace(config, profiles=profiles, clusters=clusters, extra={})


def _system(state: "ClusterState | None", collector: Collector) -> None:
    import psutil

    from fluvio_cli.output.structured import render_structured
    from fluvio_local_cluster.lifecycle.processes import is_running

    memory, disk = psutil.virtual_memory(), None
    if state is not None and state.settings.data_dir.is_dir():
        usage = psutil.disk_usage(str(state.settings.data_dir))
        disk = {"total": usage.total, "free": usage.free}
    facts = {
        "system": platform.platform(),
        "processors": psutil.cpu_count(),
        "load": [round(each, 2) for each in psutil.getloadavg()],
        "memory": {"total": memory.total, "available": memory.available},
        "data_disk": disk,
    }
    processes = []
    for server in state.servers if state is not None else ():
        found: dict[str, Any] = {"id": server.plan.id, "pid": None}
        if server.process is not None:
            found["pid"] = server.process.pid
            try:
                if not is_running(server.process):  # its number may be another's by now
                    raise psutil.NoSuchProcess(server.process.pid, msg="has ended")
                process = psutil.Process(server.process.pid)
                found |= {"status": process.status(), "rss": process.memory_info().rss}
            except psutil.Error as exc:
                found["status"] = str(exc)
        processes.append(found)
    for name, view in (("system-sysinfo.yml", facts), ("system-processes.yml", processes)):
        text = render_structured(view, "yaml")
        collector.text(name, text, is_shown=True)
