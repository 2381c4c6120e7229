"""How a process of the soak talks to the one that started it: a JSON object a line, both ways."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

TELL_S = 1.0


def tell(**what: Any) -> None:
    """One line of output."""
    print(json.dumps(what), flush=True)


async def tell_regularly(what: Callable[[], dict[str, Any]]) -> None:
    """Each second, for ever."""
    while True:
        await asyncio.sleep(TELL_S)
        tell(**what())


async def next_line() -> Any:
    """The next line of input, None at its end. To be called once."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    line = await reader.readline()
    return json.loads(line) if line.strip() else None
