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


async def test_nobody_goes_on_before_what_he_recorded_is_folded() -> None:
    clock, store = RealClock(), MemoryStore(lambda holder: True)
    journal = SlowFirst(await store.acquire(SIM, "test", clock.now()))
    broker: Any = None
    given: Any = journal
    ledger = Ledger(journal=given, store=store, book=Book.empty(SIM), broker=broker, clock=clock, rules=STOP_ONLY)
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
