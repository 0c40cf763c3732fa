"""The hourly care: a copy that is proven, the newest few kept, and an honest word when it cannot be done."""

import asyncio
import os
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.model.ids import AccountId, PositionId
from standfast.model.journal import NakedBegan
from standfast.ports import LedgerCared
from standfast.stores.sqlite import care
from standfast.stores.sqlite.care import KEPT, care_for, copies, folder_of, in_own_process
from standfast.stores.sqlite.store import SqliteStore
from standfast.stores.sqlite.upkeep import verify
from tests.starved import no_descriptors

A = AccountId("a")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
Disk = namedtuple("Disk", "f_bavail f_frsize")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"

    async def fill() -> None:
        store = SqliteStore(path, ballast=4096)
        journal = await store.acquire(A, "one", START)
        for number in range(5):
            await journal.append([NakedBegan(position=PositionId(f"p{number}"))], START)
        await journal.release()
        await store.close()

    asyncio.run(fill())
    return path


def damage(path: Path) -> None:
    opened = apsw.Connection(str(path))
    opened.execute("DROP TRIGGER commits_are_not_changed; UPDATE commits SET epoch = 5 WHERE number = 3")
    opened.close()


def test_every_hour_a_copy_is_made_and_the_newest_are_kept(ledger: Path) -> None:
    for hour in range(KEPT + 2):
        care_for(ledger, START + hour * HOUR)
        care_for(ledger, START + hour * HOUR + timedelta(minutes=20))  # a guard that was started again

    kept = [path.name for path in copies(ledger)]
    assert kept == [f"{START + hour * HOUR:%Y%m%dT%H%M%SZ}.db" for hour in range(2, KEPT + 2)]
    assert [found.damage for path in copies(ledger) for found in verify(path)] == [""] * KEPT
    assert {path.stat().st_mode & 0o077 for path in (folder_of(ledger), *copies(ledger))} == {0}


def test_damage_is_found_with_a_copy_and_without_one_and_no_copy_of_it_gets_a_name(ledger: Path) -> None:
    care_for(ledger, START)
    damage(ledger)

    for at in (START + timedelta(minutes=5), START + HOUR):
        with pytest.raises(JournalDamaged, match="entry 3 was changed after it was written"):
            care_for(ledger, at)
    assert len(list(folder_of(ledger).iterdir())) == 1


def test_without_room_for_a_copy_the_ledger_is_checked_all_the_same(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: Disk(1, 4096))
    with pytest.raises(JournalUnavailable, match="4,096 bytes are free"):
        care_for(ledger, START)

    damage(ledger)
    with pytest.raises(JournalDamaged, match="entry 3"):
        care_for(ledger, START)
    assert copies(ledger) == []


def test_what_a_killed_copying_left_goes_with_the_next_hour(ledger: Path) -> None:
    folder_of(ledger).mkdir()
    left = folder_of(ledger) / "20260105T100000Z.db.77.partial"
    left.touch()
    os.utime(left, (START.timestamp(), START.timestamp()))

    care_for(ledger, START + 2 * HOUR)

    assert not left.exists()


def test_it_runs_in_a_process_of_its_own_and_brings_back_what_it_found(ledger: Path) -> None:
    whole = asyncio.run(in_own_process(ledger, START))
    damage(ledger)
    damaged = asyncio.run(in_own_process(ledger, START + HOUR))
    missing = asyncio.run(in_own_process(ledger.with_name("none.db"), START))

    assert whole == LedgerCared()
    assert "entry 3 was changed" in damaged.damage
    assert "none.db" in missing.failure
    assert len(copies(ledger)) == 1


def test_a_care_that_cannot_be_started_is_a_failure_and_not_the_end_of_the_guard(ledger: Path) -> None:
    async def starved() -> LedgerCared:
        with no_descriptors():
            return await in_own_process(ledger, START)

    cared = asyncio.run(starved())

    assert "cannot be started" in cared.failure
    assert "Too many open files" in cared.failure


def test_a_care_that_nobody_waits_for_any_more_is_ended(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process hangs on purpose: it is given a pipe nobody writes to for a ledger."""
    os.mkfifo(ledger.with_name("pipe"))
    monkeypatch.setattr(care, "__name__", "tests.stores.waiting_process")

    async def give_up() -> None:
        waiting = asyncio.ensure_future(in_own_process(ledger.with_name("pipe"), START))
        reader = await asyncio.to_thread(os.open, ledger.with_name("pipe"), os.O_WRONLY)  # opens once it is read
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(BrokenPipeError):
            os.write(reader, b"anybody?")
        os.close(reader)

    asyncio.run(give_up())
