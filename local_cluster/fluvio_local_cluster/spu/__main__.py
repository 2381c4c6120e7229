"""`python -m fluvio_local_cluster.spu`: one SPU process, until SIGTERM."""

import sys

# A plain transport needs no TLS: not loading OpenSSL saves 4 MB and 8 ms of each SPU (measured).
if "--tls" not in sys.argv:
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]

import asyncio
import dataclasses
import logging
import os

from fluvio_local_cluster.metrics import MetricsUnavailableError, load_renderer
from fluvio_local_cluster.net.descriptors import raise_file_limit, within_descriptors
from fluvio_local_cluster.net.log_level import log_level
from fluvio_local_cluster.net.server_log import log_to_stderr
from fluvio_local_cluster.spu.server import Spu, install_signals
from fluvio_local_cluster.spu.settings import SpuSettings, parse_settings
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)


async def _run(settings: SpuSettings) -> None:
    spu = Spu(settings)
    install_signals(spu)
    async with asyncio.TaskGroup() as group:
        group.create_task(spu.run(), name="spu")
        listening = group.create_task(spu.is_listening.wait(), name="listening")
        await listening
        if settings.ready_fd is not None and spu.public is not None and spu.private is not None:
            endpoint = spu.monitoring.endpoint
            ports = [spu.public.port, spu.private.port, *(() if endpoint is None else (endpoint.port,))]
            try:
                os.write(settings.ready_fd, f"ready {' '.join(map(str, ports))}\n".encode())
                os.close(settings.ready_fd)
            except OSError as exc:
                _logger.warning("nobody heard that the SPU is ready cause=%s", exc)


def main() -> int:
    """Run; returns the exit code."""
    settings = parse_settings(environment=os.environ)
    log_to_stderr(log_level(os.environ))
    if settings.metrics is not None:
        try:
            load_renderer()
        except MetricsUnavailableError as missing:
            _logger.error("SPU cannot run spu=%d cause=%s", settings.spu_id, missing)
            return 2
    descriptors = raise_file_limit()
    kept_files = min(settings.kept_files, descriptors // 4)
    limits = within_descriptors(settings.limits, descriptors, kept_files)
    settings = dataclasses.replace(settings, limits=limits, kept_files=kept_files)
    failed = False
    try:
        asyncio.run(_run(settings))
    except* (OSError, FluvioError) as group:
        failed = True
        for exc in group.exceptions:
            _logger.error("SPU cannot run spu=%d cause=%s", settings.spu_id, exc)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
