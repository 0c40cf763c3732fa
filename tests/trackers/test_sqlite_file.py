"""A record in SQLite: read while it is written, and nothing of it nor beside it is touched."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from standfast.model.tracked import RecordMap
from standfast.trackers.entries import NotUnderstood
from standfast.trackers.sqlite_file import sqlite_entries
from tests.trackers.records import SOLD, D, held

QUERY = "SELECT symbol, quantity FROM positions WHERE status = 'open'"
RECORD = RecordMap(kind="sql", entries=QUERY, symbols=("symbol",), quantity=("quantity",))


class Bot:
    """Who writes the record."""

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        self.connection = apsw.Connection(str(path))
        self.connection.execute(f"PRAGMA journal_mode={mode}").fetchall()
        self.connection.execute("CREATE TABLE positions (symbol TEXT, quantity REAL, status TEXT)")
        self.connection.execute(
            "INSERT INTO positions VALUES (?, -3, 'open'), ('SPY', 10, 'open'), ('QQQ', 1, 'closed')", (SOLD,)
        )


@pytest.fixture(params=["delete", "wal"])
def bot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bot]:
    found = Bot(tmp_path / "bot.db", request.param)
    yield found
    found.connection.close()


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file with its contents and time of writing, but for the index of a log: that is shared memory."""
    return {
        each.name: (hashlib.sha256(each.read_bytes()).hexdigest(), each.stat().st_mtime_ns)
        for each in folder.iterdir()
        if not each.name.endswith("-shm")
    }


def test_it_is_read_while_its_bot_has_it_open_and_nothing_is_written(bot: Bot, tmp_path: Path) -> None:
    before = state(tmp_path)

    assert held(sqlite_entries(str(bot.path), RECORD)) == {SOLD: D("-3.0"), "SPY": D("10.0")}

    assert state(tmp_path) == before


def test_it_is_read_after_its_bot_has_closed_it_and_no_file_comes_to_be(bot: Bot, tmp_path: Path) -> None:
    bot.connection.close()
    before = state(tmp_path)
    assert list(before) == ["bot.db"]

    assert held(sqlite_entries(str(bot.path), RECORD)) == {SOLD: D("-3.0"), "SPY": D("10.0")}

    assert state(tmp_path) == before
    assert [each.name for each in tmp_path.iterdir()] == ["bot.db"]


def test_what_is_committed_is_seen_and_what_is_not_is_not(bot: Bot) -> None:
    bot.connection.execute("BEGIN")
    bot.connection.execute("DELETE FROM positions WHERE symbol = 'SPY'")
    assert "SPY" in held(sqlite_entries(str(bot.path), RECORD))

    bot.connection.execute("COMMIT")

    assert held(sqlite_entries(str(bot.path), RECORD)) == {SOLD: D("-3.0")}


def test_a_locked_database_is_unread_and_not_waited_for(tmp_path: Path) -> None:
    bot = Bot(tmp_path / "bot.db", "delete")
    bot.connection.execute("BEGIN EXCLUSIVE")

    with pytest.raises(NotUnderstood, match="locked"):
        sqlite_entries(str(bot.path), RECORD)

    bot.connection.execute("ROLLBACK")
    assert len(sqlite_entries(str(bot.path), RECORD)) == 2
    bot.connection.close()


def test_a_log_that_was_left_without_its_index_is_its_owners_to_recover(tmp_path: Path) -> None:
    bot = Bot(tmp_path / "bot.db", "wal")
    other = tmp_path / "copy"
    other.mkdir()
    for name in ("bot.db", "bot.db-wal"):
        (other / name).write_bytes((tmp_path / name).read_bytes())
    bot.connection.close()

    with pytest.raises(NotUnderstood, match="recover"):
        sqlite_entries(str(other / "bot.db"), RECORD)
    assert sorted(each.name for each in other.iterdir()) == ["bot.db", "bot.db-wal"]


def test_a_bot_that_was_killed_leaves_a_log_that_is_read_with_it(tmp_path: Path) -> None:
    bot = Bot(tmp_path / "bot.db", "wal")
    other = tmp_path / "left"
    other.mkdir()
    for name in ("bot.db", "bot.db-wal", "bot.db-shm"):
        (other / name).write_bytes((tmp_path / name).read_bytes())
    bot.connection.close()
    before = state(other)

    assert held(sqlite_entries(str(other / "bot.db"), RECORD)) == {SOLD: D("-3.0"), "SPY": D("10.0")}
    assert state(other) == before


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT symbol, quantity FROM trades", "no such table: trades"),
        ("SELECT name, quantity FROM positions", "no such column: name"),
        ("SELECT symbol FROM positions", "has no column quantity; it has symbol"),
        ("SELECT symbol, quantity FROM positions; DELETE FROM positions", "more than one SELECT"),
        ("WITH x AS (SELECT 1) DELETE FROM positions", "more than one SELECT"),
        ("SELECT symbol, quantity, quantity FROM positions", "two columns of one name"),
    ],
)
def test_a_query_that_does_not_fit_is_told_and_deletes_nothing(bot: Bot, query: str, told: str) -> None:
    record = RecordMap(kind="sql", entries=query, symbols=("symbol",), quantity=("quantity",))

    with pytest.raises(NotUnderstood, match=told):
        sqlite_entries(str(bot.path), record)
    assert bot.connection.execute("SELECT count(*) FROM positions").get == 3


def test_a_table_without_rows_is_a_record_of_nothing(bot: Bot) -> None:
    bot.connection.execute("DELETE FROM positions")

    assert sqlite_entries(str(bot.path), RECORD) == ()


def test_what_is_no_database_is_no_record(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with pytest.raises(NotUnderstood, match="No such file"):
        sqlite_entries(str(other), RECORD)
    other.write_text("symbol,quantity\n" * 20)
    with pytest.raises(NotUnderstood, match="is no SQLite database"):
        sqlite_entries(str(other), RECORD)
    assert [each.name for each in tmp_path.iterdir()] == ["other.db"]


def test_a_damaged_database_is_no_record(bot: Bot) -> None:
    bot.connection.close()
    raw = bytearray(bot.path.read_bytes())
    raw[200:] = b"\xa5" * (len(raw) - 200)
    bot.path.write_bytes(raw)

    with pytest.raises(NotUnderstood):
        sqlite_entries(str(bot.path), RECORD)


def test_a_query_without_end_is_bounded(bot: Bot) -> None:
    query = "WITH RECURSIVE n(symbol) AS (SELECT 1 UNION ALL SELECT symbol + 1 FROM n) SELECT symbol FROM n"

    with pytest.raises(NotUnderstood, match="more than 100000 rows"):
        sqlite_entries(str(bot.path), RecordMap(kind="sql", entries=query, symbols=("symbol",)))
