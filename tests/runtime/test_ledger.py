"""What is recorded is in the book before anyone goes on, whatever the order in which commits come back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from standfast.core.book import Book
from standfast.model.ids import AccountId
from standfast.model.journal import Entry, Fact, Frozen, WatermarkMoved
from standfast.runtime.clock import RealClock
from standfast.runtime.ledger import Ledger
from standfast.stores.memory import MemoryStore
from tests.sim.stories import STOP_ONLY

SIM = AccountId("sim")


class SlowFirst:
    """A journal whose first commit is the last one to be heard of."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.may_return = asyncio.Event()
        self._is_first = True

    async def append(self, facts: Sequence[Fact], at: datetime) -> Sequence[Entry]:
        entries: Sequence[Entry] = await self._journal.append(facts, at)
        if self._is_first:
            self._is_first = False
            await self.may_return.wait()
        return entries


async def with_slow_first() -> tuple[Ledger, SlowFirst]:
    clock, store = RealClock(), MemoryStore(lambda holder: True)
    journal = SlowFirst(await store.acquire(SIM, "test", clock.now()))
    broker: Any = None
    given: Any = journal
    return Ledger(
        journal=given, store=store, book=Book.empty(SIM), broker=broker, clock=clock, rules=STOP_ONLY
    ), journal


async def test_nobody_goes_on_before_what_he_recorded_is_folded() -> None:
    ledger, journal = await with_slow_first()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ledger.record([WatermarkMoved(watermark="1")]))
        await asyncio.sleep(0)
        second = tasks.create_task(ledger.record([Frozen(scope="", by="op")]))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not second.done(), "it would decide on a book without what it recorded"
        journal.may_return.set()

    assert ledger.book.head == 2
    assert ledger.book.state.frozen


async def test_what_a_cancelled_task_has_written_is_folded_by_the_next() -> None:
    ledger, _ = await with_slow_first()
    async with asyncio.TaskGroup() as tasks:
        cancelled = tasks.create_task(ledger.record([Frozen(scope="", by="op")]))
        await asyncio.sleep(0)
        waiting = tasks.create_task(ledger.record([WatermarkMoved(watermark="1")]))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()

        cancelled.cancel()

    await ledger.record([WatermarkMoved(watermark="2")])  # as a guard that stops still does
    assert ledger.book.head == 3
    assert ledger.book.state.frozen
    assert ledger.book.state.watermark == "2"
