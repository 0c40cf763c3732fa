"""An event loop whose time is virtual: the same coroutines, the same order, the same instants, in every run.

Theory: nothing here waits. What can run, runs, first come, first served; when nothing can, time jumps to the next
timer. There is no selector, no socket and no thread, so what a run does depends on its coroutines alone.

Invariants
1. Time is an integer of microseconds and moves only when nothing is runnable; timers of one instant fire in the
   order in which they were set.
2. A task hashes to its creation number, so sets of tasks (a TaskGroup's, `asyncio.wait`'s) have one order everywhere.
3. What belongs to a dead `Process` never runs again, `finally` blocks included, as after a kill -9. What belongs to a
   paused one runs when the pause is over, each handle as it was.
4. A run ends: nothing runnable and no timer is a `Deadlock`, and a bound on real time holds for the whole of it.
5. First come, first served, or, with an order seed, in an order drawn among what guards have to run in one turn. The
   world's own handles keep theirs: the wire promises an order, and a guard may not rely on the loop's.
"""

import asyncio
import heapq
import warnings
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from datetime import datetime, timedelta
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, ClassVar, NoReturn, ParamSpec, TypeVar

from standfast.runtime.clock import monotonic
from standfast.sim.handles import (
    DONE,
    PROCESS,
    Deadlock,
    Died,
    NumberedTask,
    Process,
    SimHandle,
    TooSlow,
    end,
    where,
)
from standfast.sim.sealed import sealed

Result = TypeVar("Result")
Args = ParamSpec("Args")

__all__ = [
    "PROCESS",
    "Deadlock",
    "Died",
    "NumberedTask",
    "Process",
    "TooSlow",
    "VirtualClock",
    "VirtualLoop",
    "current",
    "run",
]

MICROSECONDS = 1_000_000
CHECKED_EVERY = 500
"""Turns of the loop between two looks at the real clock."""
IN_A_THREAD = (0.0005, 0.020)
"""Seconds after which what was given to an executor is done; drawn evenly between the two ends."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Use `run`. `start` is the aware UTC time at which the loop's time is zero."""

    _ready: deque[SimHandle]
    running: ClassVar["VirtualLoop | None"] = None
    """The one of this process: asyncio's own answer asks the system for the process's number each time."""

    def __init__(self, start: datetime, real_seconds: float) -> None:
        super().__init__()
        assert start.tzinfo is not None, start
        self.start = start
        self.microseconds = 0
        self.set_debug(False)  # slow-callback warnings would read the real clock
        self.present = start
        """The time: aware UTC, exact."""
        self._timers: list[tuple[int, int, SimHandle]] = []
        self._ticket = count()
        self._task_number = count(1)
        self._graveyard: list[NumberedTask[Any]] = []
        self._real_seconds = real_seconds
        self._real_end = monotonic() + real_seconds
        self._threads = Random("executor")
        self._order: Random | None = None
        self._is_direct = False
        self._failure: BaseException | None = None
        self.set_task_factory(self._numbered)
        self.set_exception_handler(_take_unhandled)

    def _numbered(self, loop: Any, coro: Any, **rest: Any) -> "asyncio.Task[Any]":
        context: Context | None = rest.get("context")
        process = PROCESS.get() if context is None else context.get(PROCESS)
        return NumberedTask(coro, next(self._task_number), process, loop=loop, **rest)

    # --- time -----------------------------------------------------------------------------------

    def time(self) -> float:
        return self.microseconds / MICROSECONDS

    def call_soon(  # type: ignore[override]  # the base class's extra type variable says the same
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> SimHandle:
        if self._is_direct and context is not None:
            self._is_direct = False
            process = context.get(PROCESS)
            if process is None or (process.is_alive and process.held is None):
                context.run(callback, *args)
                return DONE
        handle = SimHandle(callback, args, context)
        self._ready.append(handle)
        return handle

    def settle(self, waiter: "asyncio.Future[Any]", result: object) -> None:
        """Give a waiter its result, unless it is done. Who waits for it goes on at once: a turn of its own would
        change nothing and cost as much again. Not from within a task."""
        if not waiter.done():
            self._is_direct = True
            waiter.set_result(result)
            self._is_direct = False

    def directly(self, act: Callable[[], object]) -> None:
        """As `settle`, for who is woken by this."""
        self._is_direct = True
        act()
        self._is_direct = False

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> SimHandle:
        return self._call_at(self.microseconds / MICROSECONDS + delay, SimHandle(callback, args, context))

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> SimHandle:
        return self._call_at(when, SimHandle(callback, args, context))

    def _call_at(self, when: float, handle: SimHandle) -> SimHandle:
        due = round(when * MICROSECONDS)
        if due <= self.microseconds:  # however short a wait, time passes: who waits for a float's rest must get there
            due = self.microseconds + (when * MICROSECONDS > self.microseconds)
        heapq.heappush(self._timers, (due, next(self._ticket), handle))
        return handle

    # --- turns ----------------------------------------------------------------------------------

    def _run_once(self) -> None:  # noqa: C901, PLR0912 - a call of its own costs as much as the rest of a turn
        """Turns until told to stop: what was runnable when it began, or what the next timers bring when nothing was."""
        ready, timers, pop, unchecked = self._ready, self._timers, heapq.heappop, CHECKED_EVERY
        while not self._stopping:  # type: ignore[attr-defined]  # not in typeshed
            unchecked -= 1
            if not unchecked:
                self._check_real_time()
                unchecked = CHECKED_EVERY
            if not ready:
                self._jump()
            while timers and timers[0][0] <= self.microseconds:
                ready.append(pop(timers)[2])
            if len(ready) > 1 and self._order is not None:
                self._shuffle(self._order)
            for _ in range(len(ready)):
                handle = ready.popleft()
                process = handle.process
                if handle.is_cancelled or (process is not None and not process.is_alive):
                    continue
                if process is not None and process.held is not None:
                    process.held.append(handle)
                    continue
                try:
                    handle.context.run(handle.callback, *handle.args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 - as asyncio does: the loop is told
                    self.call_exception_handler({"message": "a callback failed", "exception": error, "handle": handle})
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _jump(self) -> None:
        """Nothing is runnable: to when something is."""
        timers, pop = self._timers, heapq.heappop
        while timers:
            due, _, handle = pop(timers)
            process = handle.process
            if handle.is_cancelled or (process is not None and not process.is_alive):
                continue  # it will never run: no reason to let time pass
            self.microseconds = due
            self.present = self.start + timedelta(0, 0, due)
            self._ready.append(handle)
            return
        self._find_nothing()

    def _check_real_time(self) -> None:
        if monotonic() > self._real_end:
            raise TooSlow(f"more than {self._real_seconds:g} s; virtual time stands at {self.present}")

    def _shuffle(self, draw: Random) -> None:
        """Deal the places of the guards' handles among them anew."""
        ready = self._ready
        places = [place for place, handle in enumerate(ready) if handle.process is not None]
        handles = [ready[place] for place in places]
        draw.shuffle(handles)
        for place, handle in zip(places, handles, strict=True):
            ready[place] = handle

    def _find_nothing(self) -> NoReturn:
        waiting = ", ".join(self._waiting()) or "nobody"
        raise Deadlock(f"nothing is runnable and no timer is set; waiting: {waiting}")

    def _waiting(self) -> list[str]:
        """Every living task and where it waits."""
        alive = [task for task in _in_order(self) if task.process is None or task.process.is_alive]
        return [f"{task.get_name()} at {where(task)}" for task in alive]

    # --- what BaseEventLoop leaves to its subclasses ---------------------------------------------

    def _process_events(self, event_list: object) -> None:
        raise AssertionError("there is no selector")

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody is to be woken."""

    def run_in_executor(  # type: ignore[override]  # the base class's extra type variables say the same
        self, executor: object, func: Callable[..., Result], *args: Any
    ) -> "asyncio.Future[Result]":
        """In this thread, a drawn time later: a second thread would not be deterministic.

        It belongs to the process that asked: its death or pause is that of all its threads.
        """
        future: asyncio.Future[Result] = self.create_future()
        self.call_later(self._threads.uniform(*IN_A_THREAD), _work_off, future, func, args)
        return future

    # --- what the world does to it ---------------------------------------------------------------

    def seed(self, seed: int, order_seed: int | None) -> None:
        """Draw from this seed; with an `order_seed`, the order in which guards are served as well."""
        self._threads = Random(f"executor-{seed}")
        self._order = None if order_seed is None else Random(f"order-{order_seed}")

    def fail(self, error: BaseException) -> None:
        """End the run with this error."""
        self._failure = self._failure or error
        self.stop()

    def pause(self, process: Process) -> None:
        """As SIGSTOP does: from now on nothing of it runs, and nothing of it is lost."""
        if process.held is None:
            process.held = []

    def resume(self, process: Process) -> None:
        """As SIGCONT: what has become runnable meanwhile is so now, in its order."""
        held, process.held = process.held, None
        self._ready.extend(held or ())

    def kill(self, process: Process) -> None:
        """From now on nothing of this process runs. Its tasks are kept as they stand: a collected one would unwind."""
        process.is_alive = False
        self._graveyard += [task for task in _in_order(self) if task.process is process]

    def bury(self) -> None:
        """Take every task that still waits out of the way, so that nothing of this run speaks up after it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what was about to start when its process died never will
            for task in _in_order(self):
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it is known, and meant
                end(task.get_coro())
        self._ready.clear()
        self._timers.clear()


def _work_off(future: "asyncio.Future[Any]", func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if future.done():
        return  # who waited was cancelled before the thread began with it
    try:
        future.set_result(func(*args))
    except Exception as error:  # noqa: BLE001 - whatever it is belongs to who waits for it
        future.set_exception(error)


def _take_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A callback that raises is a mistake of the simulation, and ends the run; the last words of the dead are not."""
    error = context.get("exception")
    if isinstance(loop, VirtualLoop) and "handle" in context and isinstance(error, BaseException):
        loop.fail(error)


def _in_order(loop: VirtualLoop) -> list[NumberedTask[Any]]:
    return sorted((task for task in asyncio.all_tasks(loop) if isinstance(task, NumberedTask)), key=hash)


def run(main: Coroutine[Any, Any, Result], *, start: datetime, real_seconds: float = 240.0) -> Result:
    """Run to the end under virtual time that begins at `start`; raises Deadlock, TooSlow, and what `main` raises.

    Meanwhile nothing in this program can start a thread, open a socket or draw from the system's randomness, and no
    garbage is collected: both would make a run depend on something else than its seed.
    """
    with sealed():
        VirtualLoop.running = loop = VirtualLoop(start, real_seconds)
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(loop.create_task(main, name="main"))
        finally:
            try:
                loop.bury()
            finally:
                VirtualLoop.running = None
                asyncio.set_event_loop(None)
                loop.close()


def current() -> VirtualLoop:
    """The running loop, which must be a virtual one."""
    loop = VirtualLoop.running
    assert loop is not None, "no virtual loop runs"
    return loop


class VirtualClock:
    """`ports.Clock` over the running virtual loop; `skew` is how far this machine's wall clock is off."""

    def __init__(self, skew: timedelta = timedelta(0)) -> None:
        self.skew = skew
        self._loop: VirtualLoop | None = None

    def now(self) -> datetime:
        now = (self._loop or self._current()).present
        return now + self.skew if self.skew else now

    def monotonic(self) -> float:
        return (self._loop or self._current()).microseconds / MICROSECONDS

    def _current(self) -> VirtualLoop:
        self._loop = current()
        return self._loop

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = self._loop or self._current()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, loop.settle, waiter, None)
        try:
            await waiter
        finally:
            timer.cancel()

    def later(self, seconds: float, act: Callable[[], object]) -> SimHandle:
        loop = self._loop or self._current()
        return loop.call_later(seconds, loop.directly, act)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return Timer(seconds)

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return Timer(seconds)


class Timer:
    """As `asyncio.timeout`, for the running virtual loop: nobody moves it, and nobody asks how far it is."""

    __slots__ = ("_cancelling", "_handle", "_has_rung", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._has_rung = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task(current())
        assert task is not None, "a timer belongs to a task"
        self._task, self._cancelling = task, task.cancelling()
        self._handle = current().call_later(self._seconds, self._ring)

    def _ring(self) -> None:
        self._has_rung = True
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._has_rung:
            self._handle.cancel()
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
