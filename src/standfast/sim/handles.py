"""One thing to run, now or later: what asyncio calls a handle, made for a loop that makes a hundred a second of run.

The base classes look at the loop's debug flag at every step and find the context's process anew at every turn; both
are known when the handle is made.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


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


class SimHandle:
    """Of `call_soon` and `call_at` alike."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "process")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> None:
        if context is None:
            context = copy_context()
        self.context = context
        self.callback = callback
        self.args = args
        self.is_cancelled = False
        self.process = context.get(PROCESS)
        """Whose it is."""

    def __repr__(self) -> str:
        return f"<{self.callback} of {self.process}>"

    def cancel(self) -> None:
        """It is dropped when its turn comes; what it holds is let go now."""
        self.is_cancelled = True
        self.callback = _nothing
        self.args = ()

    def cancelled(self) -> bool:
        return self.is_cancelled


def _nothing(*_: object) -> None:
    """What is left of a cancelled handle."""


DONE = SimHandle(_nothing, (), Context())
"""What has run already."""


class Deadlock(RuntimeError):
    """Nothing is runnable and no timer is set: everyone waits for somebody else."""


class TooSlow(RuntimeError):
    """The run has used up its real time: it never ends, or does too much in one instant."""


class Died(BaseException):
    """Raised in a dead process that tries to act, and into what is left of it when the run is over."""


class NumberedTask(asyncio.Task[Result]):
    """Hashes to its creation number instead of its address."""

    def __init__(self, coro: Coroutine[Any, Any, Result], number: int, process: Process | None, **rest: Any) -> None:
        self.number = number  # first: making the task puts it into a set
        self.process = process
        super().__init__(coro, **rest)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


def end(coroutine: Any) -> None:
    """Unwind a coroutine that nobody will resume: whatever it awaits on its way out ends as well."""
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()  # it has not begun
        return
    for _ in range(100):
        try:
            coroutine.throw(Died("the run is over"))
        except BaseException:  # noqa: BLE001 - the last words of what is dead
            return


def where(task: "asyncio.Task[Any]") -> str:
    frames = task.get_stack(limit=1)
    return f"{frames[0].f_code.co_qualname}:{frames[0].f_lineno}" if frames else "its start"
