"""An SPU in this process, with a scripted SC, as an async context."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from fluvio_local_cluster.spu.server import Spu
from fluvio_local_cluster.spu.settings import Address, SpuSettings
from fluvio_local_cluster.storage import Files
from tests.support.scripted_sc import ScriptedSc


def spu_settings(directory: Path, sc_port: int, spu_id: int = 5001, **more: Any) -> SpuSettings:
    """Settings with free ports."""
    free = Address("127.0.0.1", 0)
    return SpuSettings(spu_id, free, free, Address("127.0.0.1", sc_port), directory, **more)


@contextlib.asynccontextmanager
async def running_spu(
    directory: Path, sc_port: int, spu_id: int = 5001, files: Files | None = None, **more: Any
) -> AsyncIterator[Spu]:
    """An SPU that listens; it is stopped orderly at the end. `more`: settings."""
    spu = Spu(spu_settings(directory, sc_port, spu_id, **more), files)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(spu.run(), name=f"spu {spu_id}")
        await spu.is_listening.wait()
        try:
            yield spu
        finally:
            spu.stop()
            async with asyncio.timeout(10):
                await running


def public_port(spu: Spu) -> int:
    """Where clients connect."""
    assert spu.public is not None
    return spu.public.port


def run_with_spu(
    directory: Path,
    body: Callable[[ScriptedSc, Spu], Awaitable[None]],
    files: Files | None = None,
    **more: Any,
) -> None:
    """Run `body` with an SPU that has registered. `files`: how it reaches the disk; `more`: settings."""

    async def main() -> None:
        async with ScriptedSc() as sc, running_spu(directory, sc.port, files=files, **more) as spu:
            await sc.registered()
            async with asyncio.timeout(30):
                await body(sc, spu)

    asyncio.run(main())
