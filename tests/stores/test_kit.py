"""Every store against the kit."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from standfast.model.ids import RequestId
from standfast.stores.memory import MemoryStore
from standfast.stores.promises import RequestOutcome
from standfast.stores.sqlite.store import SqliteStore
from standfast.testing.check_journal import CHECKS, START, A, Check, LedgerStore, request


class Acting:
    """A clock on which something happens while one sleeps."""

    def __init__(self, act: Callable[[], Awaitable[None]]) -> None:
        self._act = act
        self._seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        self._seconds += seconds
        await self._act()

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        raise NotImplementedError


STORES: dict[str, Callable[[Path], LedgerStore]] = {
    "memory": lambda directory: MemoryStore(),
    "sqlite": lambda directory: SqliteStore(directory / "ledger.db", ballast=4096),
}


@pytest.mark.parametrize("name", STORES)
def test_waiting_for_a_request_ends_with_its_outcome_or_with_the_time(name: str, tmp_path: Path) -> None:
    async def run() -> None:
        store = STORES[name](tmp_path)
        assert isinstance(store, MemoryStore | SqliteStore)
        journal = await store.acquire(A, "one", START)
        await store.put_request(request("r"))

        async def nothing() -> None:
            pass

        async def finish() -> None:
            await journal.finish_request(RequestId("r"), ok=True, detail="flat")

        assert await store.wait_request(RequestId("r"), Acting(nothing), 5.0) is None
        assert await store.wait_request(RequestId("r"), Acting(finish), 5.0) == RequestOutcome(True, "flat")
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", STORES)
def test_a_store_keeps_its_promise(name: str, check: Check, tmp_path: Path) -> None:
    async def run() -> None:
        store = STORES[name](tmp_path)
        try:
            await check(store)
        finally:
            await store.close()

    asyncio.run(run())
