"""A record in PostgreSQL: one query in a transaction that may only read, bounded by the server itself."""

import asyncio
from typing import Any

from standfast.model.tracked import RecordMap, TrackedEntry
from standfast.trackers.entries import NotUnderstood, entries_of
from standfast.trackers.files import need_columns, table_row
from standfast.trackers.sqlite_file import ROWS_MOST, query_of

CONNECT_WITHIN = 5.0
STATEMENT_WITHIN = 5.0
SETTINGS = {
    "application_name": "standfast",
    "default_transaction_read_only": "on",
    "statement_timeout": "5000",
    "lock_timeout": "1000",
    "idle_in_transaction_session_timeout": "5000",
}


class PostgresRecord:
    """Keeps its connection between reads; one that fails is let go, and the next read makes another."""

    def __init__(self, address: str, record: RecordMap) -> None:
        self._address, self._record = address, record
        self._connection: Any = None

    async def entries(self) -> tuple[TrackedEntry, ...]:
        """Raises NotUnderstood."""
        try:
            columns, rows = await self._selected()
        except NotUnderstood:
            raise
        except (OSError, TimeoutError, ValueError) as error:
            await self.close()
            raise NotUnderstood(f"cannot be reached ({type(error).__name__}: {_line(error)})") from None
        except Exception as error:
            if not type(error).__module__.startswith("asyncpg"):
                raise
            await self.close()
            raise NotUnderstood(f"{type(error).__name__}: {_line(error)}") from None
        need_columns(columns, self._record)
        return entries_of((table_row(row) for row in rows), self._record)

    async def _selected(self) -> tuple[list[str], list[dict[str, object]]]:
        connection = await self._connected()
        async with asyncio.timeout(STATEMENT_WITHIN * 2), connection.transaction(readonly=True):
            statement = await connection.prepare(query_of(self._record))
            columns = [attribute.name for attribute in statement.get_attributes()]
            if len(set(columns)) < len(columns):
                raise NotUnderstood("the query gives two columns of one name")
            rows: list[dict[str, object]] = []
            async for row in statement.cursor(prefetch=1000):
                rows.append(dict(row))
                if len(rows) > ROWS_MOST:
                    raise NotUnderstood(f"the query gives more than {ROWS_MOST} rows")
        return columns, rows

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            try:
                import asyncpg
            except ImportError:
                raise NotUnderstood("needs asyncpg: pip install 'standfast[postgres]'") from None
            self._connection = await asyncpg.connect(
                self._address, timeout=CONNECT_WITHIN, server_settings=SETTINGS, statement_cache_size=0
            )
        return self._connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
