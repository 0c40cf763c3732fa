"""Real sockets, real files, and a time that leaps: an event loop that never waits for a timer.

Theory: exchange and guard live in one process, on one loop, and talk over the loopback interface. Whatever was sent is
there to be read at once. So when nothing can be read and nothing is due, nothing can happen before the next timer:
the loop's time moves there instead of waiting. Hours of both pass in minutes of the machine, and a slow machine only
makes them longer: no deadline of theirs is ever measured in its time.

What a thread of this process does (a commit of the ledger) takes none of the loop's time: `Awaited` holds it meanwhile.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime, timedelta
from inspect import iscoroutinefunction
from typing import Any, TypeVar

Result = TypeVar("Result")

STUCK = 120.0
"""Real seconds after which a thread that is waited for has hung."""


class Leaping(asyncio.SelectorEventLoop):
    """`time()` counts virtual seconds from zero."""

    def __init__(self) -> None:
        self._leaps = _Selector()
        super().__init__(self._leaps)

    def time(self) -> float:
        return self._leaps.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]  # the stubs have variadic generics
        """As any loop's; time is held until it is done."""
        self._leaps.holders += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._let_go)
        return future

    def _let_go(self, _: object) -> None:
        self._leaps.holders -= 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Time stands still for as long as the block lasts: something outside the loop is waited for."""
        self._leaps.holders += 1
        try:
            yield
        finally:
            self._leaps.holders -= 1


class _Selector(selectors.BaseSelector):
    """Looks for what is there; where nothing is, the time that was to be waited has passed."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0
        self.holders = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._real.select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if self.holders or timeout is None:
            found = self._real.select(STUCK)
            assert found, f"nothing has come for {STUCK:g} real seconds, and time is held"
            return found
        self.now += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class LeapingClock:
    """`ports.Clock` by the running loop's time, from `start` on."""

    def __init__(self, loop: Leaping, start: datetime) -> None:
        self._loop = loop
        self._start = start - timedelta(seconds=loop.time())

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, act)

    def correct(self, by: timedelta) -> None:
        self._start += by


class Awaited:
    """Something whose named coroutines end in a thread: time is held while one of them is awaited.

    `made`: of what one returns, those of its coroutines that are waited for so.
    """

    def __init__(self, inner: object, *names: str, made: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._inner = inner
        self._names = frozenset(names)
        self._made = made or {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._names:
            return found
        assert iscoroutinefunction(found), name

        async def awaited(*given: object, **named: object) -> object:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, Leaping), "the time of this loop cannot be held"
            with loop.held():
                result = await found(*given, **named)
            return Awaited(result, *self._made[name]) if name in self._made else result

        return awaited


def run(main: Callable[[Leaping], Coroutine[Any, Any, Result]]) -> Result:
    """Run it on a loop of its own, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=Leaping) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Leaping)
        return runner.run(main(loop))
