"""Every store against the kit."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from standfast.stores.memory import MemoryStore
from standfast.stores.sqlite.store import SqliteStore
from standfast.testing.check_journal import CHECKS, Check, LedgerStore

STORES: dict[str, Callable[[Path], LedgerStore]] = {
    "memory": lambda directory: MemoryStore(),
    "sqlite": lambda directory: SqliteStore(directory / "ledger.db", ballast=4096),
}


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
