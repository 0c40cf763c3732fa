"""The library for bots with an event loop of their own: the same verbs, awaited. A look takes a thread for a moment.

A wait that is cancelled takes back nothing: what was asked stands. Asked again under its id it has the same answer.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from standfast.client.answers import Answered
from standfast.client.results import Break, Order, Position, Proof
from standfast.client.verbs import Verbs
from standfast.client.waiting import Outcome, Steps
from standfast.desk.acts import Act
from standfast.model.ids import PositionId, RequestId


class AsyncAnswer(Answered):
    """An answer, and the way to its proof."""

    __slots__ = ()

    async def wait(self, timeout: float | None = None) -> Proof:
        """As `Answer.wait`."""
        return await run_beside(self._proof(timeout))


class AsyncClient(Verbs[Awaitable[AsyncAnswer]]):
    """As `Client`; every verb and every read is awaited."""

    async def is_guarded(self) -> bool:
        return await asyncio.to_thread(self._line.is_guarded)

    async def positions(self, *, closed_too: bool = False, unguarded_too: bool = False) -> Sequence[Position]:
        return await asyncio.to_thread(self._line.positions, closed_too=closed_too, unguarded_too=unguarded_too)

    async def position(self, id: str, *, unguarded_too: bool = False) -> Position | None:
        found = await self.positions(closed_too=True, unguarded_too=unguarded_too)
        return next((each for each in found if each.id == id), None)

    async def orders(self, *, finished_too: bool = False, unguarded_too: bool = False) -> Sequence[Order]:
        return await asyncio.to_thread(self._line.orders, finished_too=finished_too, unguarded_too=unguarded_too)

    async def breaks(self, *, unguarded_too: bool = False) -> Sequence[Break]:
        return await asyncio.to_thread(self._line.breaks, unguarded_too=unguarded_too)

    async def _ask(self, act: Act, request: RequestId, position: PositionId | None, id: str | None) -> AsyncAnswer:
        return await run_beside(self._answer(AsyncAnswer, act, request, position, id))


def connect_async(
    config: str = "standfast.toml",
    account: str | None = None,
    *,
    by: str = "",
    strategy: str = "",
    patience: float | None = None,
    good_for: float | None = None,
) -> AsyncClient:
    """As `connect`, for a bot with an event loop. Itself it is not awaited."""
    return AsyncClient(config, account, by=by, strategy=strategy, patience=patience, good_for=good_for)


async def run_beside(steps: Steps[Outcome]) -> Outcome:
    """To the end, each look in a thread of its own, so that the loop goes on."""
    while True:
        is_done, seconds, outcome = await asyncio.to_thread(_step, steps)
        if is_done:
            assert outcome is not None
            return outcome
        await asyncio.sleep(seconds)


def _step(steps: Steps[Outcome]) -> tuple[bool, float, Outcome | None]:
    """StopIteration cannot travel out of a thread."""
    try:
        return False, next(steps), None
    except StopIteration as done:
        return True, 0.0, done.value
