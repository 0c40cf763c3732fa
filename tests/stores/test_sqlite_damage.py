"""A ledger that is not what it was is refused, and the first damaged entry is named."""

import asyncio
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.model.ids import AccountId, EntryNumber, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.sqlite.reading import LedgerReader
from standfast.stores.sqlite.store import SqliteStore
from standfast.stores.sqlite.upkeep import back_up, verify

A = AccountId("a")
B = AccountId("b/c")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    asyncio.run(fill(path))
    return path


async def fill(path: Path) -> None:
    store = SqliteStore(path, ballast=4096)
    for account in (A, B):
        journal = await store.acquire(account, "one", START)
        for number in range(10):
            await journal.append([NakedBegan(position=PositionId(f"p{number}"))], START)
        await journal.release()
    await store.close()


async def start(path: Path, account: AccountId = A) -> list[int]:
    store = SqliteStore(path, ballast=4096)
    try:
        await store.acquire(account, "two", START)
        return [entry.number for entry in await store.entries(account, EntryNumber(0))]
    finally:
        await store.close()


def tamper(path: Path, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    for name in ("commits_are_not_changed", "commits_are_not_deleted"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_whole_ledger_verifies(ledger: Path) -> None:
    assert [(found.account, found.entries, found.damage) for found in verify(ledger)] == [(A, 10, ""), (B, 10, "")]
    assert asyncio.run(start(ledger)) == list(range(1, 11))


@pytest.mark.parametrize(
    "change",
    [
        "packed = json_set(packed, '$[0][3]', json('{}'))",
        f"packed = json_set(packed, '$[0][4]', '{'0' * 64}')",
        "epoch = 9",
        "packed = json_set(packed, '$[0][0]', '2026-01-05T14:30:01Z')",
    ],
)
def test_a_changed_entry_is_named_and_the_other_account_still_starts(ledger: Path, change: str) -> None:
    tamper(ledger, f"UPDATE commits SET {change} WHERE account = 'a' AND number = 4")

    first, second = verify(ledger)

    assert first.damage == "a: entry 4 was changed after it was written"
    assert first.entries == 3
    assert second.damage == ""
    with pytest.raises(JournalDamaged, match="entry 4"):
        asyncio.run(start(ledger))
    assert asyncio.run(start(ledger, B)) == list(range(1, 11))


@pytest.mark.parametrize("packed", ["[]", "[[1]]", "{", '[["a","b",1,{},"nothex"]]'])
def test_a_commit_that_cannot_be_read_is_named(ledger: Path, packed: str) -> None:
    tamper(ledger, f"UPDATE commits SET packed = '{packed}' WHERE account = 'a' AND number = 4")

    assert verify(ledger)[0].damage.startswith("the commit that ends with entry 4 is unreadable")
    with pytest.raises(JournalDamaged, match="entry 4 is unreadable"):
        asyncio.run(start(ledger))


def test_a_missing_entry_is_named(ledger: Path) -> None:
    tamper(ledger, "DELETE FROM commits WHERE account = 'a' AND number = 6")

    assert verify(ledger)[0].damage == "a: entry 6 is missing, entry 7 follows"


async def missing_at_start(path: Path) -> tuple[str, str]:
    """What a start finds missing, and what the next one does after this one has gone on."""
    said = []
    for holder in ("two", "three"):
        store = SqliteStore(path, ballast=4096)
        journal = await store.acquire(A, holder, START)
        said.append(journal.lost)
        await journal.append([NakedBegan(position=PositionId(holder))], START)
        await journal.renew(START)
        await journal.release()
        await store.close()
    return said[0], said[1]


def test_a_cut_off_tail_is_said_once_and_the_journal_goes_on(ledger: Path) -> None:
    tamper(ledger, "DELETE FROM commits WHERE account = 'a' AND number > 8")

    missing = "a: entries 9 to 10 were committed once and are missing"
    assert verify(ledger)[0].damage == missing
    assert asyncio.run(missing_at_start(ledger)) == (missing, "")
    assert [(found.entries, found.damage) for found in verify(ledger)] == [(10, ""), (10, "")]


def test_an_old_copy_in_the_ledgers_place_is_noticed(ledger: Path, tmp_path: Path) -> None:
    back_up(ledger, tmp_path / "old.db")
    asyncio.run(fill(ledger))
    os.replace(tmp_path / "old.db", ledger)
    for end in ("-wal", "-shm"):
        ledger.with_name(ledger.name + end).unlink(missing_ok=True)

    missing = "a: entries 11 to 20 were committed once and are missing"
    assert verify(ledger)[0].damage == missing
    assert asyncio.run(missing_at_start(ledger)) == (missing, "")


@pytest.mark.parametrize("left", [(), ("-wal",), ("-wal", "-shm")])
def test_a_ledger_that_was_deleted_is_begun_anew_and_known_to_be_shorter(ledger: Path, left: tuple[str, ...]) -> None:
    for end in {"", "-wal", "-shm"} - set(left):
        ledger.with_name(ledger.name + end).unlink(missing_ok=True)

    assert asyncio.run(missing_at_start(ledger)) == ("a: entries 1 to 10 were committed once and are missing", "")


def test_a_missing_entry_before_the_end_is_no_cut_off_tail(ledger: Path) -> None:
    (ledger.parent / "ledger.db.a.anchor").write_bytes(b'{"number":6,"hash":"00"}')
    tamper(ledger, "DELETE FROM commits WHERE account = 'a' AND number = 6")

    with pytest.raises(JournalDamaged, match="entry 6 was committed once and is missing"):
        asyncio.run(start(ledger))


def test_another_history_is_noticed_by_the_anchor(ledger: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    asyncio.run(fill(other))
    forged = f"json_set(packed, '$[0][4]', '{'0' * 64}')"
    tamper(ledger, f"UPDATE commits SET packed = {forged} WHERE account = 'a' AND number = 10")

    with pytest.raises(JournalDamaged, match="entry 10 is not the one that was committed"):
        asyncio.run(start(ledger))


def test_an_unreadable_anchor_is_damage(ledger: Path) -> None:
    (ledger.parent / "ledger.db.a.anchor").write_bytes(b"{")

    with pytest.raises(JournalDamaged, match="anchor"):
        asyncio.run(start(ledger))


def test_entries_can_neither_be_changed_nor_deleted_by_accident(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    for statement in ("UPDATE commits SET epoch = 2", "DELETE FROM commits"):
        with pytest.raises(apsw.ConstraintError, match="journal entries are never"):
            connection.execute(statement)
    connection.close()


def make_text(path: Path) -> None:
    path.write_text("this is no database\n" * 100)


def make_other(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE trades (id INTEGER)")
    connection.close()


@pytest.mark.parametrize("make", [make_text, make_other])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "other.db"
    make(path)
    before = path.read_bytes()

    with pytest.raises(JournalDamaged):
        SqliteStore(path)
    with pytest.raises(JournalDamaged):
        LedgerReader(path)
    assert path.read_bytes() == before


def test_a_broken_page_is_refused_at_the_start(ledger: Path) -> None:
    size = ledger.stat().st_size
    with ledger.open("r+b") as file:
        for page in range(1, size // 4096):
            file.seek(page * 4096)
            file.write(bytes(range(1, 65)))

    with pytest.raises(JournalDamaged):
        verify(ledger)
    with pytest.raises(JournalDamaged):
        asyncio.run(start(ledger))


def test_a_ledger_of_a_later_version_is_refused(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(JournalUnavailable, match="version 99"):
        asyncio.run(start(ledger))


def test_no_ledger_is_said_and_none_is_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        LedgerReader(tmp_path / "none.db")
    with pytest.raises(JournalUnavailable, match="cannot create"):
        SqliteStore(tmp_path / "no" / "ledger.db")
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_may_read_the_ledger(ledger: Path) -> None:
    ledger.chmod(0o644)
    asyncio.run(start(ledger))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ledger.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("what", ["deleted", "moved away", "replaced"])
def test_a_file_that_is_no_longer_where_it_was_is_noticed(ledger: Path, what: str) -> None:
    async def act() -> None:
        store = SqliteStore(ledger, ballast=4096)
        try:
            assert store.look().has_reserve
            if what == "replaced":
                back_up(ledger, ledger.with_name("other.db"))
                os.replace(ledger.with_name("other.db"), ledger)
            elif what == "moved away":
                os.rename(ledger, ledger.with_name("other.db"))
            else:
                os.unlink(ledger)
            with pytest.raises(JournalUnavailable, match=what):
                store.look()
        finally:
            await store.close()

    asyncio.run(act())
