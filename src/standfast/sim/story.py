"""A world as a story is told in it: asked of, waited in, watched, and ended by the first error.

Invariants
1. The first error counts: every guard stands still from then on, and whoever waits is told.
2. A guard or a task of the world that fails makes the next wait fail, with its own error.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from standfast.core.policy import Rules
from standfast.exchange.faults import Faults
from standfast.model.ids import RequestId
from standfast.model.journal import Entry
from standfast.ports import Request
from standfast.runtime.account import Account
from standfast.sim.disk import SimStore
from standfast.sim.effects import Effects
from standfast.sim.guards import Guard, People
from standfast.sim.keeper import Keeper
from standfast.sim.loop import VirtualClock, current
from standfast.sim.watch import Violation
from standfast.sim.wire import Line


class Story:
    """What the worlds of all engines have alike; each makes the parts of its own."""

    rules: Rules
    faults: Faults
    effects: Effects
    people: People
    store: SimStore
    wire: Line
    keeper: Keeper
    watchers: Sequence[object]

    def __init__(self, seed: int, order_seed: int | None) -> None:
        current().seed(seed, order_seed)
        self.clock = VirtualClock()
        self.violation: Violation | None = None
        self._requests = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._sleepers: list[asyncio.Future[None]] = []
        self._trouble: BaseException | None = None

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # --- the operator and the guards ------------------------------------------------------------

    async def operate(self, verb: str, **arguments: str) -> RequestId:
        """Ask for an operator's act, and do not wait for it."""
        self._requests += 1
        id = RequestId(f"r{self._requests}")
        request = Request(id=id, account=self.rules.account, verb=verb, arguments=arguments, by="operator", at=self.now)
        await self.store.put_request(request)
        return id

    @property
    def account(self) -> Account | None:
        """The loop of the guard that guards, the one started last if there are several; None while there is none."""
        here = [guard for guard in self.guards.values() if guard.is_here]
        return max(here, key=lambda guard: guard.began).account if here else None

    @property
    def guards(self) -> dict[str, Guard]:
        """The latest life of each, by name."""
        return self.keeper.guards

    @property
    def is_well(self) -> bool:
        """One guard that is here and not paused, and a network: as far as the world itself can tell."""
        living = [guard for guard in self.guards.values() if guard.is_alive]
        return any(guard.is_here and not guard.is_paused for guard in living) and not self.wire.is_down

    # --- watching and waiting -------------------------------------------------------------------

    def fail(self, error: BaseException) -> None:
        """End the story with this error: every guard stands still, and whoever waits is told. The first one counts."""
        if self._trouble is not None:
            return
        self._trouble = error
        self.violation = error if isinstance(error, Violation) else None
        self.keeper.still()
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_exception(error)

    def _tell(self, hear: str, told: object) -> None:
        """Every watcher, by this method of its."""
        if self._trouble is not None:
            return
        for watcher in self.watchers:
            try:
                getattr(watcher, hear)(told)
            except Violation as violation:
                self.fail(violation)
                return

    async def run_for(self, seconds: float) -> None:
        """Let this much time pass. Raises what ends the story, when it does."""
        self._check()
        loop = current()
        sleeper: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _wake, sleeper)
        self._sleepers.append(sleeper)
        try:
            await sleeper
        finally:
            timer.cancel()
            self._sleepers.remove(sleeper)
        self._check()

    async def run_until(self, at: float) -> None:
        """Let time pass up to so many seconds after the start."""
        left = at - self.clock.monotonic()
        if left > 0:
            await self.run_for(left)

    def _check(self) -> None:
        """Raise what ended the story, or the market."""
        if self._trouble is not None:
            raise self._trouble
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise AssertionError(f"{task.get_name()} has failed") from task.exception()

    # --- what was so ----------------------------------------------------------------------------

    def entries_now(self, after: int = 0) -> Sequence[Entry]:
        """The journal after this entry, for those who cannot wait."""
        return self.store.entries_now(self.rules.account, after)


def _wake(sleeper: "asyncio.Future[None]") -> None:
    if not sleeper.done():
        sleeper.set_result(None)
