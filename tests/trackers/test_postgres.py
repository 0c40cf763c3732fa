"""A record in PostgreSQL, at a real server of the machine's own packages, started for these tests."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from standfast.model.tracked import RecordMap
from standfast.trackers.entries import NotUnderstood
from standfast.trackers.postgres import PostgresRecord
from tests.trackers.postgres_server import running
from tests.trackers.records import BOUGHT, SOLD, D, held

asyncpg: Any = pytest.importorskip("asyncpg", reason="PostgreSQL: pip install 'standfast[postgres]'")

QUERY = "SELECT id, symbol, quantity, side, opened FROM positions WHERE closed IS NULL ORDER BY id"
RECORD = RecordMap(
    kind="sql",
    entries=QUERY,
    symbols=("symbol",),
    quantity=("quantity",),
    side=("side",),
    position="id",
    entry_time="opened",
)
OURS = "FROM pg_stat_activity WHERE application_name = 'standfast'"
ROWS = f"""
    CREATE TABLE positions (id INT, symbol TEXT, quantity NUMERIC, side TEXT, opened TIMESTAMPTZ, closed TIMESTAMPTZ);
    INSERT INTO positions VALUES
        (1, '{SOLD}', 3, 'short', '2026-01-05 11:30-05', NULL), (1, '{BOUGHT}', 3, 'long', '2026-01-05 11:30-05', NULL),
        (2, 'SPY', 10.5, 'long', '2026-01-05', NULL), (3, 'QQQ', 1, 'long', '2026-01-05', now());
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("postgres")) as address:
        yield address


async def _bot(address: str) -> Any:
    connection = await asyncpg.connect(address)
    await connection.execute("DROP TABLE IF EXISTS positions")
    await connection.execute(ROWS)
    return connection


async def test_a_table_is_read_with_its_legs_and_exact_quantities(server: str) -> None:
    bot, record = await _bot(server), PostgresRecord(server, RECORD)
    try:
        found = await record.entries()

        assert held(found) == {SOLD: D(-3), BOUGHT: D(3), "SPY": D("10.5")}
        assert [entry.name for entry in found] == ["1", "2"]
        await bot.execute("DELETE FROM positions WHERE id = 1")
        assert held(await record.entries()) == {"SPY": D("10.5")}
    finally:
        await record.close()
        await bot.close()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM trades", 'relation "trades" does not exist'),
        ("SELECT id FROM positions", "has no column symbol"),
        ("WITH gone AS (DELETE FROM positions RETURNING *) SELECT * FROM gone", "read-only transaction"),
        ("SELECT pg_sleep(60)", "statement timeout"),
    ],
)
async def test_what_does_not_fit_is_told_and_nothing_is_written(server: str, query: str, told: str) -> None:
    bot = await _bot(server)
    record = PostgresRecord(server, RecordMap(kind="sql", entries=query, symbols=("symbol",)))
    try:
        with pytest.raises(NotUnderstood, match=told):
            await record.entries()
        assert await bot.fetchval("SELECT count(*) FROM positions") == 4
    finally:
        await record.close()
        await bot.close()


async def test_a_table_that_its_bot_has_locked_is_unread_and_not_waited_for(server: str) -> None:
    bot, record = await _bot(server), PostgresRecord(server, RECORD)
    try:
        async with bot.transaction():
            await bot.execute("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(NotUnderstood, match="lock timeout"):
                await record.entries()
        assert len(await record.entries()) == 2
    finally:
        await record.close()
        await bot.close()


async def test_a_connection_that_is_cut_is_made_again(server: str) -> None:
    bot, record = await _bot(server), PostgresRecord(server, RECORD)
    try:
        assert len(await record.entries()) == 2
        await bot.execute(f"SELECT pg_terminate_backend(pid) {OURS}")
        while await bot.fetchval(f"SELECT count(*) {OURS}"):
            """It ends when it comes to it."""
        with suppress(NotUnderstood):  # unless the end was heard of before
            await record.entries()
        assert len(await record.entries()) == 2
    finally:
        await record.close()
        await bot.close()


async def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    record = PostgresRecord("postgresql://bot:secret-word@127.0.0.1:9/none", RECORD)

    with pytest.raises(NotUnderstood, match="cannot be reached") as error:
        await record.entries()
    assert "secret-word" not in str(error.value)
