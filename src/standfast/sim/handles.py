"""One thing to run, now or later: what asyncio calls a handle, made for a loop that makes a hundred a second of run.

The base classes look at the loop's debug flag at every step and find the context's process anew at every turn; both
are known when the handle is made.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, Protocol


class Counting(Protocol):
    """Where the effects of a process are counted: `sim.effects.Effects`."""

    def take(self, process: "Process", name: str) -> bool:
        """Count one; whether it is to fail."""
        ...


@dataclass(eq=False, slots=True)
class Process:
    """Everything that dies together. Tasks and timers belong to the process in whose context they were made."""

    name: str
    is_alive: bool = True
    held: list["SimHandle"] | None = None
    """What has become runnable in a pause; None while there is none."""
    effects: Counting | None = None
    """Where its effects are counted."""


PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)


class SimHandle(asyncio.TimerHandle):
    """Of `call_soon` and `call_at` alike."""

    __slots__ = ("process",)

    _callback: Callable[..., object]
    _args: tuple[Any, ...]
    _cancelled: bool

    def __init__(  # the bases' own, without what is not needed here
        self,
        when: float,
        callback: Callable[..., object],
        args: Any,
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        if context is None:
            context = copy_context()
        self._context = context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = False
        self.process = context.get(PROCESS)
        """Whose it is."""

    @property
    def is_over(self) -> bool:
        """Whether it will never run."""
        return self._cancelled or (self.process is not None and not self.process.is_alive)

    def cancel(self) -> None:
        """It is dropped when its turn comes; what it holds is let go now."""
        self._cancelled = True
        self._callback = _nothing
        self._args = ()

    def run(self) -> None:
        """Its turn has come."""
        if self._cancelled:
            return
        try:
            self._context.run(self._callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - as asyncio does: the loop is told
            self._loop.call_exception_handler({"message": "a callback failed", "exception": error, "handle": self})


def _nothing(*_: object) -> None:
    """What is left of a cancelled handle."""
