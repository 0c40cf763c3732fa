"""The store in memory: what it has proven once it need not prove again, and what is changed it proves anew."""

import asyncio
from datetime import UTC, datetime

import pytest

from standfast.model.errors import JournalDamaged
from standfast.model.ids import AccountId, EntryNumber
from standfast.model.journal import GuardStopped
from standfast.stores.memory import MemoryJournal, MemoryStore

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
A = AccountId("a")
BEGINNING = EntryNumber(0)


def test_a_journal_is_read_the_same_however_often_and_however_it_grows() -> None:
    async def main() -> None:
        store, once = MemoryStore(), MemoryStore()
        journal, other = await store.acquire(A, "g", NOW), await once.acquire(A, "g", NOW)
        for n in range(5):
            for each in (journal, other):
                await each.append([GuardStopped(reason=f"{n}"), GuardStopped(reason="again")], NOW)
            assert len(await store.entries(A, BEGINNING)) == 2 * n + 2
        assert await store.entries(A, BEGINNING) == await once.entries(A, BEGINNING)
        assert [entry.number for entry in await store.entries(A, EntryNumber(7))] == [8, 9, 10]

    asyncio.run(main())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_commit_that_is_changed_after_it_was_read_is_found(place: int) -> None:
    async def main() -> None:
        store = MemoryStore()
        journal = await store.acquire(A, "g", NOW)
        for n in range(3):
            await journal.append([GuardStopped(reason=f"why {n}")], NOW)
        assert len(await store.entries(A, BEGINNING)) == 3
        _change(journal, place)
        with pytest.raises(JournalDamaged):
            await store.entries(A, BEGINNING)

    asyncio.run(main())


def _change(journal: MemoryJournal, place: int) -> None:
    commits = journal._kept.commits
    commits[place] = commits[place]._replace(packed=commits[place].packed.replace("why", "WHY"))
