"""Blocking deliveries in a few threads of their own, so that a service that hangs can hang neither loop nor exit.

The threads are daemons: one that is stuck in a name lookup nobody can interrupt is left behind when the process ends.
While all of them are stuck, a delivery fails at once instead of waiting in a queue nobody works on.
"""

import asyncio
import threading
from collections.abc import Callable

THREADS_MOST = 4


class Busy(Exception):
    """Every thread is stuck in an earlier delivery."""


class Threads:
    """Runs blocking calls, each in a thread of its own, at most a few at a time."""

    def __init__(self, most: int = THREADS_MOST) -> None:
        self._most = most
        self._running: list[threading.Thread] = []

    async def run(self, work: Callable[[], None]) -> None:
        """Wait for the call; raises what it raises, or `Busy`. Cancelling the wait leaves the call behind."""
        self._running = [thread for thread in self._running if thread.is_alive()]
        if len(self._running) >= self._most:
            raise Busy(f"{self._most} earlier deliveries still hang")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        thread = threading.Thread(target=_work, args=(work, loop, done), name="alert", daemon=True)
        self._running.append(thread)
        thread.start()
        await done


def _work(work: Callable[[], None], loop: asyncio.AbstractEventLoop, done: "asyncio.Future[None]") -> None:
    error: Exception | None = None
    try:
        work()
    except Exception as raised:  # noqa: BLE001  # it is handed to whoever waits
        error = raised
    try:
        loop.call_soon_threadsafe(_settle, done, error)
    except RuntimeError:
        return  # the loop has ended meanwhile: nobody waits


def _settle(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
