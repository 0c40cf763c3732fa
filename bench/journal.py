"""The journal next to its floor: one raw 256-byte append + fdatasync on the same file system, strictly alternating.

"One entry" is an intent, the entry every order waits for: encoded, chained, fenced, its slot taken, committed
by the writer thread, its waiter released in the event loop.

"64 waiting writers" are 64 tasks that append one entry each at one moment. "In one commit" is what that commit takes
of the writer thread, from taking the queue until it is durable, chain included: what the next writer waits for. "To
the last of them" runs until the last task goes on; starting and waking 64 tasks and changing threads twice is most of
it, with a journal that writes nothing more than the floor does too.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.figures import Figure
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding, InstrumentId, PositionId
from standfast.model.journal import OrderAccepted, OrderIntended
from standfast.model.order import OrderType, Role, Side, Terms, TimeInForce
from standfast.stores.sqlite.store import SqliteJournal, SqliteStore
from standfast.stores.sqlite.writer import Writer

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
        self._commits = _timed_commits()

    async def measure(self, name: str, goal: float | None, act: Callable[[], Awaitable[float]]) -> Figure:
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

    async def commit_of_many(self) -> float:
        """Seconds of the writer thread for the commit of 64 waiting writers."""
        self._commits.clear()
        while len(self._commits) != 1:  # where the thread was quicker than the 64th, two commits shared them
            self._commits.clear()
            await self.many()
        return self._commits[0]

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


def _timed_commits() -> list[float]:
    """The seconds of every commit from now on."""
    seconds: list[float] = []
    attempt = Writer._attempt  # noqa: SLF001 - what is measured is what nobody outside can see

    def timed(self: Writer, jobs: Sequence[Any]) -> list[object]:
        began = time.perf_counter()
        try:
            return attempt(self, jobs)
        finally:
            seconds.append(time.perf_counter() - began)

    Writer._attempt = timed  # type: ignore[method-assign]  # noqa: SLF001 - in this process only
    return seconds


async def _measure(directory: Path) -> list[Figure]:
    store = SqliteStore(directory / "ledger.db")
    raw = os.open(directory / "raw", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        journal = await store.acquire(AccountId("bench"), "bench", START)
        figures = Figures(journal, raw)
        return [
            await figures.measure("journal: one entry", 2.0, figures.one),
            await figures.measure(f"journal: {WRITERS} waiting writers in one commit", 2.2, figures.commit_of_many),
            await figures.measure(f"journal: to the last of {WRITERS} waiting writers", None, figures.many),
        ]
    finally:
        os.close(raw)
        await store.close()


def figures() -> list[Figure]:
    """Seconds, as medians; the ratio is to the raw write measured in turn with each."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("STANDFAST_BENCH_DIRECTORY", ".")) as directory:
        return asyncio.run(_measure(Path(directory)))
