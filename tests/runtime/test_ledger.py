"""What is recorded is in the book before anyone goes on, whatever the order in which commits come back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from standfast.core.book import Book
from standfast.model.ids import AccountId, Holding, InstrumentId, PositionId
from standfast.model.journal import Entry, Fact, Frozen, OpeningRequested, WatermarkMoved
from standfast.runtime.clock import RealClock
from standfast.runtime.ledger import SAVE_EVERY, Ledger, load_book
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


def opening(number: int) -> OpeningRequested:
    return OpeningRequested(
        position=PositionId(f"p{number}"),
        key=f"k{number}",
        holding=Holding(InstrumentId("SPY")),
        quantity=Decimal(1),
        strategy="test",
        by="test",
    )


async def on_a_store() -> tuple[Ledger, MemoryStore]:
    clock, store = RealClock(), MemoryStore(lambda holder: True)
    broker: Any = None
    journal = await store.acquire(SIM, "test", clock.now())
    return Ledger(
        journal=journal, store=store, book=Book.empty(SIM), broker=broker, clock=clock, rules=STOP_ONLY
    ), store


async def test_a_small_book_is_kept_whenever_the_guard_stops() -> None:
    ledger, store = await on_a_store()
    await ledger.record([opening(1), Frozen(scope="", by="op")])

    await ledger.save_last()

    _, saved = await load_book(store, STOP_ONLY)
    assert saved == ledger.book.head


async def test_a_large_book_is_not_kept_anew_for_little_that_has_happened() -> None:
    ledger, store = await on_a_store()
    await ledger.record([opening(number) for number in range(100)])
    await ledger.save_last()
    await ledger.record([Frozen(scope="", by="op")])

    await ledger.save_last()

    book, saved = await load_book(store, STOP_ONLY)
    assert saved == 100
    assert book.state == ledger.book.state, "the next start folds what followed"


async def test_what_starts_have_to_fold_is_counted_from_the_book_that_was_kept_not_from_the_last_start() -> None:
    ledger, store = await on_a_store()
    await ledger.record([WatermarkMoved(watermark=str(number)) for number in range(SAVE_EVERY - 1)])
    book, saved = await load_book(store, STOP_ONLY)
    again = Ledger(
        journal=ledger.journal, store=store, book=book, broker=ledger.broker, clock=ledger.clock, rules=STOP_ONLY
    )
    again.saved = saved
    await again.save()
    assert (await load_book(store, STOP_ONLY))[1] == 0, "not yet enough"

    await again.record([WatermarkMoved(watermark="last")])
    await again.save()

    assert (await load_book(store, STOP_ONLY))[1] == SAVE_EVERY
