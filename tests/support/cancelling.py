"""Cancels a coroutine at one chosen wait, exactly: no sleeping, no guessing how far it has come."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CancelledAtWait(Generic[T]):
    """Awaitable that runs a coroutine and cancels it when it waits for the `number`-th time (from 0).

    Awaiting returns the coroutine's result when it had fewer waits; else it raises `CancelledError`, from
    inside the coroutine, as `Task.cancel` would have it.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], number: int) -> None:
        self._coroutine, self._number = coroutine, number

    def __await__(self) -> Generator[Any, Any, T]:
        waits = 0
        try:
            waited = self._coroutine.send(None)
            while True:
                is_chosen = waits == self._number
                waits += 1
                if is_chosen:
                    if asyncio.isfuture(waited):
                        waited._asyncio_future_blocking = False
                        waited.cancel()
                    waited = self._coroutine.throw(asyncio.CancelledError())
                    continue  # it waits for something more to clean up
                try:
                    yield waited
                except BaseException as exc:  # noqa: BLE001 - hand on whatever the loop throws in
                    waited = self._coroutine.throw(exc)
                else:
                    waited = self._coroutine.send(None)
        except StopIteration as stop:
            result: T = stop.value
            return result
