"""A process that writes a ledger on a disk that fails, and tells what it was promised and how it ended."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from standfast.model.errors import JournalUnavailable
from standfast.model.ids import AccountId, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.holder import describe_holder
from standfast.stores.sqlite.store import SqliteStore

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
COMMITS = 30


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the tests read it


async def main(path: Path, switch: Path) -> None:
    store = SqliteStore(path, ballast=4096)
    journal = await store.acquire(AccountId("a"), describe_holder(), START)
    await asyncio.to_thread(switch.touch)
    for number in range(COMMITS):
        try:
            entries = await journal.append([NakedBegan(position=PositionId(f"p{number}" + "x" * 3000))], START)
        except JournalUnavailable as error:
            say(f"refused {error}")
            if store.unknown:
                break
        else:
            say(f"promised {entries[-1].number}")
    say(f"unknown {bool(store.unknown)} reserve {store.has_ballast}")
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
