"""The address of the ledger.

A relative SQLite path is meant beside the settings file, so that a guard under systemd and a verb typed in another
directory open the same ledger.
"""

from pathlib import Path

from standfast.settings.report import Unfit

DEFAULT = "sqlite:///standfast.db"
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def ledger_address(value: object, folder: Path) -> str:
    """`sqlite:////absolute/path` or `postgresql://...`, from what is written."""
    remedy = 'Write "sqlite:///standfast.db" or "postgresql://..."'
    if not isinstance(value, str):
        raise Unfit("is not an address", remedy)
    if value.startswith(POSTGRES) and value.split("://", 1)[1]:
        return "postgresql://" + value.split("://", 1)[1]
    path = value.removeprefix(SQLITE)
    if path == value or not path or "?" in path:
        shown = None if "@" not in value else "..."  # it may carry a password
        raise Unfit("is not the address of a ledger", remedy, shown=shown)
    return SQLITE + str((folder / Path(path).expanduser()).absolute())
