"""A record in an SQLite file, read and never written: no journal, no index file of a log comes to be by our reading.

A plain database is read under its shared lock. One with a write-ahead log is read with it where the log has something
to tell, through the index its writer keeps; where there is no log, as a file that nobody may change while we look.
"""

import os
from pathlib import Path

import apsw

from standfast.model.tracked import RecordMap, TrackedEntry
from standfast.trackers.entries import NotUnderstood, entries_of
from standfast.trackers.files import Stamp, need_columns, stamp_of, table_row, told_apart

ROWS_MOST = 100_000
LOCK_WAIT = 300
"""Milliseconds to wait for a writer before the next try."""
HEADER = 100
WAL = 2
"""Version of reading in the header of a database that has a write-ahead log."""


def sqlite_told_apart(name: str) -> str:
    """The stamp, if whatever is written from now on gives another one."""
    stamps = [told_apart(stamp) for stamp in sqlite_stamp(name)]
    return "/".join(stamps) if all(stamps) else ""


def sqlite_stamp(name: str) -> tuple[Stamp, ...]:
    """Changes with what the database says, its log included. Raises NotUnderstood."""
    try:
        found = [stamp_of(os.stat(name))]
        found += [stamp_of(os.stat(f"{name}{end}")) for end in ("-wal", "-journal") if Path(f"{name}{end}").exists()]
    except OSError as error:
        raise NotUnderstood(f"cannot be read ({error.strerror})") from None
    return tuple(found)


def sqlite_entries(name: str, record: RecordMap) -> tuple[TrackedEntry, ...]:
    """What the query gives. Raises NotUnderstood."""
    before = sqlite_stamp(name)
    how = _how(name)
    try:
        columns, rows = _selected(f"{Path(name).absolute().as_uri()}?mode=ro{how}", record)
    except apsw.Error as error:
        raise NotUnderstood(f"{type(error).__name__.removesuffix('Error').lower()}: {error}") from None
    if "immutable" in how and sqlite_stamp(name) != before:
        raise NotUnderstood("is written anew all the time")
    need_columns(columns, record)
    return entries_of((table_row(dict(zip(columns, row, strict=True))) for row in rows), record)


def _how(name: str) -> str:
    """How to open it so that nothing beside it is made or changed."""
    try:
        with open(name, "rb") as opened:
            head = opened.read(HEADER)
    except OSError as error:
        raise NotUnderstood(f"cannot be read ({error.strerror})") from None
    if head and not head.startswith(b"SQLite format 3\0"):
        raise NotUnderstood("is no SQLite database")
    if len(head) < HEADER or head[19] != WAL:
        return ""
    log, index = Path(f"{name}-wal"), Path(f"{name}-shm")
    if not log.exists() or not log.stat().st_size:
        return "&immutable=1"
    if not index.exists():
        raise NotUnderstood("has a log that its owner has to recover first")
    return "&readonly_shm=1"


def _selected(uri: str, record: RecordMap) -> tuple[list[str], list[tuple[object, ...]]]:
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        connection.set_busy_timeout(LOCK_WAIT)
        cursor, columns = connection.cursor(), _Columns()
        cursor.exec_trace = columns
        rows = []
        for row in cursor.execute(query_of(record)):
            rows.append(tuple(row))
            if len(rows) > ROWS_MOST:
                raise NotUnderstood(f"the query gives more than {ROWS_MOST} rows")
        return columns.names or [], rows
    finally:
        connection.close()


class _Columns:
    """Hears each statement before it runs: the names are told while it does, rows or none."""

    def __init__(self) -> None:
        self.names: list[str] | None = None

    def __call__(self, cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        if self.names is not None or not cursor.is_readonly:
            raise NotUnderstood("the query is more than one SELECT")
        self.names = [str(name) for name, *_ in cursor.get_description()]
        if len(set(self.names)) < len(self.names):
            raise NotUnderstood("the query gives two columns of one name")
        return True


def query_of(record: RecordMap) -> str:
    return record.entries or record.symbols[0]
