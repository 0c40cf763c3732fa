"""Bring a ledger's schema up to date: numbered SQL files, one transaction each, counted in `user_version`.

Our own thirty lines, because the well-kept libraries bring the standard library's sqlite3 with them, and a
second SQLite on the same file in one process drops the first one's locks. A ledger in use is copied first.
"""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import apsw

from standfast.model.errors import JournalUnavailable
from standfast.stores.sqlite.connection import APPLICATION, pragma, translated


def scripts() -> tuple[str, ...]:
    """Every migration's SQL, in order; the n-th brings the ledger to version n."""
    files = resources.files("standfast.stores.sqlite.migrations").iterdir()
    named = sorted((file for file in files if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(file.read_text(encoding="utf-8") for file in named)


def migrate(connection: apsw.Connection, path: Path, back_up: Callable[[Path], None]) -> None:
    """Apply what is missing. Raises JournalUnavailable for a ledger of a later Standfast; it is left as it is."""
    steps = scripts()
    with translated(path):
        found = version(connection)
        if found > len(steps):
            raise JournalUnavailable(f"{path} is of version {found}, this Standfast knows {len(steps)}: upgrade it")
        if 0 < found < len(steps):
            back_up(path.with_name(f"{path.name}.before-{len(steps):04}"))
        for number, script in enumerate(steps, start=1):
            _apply(connection, number, script)


def version(connection: apsw.Connection) -> int:
    found = pragma(connection, "user_version")
    assert isinstance(found, int)
    return found


def _apply(connection: apsw.Connection, number: int, script: str) -> None:
    if version(connection) >= number:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version(connection) < number:  # another process may have done it while we waited
            connection.execute(script)
            connection.execute(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
