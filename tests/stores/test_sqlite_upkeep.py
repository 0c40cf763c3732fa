"""Reading, copying, writing out and asking, beside a guard that goes on writing."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.model.ids import AccountId, EntryNumber, Holding, InstrumentId, PositionId, RequestId
from standfast.model.journal import ForeignAcknowledged, NakedBegan, RequestTaken
from standfast.ports import Request
from standfast.stores.codec import GENESIS, encode_fact, seal, unpack
from standfast.stores.promises import RequestOutcome
from standfast.stores.sqlite import migrate
from standfast.stores.sqlite.connection import APPLICATION
from standfast.stores.sqlite.reading import LeaseRow, LedgerReader
from standfast.stores.sqlite.requesting import put_request, wait_request
from standfast.stores.sqlite.store import SqliteJournal, SqliteStore
from standfast.stores.sqlite.upkeep import back_up, export, tail, verify
from standfast.testing.check_journal import SampleState, sample_state

A = AccountId("a")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
FOREIGN = ForeignAcknowledged(holding=Holding(InstrumentId("SPY")), quantity=Decimal("1.50"), by="operator")


@asynccontextmanager
async def guard(path: Path) -> AsyncIterator[tuple[SqliteStore, SqliteJournal]]:
    store = SqliteStore(path, ballast=4096)
    journal = await store.acquire(A, "one", START)
    try:
        yield store, journal
    finally:
        await store.close()


def run(act: Coroutine[Any, Any, None]) -> None:
    asyncio.run(act)


def naked(name: str) -> NakedBegan:
    return NakedBegan(position=PositionId(name))


def request(name: str) -> Request:
    return Request(id=RequestId(name), account=A, verb="close", arguments={"id": "p"}, by="me", at=START)


def test_a_reader_sees_everything_beside_a_running_guard(tmp_path: Path) -> None:
    async def act() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            entries = await journal.append([naked("p1"), FOREIGN, naked("p2")], START)
            await journal.save_book(EntryNumber(3), sample_state())
            put_request(tmp_path / "ledger.db", request("r"))
            with LedgerReader(tmp_path / "ledger.db") as reader:
                assert reader.accounts() == [A]
                assert list(reader.entries(A)) == entries
                assert list(reader.entries(A, after=1, limit=1)) == [entries[1]]
                assert reader.head(A) == (3, entries[2].hash)
                assert reader.head(AccountId("b")) == (0, "00" * 32)
                assert reader.book(A, SampleState) == (3, sample_state())
                assert reader.requests(A) == [request("r")]
                assert reader.request(RequestId("r")) == (request("r"), False, None)
                assert reader.request(RequestId("none")) is None
                assert reader.lease(A) == LeaseRow(epoch=1, holder="one", expires="2026-01-05T14:30:15.000000Z")
                assert reader.lease(AccountId("b")) is None

    run(act())


def test_reading_brings_neither_asyncio_nor_an_http_library(tmp_path: Path) -> None:
    code = (
        "import sys, standfast.stores.sqlite.reading; "
        "import standfast.stores.sqlite.requesting, standfast.stores.sqlite.upkeep; "
        "print(sorted({'asyncio', 'aiohttp', 'pydantic', 'sqlite3'} & set(sys.modules)))"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_a_request_from_outside_is_taken_done_and_answered(tmp_path: Path) -> None:
    async def act() -> None:
        ledger = tmp_path / "ledger.db"
        async with guard(ledger) as (store, journal):
            put_request(ledger, request("r"))
            assert list(await journal.requests()) == [request("r")]
            taken = RequestTaken(request=RequestId("r"), verb="close", arguments={}, by="me")
            await journal.append([taken], START)
            assert wait_request(ledger, RequestId("r"), attempts=1, pause=fail) is None
            await journal.finish_request(RequestId("r"), True, "flat")

            assert wait_request(ledger, RequestId("r"), attempts=1, pause=fail) == RequestOutcome(True, "flat")
            assert await store.request_outcome(RequestId("r")) == RequestOutcome(True, "flat")

    run(act())


def test_waiting_for_a_request_looks_again_after_each_pause(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    pauses: list[int] = []

    async def create() -> None:
        await SqliteStore(ledger, ballast=0).close()

    run(create())

    assert wait_request(ledger, RequestId("r"), attempts=3, pause=lambda: pauses.append(1)) is None
    assert len(pauses) == 2


def fail() -> None:
    raise AssertionError("nothing to wait for")


def test_a_backup_taken_while_writing_is_whole_and_starts_a_guard(tmp_path: Path) -> None:
    async def act() -> None:
        copy = tmp_path / "copy.db"
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked("p1"), FOREIGN], START)
            await asyncio.to_thread(back_up, tmp_path / "ledger.db", copy)
            await journal.append([naked("p2")], START)

        assert [(found.entries, found.damage) for found in verify(copy)] == [(2, "")]
        assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == ["copy.db"]
        assert copy.stat().st_mode & 0o077 == 0
        store = SqliteStore(copy, ballast=0)
        journal = await store.acquire(A, "one", START)
        assert journal.head == 2
        await store.close()

    run(act())


def test_a_backup_never_overwrites_and_never_copies_damage_in_silence(tmp_path: Path) -> None:
    async def fill() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked("p1"), FOREIGN], START)

    run(fill())
    (tmp_path / "there.db").touch()
    with pytest.raises(JournalUnavailable, match="exists"):
        back_up(tmp_path / "ledger.db", tmp_path / "there.db")

    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    connection.execute("DROP TRIGGER commits_are_not_changed; UPDATE commits SET epoch = 5")
    connection.close()
    with pytest.raises(JournalDamaged, match="entry 1 was changed"):
        back_up(tmp_path / "ledger.db", tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy.db*"))


def test_an_export_has_one_whole_document_for_each_entry(tmp_path: Path) -> None:
    async def act() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            entries = await journal.append([naked("p1"), FOREIGN], START)
            with LedgerReader(tmp_path / "ledger.db") as reader:
                lines = [json.loads(line) for line in export(reader, A)]
        assert lines[1] == {
            "account": "a",
            "number": 2,
            "epoch": 1,
            "at": "2026-01-05T14:30:00.000000Z",
            "kind": "ForeignAcknowledged",
            "version": 1,
            "fact": {
                "holding": ["SPY", ""],
                "quantity": "1.50",
                "by": "operator",
                "before": "0",
                "bare": "0",
                "seen_at": None,
            },
            "hash": entries[1].hash,
        }

    run(act())


def test_a_tail_follows_what_is_written_between_two_looks(tmp_path: Path) -> None:
    async def act() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked("p1"), naked("p2")], START)
            asked: list[str] = []
            with LedgerReader(tmp_path / "ledger.db") as reader:

                def pause() -> bool:
                    asked.append("looked")
                    return len(asked) < 3

                following = tail(reader, A, 1, pause)
                seen = [next(following).number]
                await journal.append([naked("p3"), naked("p4")], START)
                seen += [entry.number for entry in following]

        assert seen == [2, 3, 4]
        assert len(asked) == 3

    run(act())


def test_a_book_that_is_damaged_or_of_another_journal_is_passed_over(tmp_path: Path) -> None:
    async def act() -> None:
        async with guard(tmp_path / "ledger.db") as (store, journal):
            await journal.append([naked("p1"), naked("p2")], START)
            await journal.save_book(EntryNumber(1), SampleState(seen={"older"}))
            await journal.save_book(EntryNumber(2), SampleState(seen={"newer"}))
            with pytest.raises(LookupError):
                await journal.save_book(EntryNumber(3), SampleState())
            connection = apsw.Connection(str(tmp_path / "ledger.db"))
            connection.execute("UPDATE books SET body = zeroblob(10) WHERE number = 2")
            assert await store.book(A, SampleState) == (1, SampleState(seen={"older"}))
            connection.execute("DELETE FROM books WHERE number = 2")
            connection.execute("UPDATE books SET number = 2 WHERE number = 1")
            assert await store.book(A, SampleState) is None
            connection.close()

    run(act())


def test_only_the_newest_two_books_are_kept(tmp_path: Path) -> None:
    async def act() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked(f"p{number}") for number in range(5)], START)
            for number in range(1, 6):
                await journal.save_book(EntryNumber(number), SampleState())
        connection = apsw.Connection(str(tmp_path / "ledger.db"))
        assert connection.execute("SELECT number FROM books ORDER BY number").fetchall() == [(4,), (5,)]
        connection.close()

    run(act())


def test_a_migration_copies_a_ledger_in_use_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fill() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked("p1")], START)

    run(fill())
    steps = migrate.scripts()
    monkeypatch.setattr(migrate, "scripts", lambda: (*steps, "CREATE TABLE later (id INTEGER)"))
    run(fill())

    assert [found.entries for found in verify(tmp_path / "ledger.db.before-0003")] == [1]
    assert [found.entries for found in verify(tmp_path / "ledger.db")] == [2]


def test_a_ledger_of_single_entries_becomes_one_of_commits_without_a_change_in_its_entries(tmp_path: Path) -> None:
    written = datetime(2026, 1, 5, 14, 30, 0, 250_000, tzinfo=UTC)
    name = 'p\\u00e9 "quoted" \u20ac'
    facts = [(written, encode_fact(fact)) for fact in (naked(name), FOREIGN, naked("p2"))]
    records = unpack(seal(A, (0, GENESIS), 3, facts).commit)
    path = tmp_path / "ledger.db"
    connection = apsw.Connection(str(path))
    connection.execute(migrate.scripts()[0])
    connection.execute("INSERT INTO leases VALUES ('a', 3, '', '')")
    connection.executemany("INSERT INTO entries VALUES ('a', ?, ?, ?, ?, ?, ?, ?)", records)
    connection.execute(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1")
    connection.close()

    async def go_on() -> None:
        async with guard(path) as (_, journal):
            await journal.append([naked("p3")], START)

    run(go_on())

    with LedgerReader(path) as reader:
        assert list(reader.records(A))[:3] == records
        assert [entry.fact for entry in reader.entries(A)] == [naked(name), FOREIGN, naked("p2"), naked("p3")]
    assert [(found.entries, found.damage) for found in verify(path)] == [(4, "")]
    before = apsw.Connection(str(tmp_path / "ledger.db.before-0002"))
    assert before.execute("SELECT count(*) FROM entries").fetchall() == [(3,)]
    before.close()


def test_the_view_of_entries_shows_a_row_for_each(tmp_path: Path) -> None:
    async def fill() -> list[str]:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked("p1"), FOREIGN], START)
            await journal.append([naked("p2")], START)
            return [entry.hash for entry in await journal.append([FOREIGN, naked("p3")], START)]

    hashes = asyncio.run(fill())

    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    rows = connection.execute("SELECT number, epoch, kind, version, body ->> 'position', hash FROM entries").fetchall()
    connection.close()
    assert [row[:5] for row in rows] == [
        (1, 1, "NakedBegan", 1, "p1"),
        (2, 1, "ForeignAcknowledged", 1, None),
        (3, 1, "NakedBegan", 1, "p2"),
        (4, 1, "ForeignAcknowledged", 1, None),
        (5, 1, "NakedBegan", 1, "p3"),
    ]
    assert [row[5] for row in rows[3:]] == hashes


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fill() -> None:
        async with guard(tmp_path / "ledger.db") as (_, journal):
            await journal.append([naked("p1")], START)

    run(fill())
    steps = migrate.scripts()
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "scripts", lambda: (*steps, "CREATE TABLE later (id INTEGER); SELECT nonsense"))
        with pytest.raises(JournalUnavailable, match="nonsense"):
            SqliteStore(tmp_path / "ledger.db", ballast=0)
    run(fill())

    assert [found.entries for found in verify(tmp_path / "ledger.db")] == [2]
