"""Gathers what somebody who helps with a cluster asks for, in one archive, without secrets.

Each part is collected for itself: what fails is named in the archive and on the way, and the rest goes on,
for a cluster that does not work is why the archive is made. It is written beside its final name and moved
there when it is whole. Names of entries are the official ones where those exist.
"""

import io
import os
import platform
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluvio_types.errors import FluvioError
from fluvio_types.version import __version__

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_local_cluster.lifecycle.state import ClusterState
    from fluvio_profiles.model import Config

OUTPUT_BYTES = 16 * 1024 * 1024  # of each server's output: the end of it
MOST_FILES = 20_000  # of one listing
MASK = "(left out)"
_METADATA_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Collector:
    """Writes entries into one archive. `say` tells what is done, `show` what was found."""

    archive: tarfile.TarFile
    say: Callable[[str], None]
    show: Callable[[str], None]

    def text(self, name: str, text: str) -> None:
        """One entry."""
        content = text.encode("utf-8", "replace")
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
        self.archive.addfile(entry, io.BytesIO(content))

    def part(self, what: str, collect: Callable[[], None]) -> None:
        """Run one part; when it fails, the archive says why."""
        self.say(what)
        try:
            collect()
        except (FluvioError, OSError, ValueError) as exc:
            self.say(f"error {what}: {exc}")
            self.text(f"missing/{what.replace(' ', '-').replace('/', '_')[:80]}.txt", f"{what}: {exc}\n")


def collect(cli: "CliContext", state: "ClusterState | None", collector: Collector) -> None:
    """Everything about the target and, when `state` is one of this machine, about its servers."""
    collector.text("fluvio.yml", f"version: {__version__}\npython: {platform.python_version()}\n")
    collector.part("start copying fluvio specs from...", lambda: _specs(cli, collector))
    if state is not None:
        _local(state, collector)
    collector.part("reading the profile file", lambda: collector.text("profile.toml", _profile(cli)))
    collector.part("getting system info", lambda: _system(state, collector))


@contextmanager
def new_archive(directory: Path) -> Iterator[tuple[tarfile.TarFile, Path]]:
    """An archive that gets its name when the block ends well; otherwise nothing is left. Raises `OSError`."""
    path = directory / f"diagnostics-{time.strftime('%Y-%m-%d-%H-%M-%S')}.tar.gz"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            yield archive, path
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _specs(cli: "CliContext", collector: Collector) -> None:
    from fluvio_cli.commands.cluster.spu.list import spu_view
    from fluvio_cli.output.objects import partition_view, topic_view
    from fluvio_cli.output.structured import render_structured

    with cli.connect() as admin:
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
            (
                "partition",
                lambda: [
                    partition_view(each)
                    for system in (False, True)
                    for each in admin.list_partitions(system=system)
                ],
            ),
            ("spu", lambda: [spu_view(spu) for spu in admin.list_spus()]),
        )
        for name, views in parts:
            collector.say(f"getting {name} spec")
            text = render_structured(views(), "yaml")
            collector.text(f"admin-spec-{name}s.yml", text)
            collector.show(text)


def _local(state: "ClusterState", collector: Collector) -> None:
    settings = state.settings
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
    buffer, size = io.BytesIO(), 0
    with tarfile.open(fileobj=buffer, mode="w:gz") as inner:
        for path in sorted(directory.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            size += path.stat().st_size
            if size > _METADATA_BYTES:
                raise ValueError(f"more than {_METADATA_BYTES} bytes")
            inner.add(path, arcname=f"metadata/{path.relative_to(directory)}", recursive=False)
    if not size and not directory.is_dir():
        raise FileNotFoundError(f"{directory} is not there")
    entry = tarfile.TarInfo("metadata.tar.gz")
    entry.size, entry.mtime, entry.mode = buffer.tell(), int(time.time()), 0o600
    buffer.seek(0)
    collector.archive.addfile(entry, buffer)


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


def _profile(cli: "CliContext") -> str:
    from fluvio_profiles.store import render_config

    return render_config(without_secrets(cli.load_config()))


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
                process = psutil.Process(server.process.pid)
                found |= {"status": process.status(), "rss": process.memory_info().rss}
            except psutil.Error as exc:
                found["status"] = str(exc)
        processes.append(found)
    for name, view in (("system-sysinfo.yml", facts), ("system-processes.yml", processes)):
        text = render_structured(view, "yaml")
        collector.text(name, text)
        collector.show(text)
