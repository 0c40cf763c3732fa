"""The journal next to its floor: one raw 256-byte append + fdatasync on the same file system, strictly alternating.

"One entry" is an intent, the entry every order waits for: encoded, chained, fenced, its slot taken, committed
by the writer thread, its waiter released in the event loop. "64 waiting writers" are 64 tasks that append
one entry each at one moment; the time runs until the last of them goes on.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.figures import Figure
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding, InstrumentId, PositionId
from standfast.model.journal import OrderAccepted, OrderIntended
from standfast.model.order import OrderType, Role, Side, Terms, TimeInForce
from standfast.stores.sqlite.store import SqliteJournal, SqliteStore

ROUNDS = 301
WARM_UP = 30
WRITERS = 64
START = datetime(2026, 1, 5, 15, tzinfo=UTC)


class Figures:
    """Alternates raw writes and journal writes; every pair is taken within a few milliseconds."""

    def __init__(self, journal: SqliteJournal, raw: int) -> None:
        self._journal = journal
        self._raw = raw
        self._count = 0

    async def measure(self, name: str, goal: float, act: Callable[[], Awaitable[float]]) -> Figure:
        floors, values = [], []
        for turn in range(ROUNDS + WARM_UP):
            floor, value = self._floor(), await act()
            if turn >= WARM_UP:
                floors.append(floor)
                values.append(value)
        value, floor = statistics.median(values), statistics.median(floors)
        return Figure(name=name, value=value, floor=floor, goal=goal)

    async def one(self) -> float:
        """Seconds for one intent; its outcome, which frees the slot, is not counted."""
        intent = self._intent()
        began = time.perf_counter()
        await self._journal.append([intent], START)
        took = time.perf_counter() - began
        await self._journal.append([OrderAccepted(id=intent.id, broker_id=BrokerOrderId(intent.id))], START)
        return took

    async def many(self) -> float:
        """Seconds until the last of the waiting writers goes on."""
        facts = [OrderAccepted(id=ClientOrderId(f"sf{n}"), broker_id=BrokerOrderId("b" * 36)) for n in range(WRITERS)]
        ready = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._write(fact, ready)) for fact in facts]
            await asyncio.sleep(0)
            began = time.perf_counter()
            ready.set()
        return max(task.result() for task in tasks) - began

    async def _write(self, fact: OrderAccepted, ready: asyncio.Event) -> float:
        await ready.wait()
        await self._journal.append([fact], START + timedelta(seconds=1))
        return time.perf_counter()

    def _floor(self) -> float:
        began = time.perf_counter()
        os.write(self._raw, bytes(256))
        os.fdatasync(self._raw)
        return time.perf_counter() - began

    def _intent(self) -> OrderIntended:
        self._count += 1
        return OrderIntended(
            id=ClientOrderId(f"sfabcd-s{self._count:016}"),
            position=PositionId(f"p{self._count:016}"),
            role=Role.STOP,
            holding=Holding(InstrumentId("SPY")),
            terms=Terms(
                side=Side.SELL,
                quantity=Decimal(100),
                type=OrderType.STOP,
                time_in_force=TimeInForce.GTC,
                stop_price=Decimal("412.35"),
                reduces=True,
            ),
            attempt=1,
            reason="uncovered",
        )


async def _measure(directory: Path) -> list[Figure]:
    store = SqliteStore(directory / "ledger.db")
    raw = os.open(directory / "raw", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        journal = await store.acquire(AccountId("bench"), "bench", START)
        figures = Figures(journal, raw)
        return [
            await figures.measure("journal: one entry", 2.0, figures.one),
            await figures.measure(f"journal: {WRITERS} waiting writers", 2.2, figures.many),
        ]
    finally:
        os.close(raw)
        await store.close()


def figures() -> list[Figure]:
    """Seconds, as medians; the ratio is to the raw write measured in turn with each."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("STANDFAST_BENCH_DIRECTORY", ".")) as directory:
        return asyncio.run(_measure(Path(directory)))
