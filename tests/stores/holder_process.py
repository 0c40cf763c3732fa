"""A process that takes a lease: told by the tests to go on by lines on its input, answering in lines."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from standfast.model.errors import LeaseLost
from standfast.model.ids import AccountId, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.holder import describe_holder
from standfast.stores.sqlite.store import SqliteJournal, SqliteStore

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the tests read it


async def write(journal: SqliteJournal) -> None:
    """Four writers at once, each telling every number that was acknowledged, until the process is killed."""

    async def keep_writing(name: str) -> None:
        while True:
            (entry,) = await journal.append([NakedBegan(position=PositionId(name))], START)
            say(str(entry.number))

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(keep_writing(name))


async def main(path: Path, task: str) -> None:
    store = SqliteStore(path, ballast=4096)
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    try:
        journal = await store.acquire(AccountId("a"), describe_holder(), START)
    except LeaseLost as error:
        say(f"lost {error}")
    else:
        say(f"won {describe_holder()}")
        if task == "write":
            await write(journal)
        await asyncio.to_thread(sys.stdin.readline)
        await journal.release()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
