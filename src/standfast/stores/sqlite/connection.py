"""Connections to the ledger, with what durability rests on set, read back, and refused when it differs.

One writer per process, every other connection read-only; only the writer moves pages from the log into the
file, because a checkpoint beside a writer is where older SQLite versions lost data.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from standfast.model.errors import JournalDamaged, JournalUnavailable

APPLICATION = 0x53464C47
"""`SFLG` in the file's header: this is a ledger, and no other program's file."""
OLDEST = (3, 51, 3)
"""Older ones (from 3.7.0 on) can corrupt a file that two connections write or checkpoint at one instant."""

LOG_BYTES = 4 * 1024 * 1024
"""The log's size: the pages between two checkpoints."""

_PRAGMAS: tuple[tuple[str, object, object], ...] = (
    ("journal_mode", "wal", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", 5000, 5000),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("wal_autocheckpoint", 0, 0),
)


def open_writer(path: Path, *, vfs: str | None = None) -> apsw.Connection:
    """A connection that may write an existing file. Raises JournalUnavailable, or JournalDamaged for another file."""
    _refuse_old_library()
    with translated(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
        try:
            _refuse_other_file(connection, path)
            _set_pragmas(connection, _PRAGMAS)
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path, *, vfs: str | None = None) -> apsw.Connection:
    """A connection that can only read. Raises JournalUnavailable, or JournalDamaged for another file."""
    with translated(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
        try:
            connection.set_busy_timeout(5000)
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            _refuse_other_file(connection, path)
            _refuse_empty(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def keep_log(connection: apsw.Connection, path: Path) -> None:
    """Make the log as long as it will get and keep it so: writing over old pages costs half of growing a file."""
    import ctypes  # here: it costs a reading verb more than opening the ledger

    with translated(path):
        keep = ctypes.c_int(1)
        connection.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(keep))
        if _size(path.with_name(path.name + "-wal")) < LOG_BYTES:
            _fill_log(connection)


def _fill_log(connection: apsw.Connection) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE; CREATE TABLE filling (bytes BLOB)")
        connection.execute("INSERT INTO filling VALUES (zeroblob(?))", (LOG_BYTES,))
        connection.execute("DROP TABLE filling; COMMIT")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except (apsw.BusyError, apsw.FullError):
        if connection.in_transaction:  # another process is at work, or there is no room: the log grows as it is used
            connection.execute("ROLLBACK")


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def library() -> dict[str, str]:
    """Which SQLite this is, for the log."""
    return {"sqlite": apsw.sqlite_lib_version(), "apsw": apsw.apsw_version()}


def pragma(connection: apsw.Connection, name: str) -> object:
    return connection.pragma(name)


def run(connection: apsw.Connection, statement: str, *values: Any) -> list[Any]:
    """Run one statement to its end; what it returned. Raises JournalDamaged for text that is none any more."""
    try:
        return connection.execute(statement, values).fetchall()
    except UnicodeDecodeError as error:
        raise JournalDamaged(f"{connection.filename}: not the text that was written: {error}") from error


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: a file that is no longer right is damaged, everything else is unavailable."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise JournalDamaged(f"{path}: {error}") from error
    except apsw.Error as error:
        raise JournalUnavailable(f"{path}: {error}") from error


def quick_check(connection: apsw.Connection, path: Path, *, thorough: bool = False) -> None:
    """SQLite's own check of the file's structure. Raises JournalDamaged."""
    check = "integrity_check" if thorough else "quick_check"
    with translated(path):
        found = [row[0] for row in connection.execute(f"PRAGMA {check}(1)")]
    if found != ["ok"]:
        raise JournalDamaged(f"{path}: {found[0]}")


def _refuse_old_library() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < OLDEST:
        raise JournalUnavailable(f"SQLite {apsw.sqlite_lib_version()} can corrupt a ledger: 3.51.3 or later is needed")


def _refuse_other_file(connection: apsw.Connection, path: Path) -> None:
    """Before anything is set: a pragma could already change a file that is not ours."""
    application = pragma(connection, "application_id")
    if application == APPLICATION:
        return
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()[0][0]
    if application != 0 or tables:
        raise JournalDamaged(f"{path} is a database of something else, not a ledger")


def _refuse_empty(connection: apsw.Connection, path: Path) -> None:
    if pragma(connection, "application_id") != APPLICATION:
        raise JournalDamaged(f"{path} is empty")


def _set_pragmas(connection: apsw.Connection, wanted: tuple[tuple[str, object, object], ...]) -> None:
    if sys.platform == "darwin":
        wanted = (*wanted, ("fullfsync", 1, 1))  # its fsync does not reach the disk otherwise
    for name, value, expected in wanted:
        connection.pragma(name, value)
        if (found := pragma(connection, name)) != expected:
            raise JournalUnavailable(f"SQLite keeps {name} = {found!r} where {expected!r} is needed")
