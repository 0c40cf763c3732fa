"""What the disk may do to a commit: refuse it, fail it, or run full; and what is promised then."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest

from standfast.model.errors import JournalUnavailable
from standfast.model.ids import AccountId, ClientOrderId, EntryNumber, Holding, InstrumentId, PositionId
from standfast.model.journal import NakedBegan, OrderIntended
from standfast.model.order import OrderType, Role, Side, Terms, TimeInForce
from standfast.stores.sqlite import connection
from standfast.stores.sqlite.store import SqliteJournal, SqliteStore

A, B = AccountId("a"), AccountId("b")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


@dataclass
class Disk:
    """What goes wrong with it now."""

    path: Path
    sync_fails: bool = False
    is_full: bool = False
    """Full until the ballast beside the ledger is given up."""
    stays_full: bool = False

    def check_room(self) -> None:
        ballast = self.path.with_name(self.path.name + ".ballast")
        if self.stays_full or (self.is_full and ballast.exists()):
            raise apsw.FullError("injected")

    def check_sync(self) -> None:
        if self.sync_fails:
            raise apsw.IOError("injected")


class FaultyFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.check_room()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.check_sync()
        super().xSync(flags)


class FaultyVfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        super().__init__("faulty", "")
        self._disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> FaultyFile:  # noqa: N802 - SQLite's name
        return FaultyFile(self._disk, name, flags)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "ledger.db")
    vfs = FaultyVfs(disk)
    yield disk
    vfs.unregister()


def naked(name: str) -> NakedBegan:
    return NakedBegan(position=PositionId(name))


def intent(name: str) -> OrderIntended:
    return OrderIntended(
        id=ClientOrderId(name),
        position=PositionId("p"),
        role=Role.STOP,
        holding=Holding(InstrumentId("SPY")),
        terms=Terms(
            side=Side.SELL,
            quantity=Decimal(1),
            type=OrderType.STOP,
            time_in_force=TimeInForce.GTC,
            reduces=True,
        ),
        attempt=1,
        reason="",
    )


async def open_store(disk: Disk, vfs: str | None = "faulty") -> tuple[SqliteStore, SqliteJournal]:
    store = SqliteStore(disk.path, ballast=65536, vfs=vfs)
    return store, await store.acquire(A, "one", START)


def run(act: Coroutine[Any, Any, None]) -> None:
    asyncio.run(act)


def test_a_full_disk_costs_the_ballast_once_and_no_entry(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk)
        await journal.append([naked("p1")], START)
        disk.is_full = True
        await journal.append([naked("p2")], START)

        assert not store.has_ballast
        assert journal.head == 2
        assert store.unknown == ""
        await store.close()

    run(act())


def test_a_disk_that_stays_full_writes_nothing_and_goes_on_once_there_is_room(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk)
        await journal.append([naked("p1")], START)
        disk.stays_full = True
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="disk is full"):
                await journal.append([naked("lost")], START)
        disk.stays_full = False
        await journal.append([naked("p2")], START)

        assert [entry.fact for entry in await store.entries(A, EntryNumber(0))] == [naked("p1"), naked("p2")]
        await store.close()

    run(act())


def test_a_failed_sync_leaves_the_outcome_unknown_and_ends_all_writing(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk)
        await journal.append([naked("p1")], START)
        disk.sync_fails = True
        with pytest.raises(JournalUnavailable):
            await journal.append([naked("p2")], START)
        disk.sync_fails = False

        assert "unknown" in store.unknown
        for act_ in (journal.append([naked("p3")], START), journal.renew(START), store.acquire(B, "one", START)):
            with pytest.raises(JournalUnavailable, match="unknown"):
                await act_
        await store.close()

        store, journal = await open_store(disk)
        assert [entry.fact for entry in await store.entries(A, EntryNumber(0))][:1] == [naked("p1")]
        await journal.append([naked("p4")], START)
        await store.close()

    run(act())


def test_what_waits_behind_a_failed_commit_is_refused_as_well(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk)
        other = await store.acquire(B, "one", START)
        disk.sync_fails = True
        results: list[BaseException] = []

        async def write(to: SqliteJournal) -> None:
            with pytest.raises(JournalUnavailable) as caught:
                await to.append([naked("p")], START)
            results.append(caught.value)

        async with asyncio.TaskGroup() as group:
            for to in (journal, other, journal, other):
                group.create_task(write(to))

        assert len(results) == 4
        disk.sync_fails = False
        await store.close()

    run(act())


def test_another_writer_makes_us_wait_and_then_say_so(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk, vfs=None)
        store._writer._connection.set_busy_timeout(1)
        other = apsw.Connection(str(disk.path))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailable, match="another writer"):
            await journal.append([naked("p")], START)
        other.execute("ROLLBACK")
        other.close()

        await journal.append([naked("p")], START)
        assert (journal.head, store.unknown) == (1, "")
        await store.close()

    run(act())


def test_waiting_writers_of_several_accounts_share_commits(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk, vfs=None)
        other = await store.acquire(B, "one", START)
        commits: list[str] = []

        def note() -> bool:
            commits.append("commit")
            return False

        store._writer._connection.set_commit_hook(note)

        async with asyncio.TaskGroup() as group:
            for number in range(64):
                group.create_task((other if number % 2 else journal).append([naked(f"p{number}")], START))

        assert len(commits) <= 4
        assert (journal.head, other.head) == (32, 32)
        positions = [entry.fact for entry in await store.entries(A, EntryNumber(0))]
        assert positions == [naked(f"p{number}") for number in range(0, 64, 2)]
        await store.close()

    run(act())


def test_a_refused_append_does_not_take_another_accounts_with_it(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk, vfs=None)
        other = await store.acquire(B, "one", START)
        await journal.append([intent("i1")], START)

        async def refused() -> None:
            with pytest.raises(AssertionError, match=r"i2 .* while i1 is unsettled"):
                await journal.append([naked("p"), intent("i2")], START)

        async with asyncio.TaskGroup() as group:
            group.create_task(refused())
            for number in range(3):
                group.create_task(other.append([naked(f"p{number}")], START))

        assert (journal.head, other.head) == (1, 3)
        assert len(await store.entries(A, EntryNumber(0))) == 1
        assert len(await store.entries(B, EntryNumber(0))) == 3
        await store.close()

    run(act())


def test_a_cancelled_waiter_still_counts_what_was_written(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk, vfs=None)
        task = asyncio.ensure_future(journal.append([naked("p1")], START))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await journal.append([naked("p2")], START)

        assert journal.head == 2
        assert [entry.number for entry in await store.entries(A, EntryNumber(0))] == [1, 2]
        await store.close()

    run(act())


def test_closing_writes_what_waits_and_refuses_what_comes_later(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk, vfs=None)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(journal.append([naked("p1")], START))
            await asyncio.sleep(0)
            await store.close()
        assert [entry.number for entry in writing.result()] == [1]
        with pytest.raises(JournalUnavailable, match="closed"):
            await journal.append([naked("p2")], START)
        await store.close()
        assert not store._writer._thread.is_alive()

    run(act())


def test_the_log_is_moved_into_the_file_while_a_guard_runs(disk: Disk) -> None:
    async def act() -> None:
        store, journal = await open_store(disk, vfs=None)
        log = disk.path.with_name(disk.path.name + "-wal")
        size = log.stat().st_size
        for number in range(60):
            await journal.append([naked("p" * 20_000)] * 10, START + timedelta(seconds=number))

        assert log.stat().st_size <= 2 * size
        await store.close()

    run(act())


@pytest.mark.parametrize("name", ["journal_mode", "synchronous", "busy_timeout", "trusted_schema"])
def test_a_setting_that_does_not_take_hold_is_refused(disk: Disk, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = connection.pragma
    monkeypatch.setattr(connection, "pragma", lambda opened, asked: "other" if asked == name else real(opened, asked))

    with pytest.raises(JournalUnavailable, match=f"SQLite keeps {name} = 'other'"):
        SqliteStore(disk.path, ballast=0)


@pytest.mark.parametrize(("version", "is_fit"), [("3.51.2", False), ("3.40.1", False), ("3.51.3", True)])
def test_a_library_that_can_corrupt_a_ledger_is_refused(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, version: str, *, is_fit: bool
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)

    with nullcontext() if is_fit else pytest.raises(JournalUnavailable, match=r"3.51.3 or later is needed"):
        run(SqliteStore(disk.path, ballast=0).close())
