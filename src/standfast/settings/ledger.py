"""The address of the ledger.

A relative SQLite path is meant beside the settings file, so that a guard under systemd and a verb typed in another
directory open the same ledger.
"""

from pathlib import Path

from standfast.settings.report import Unfit

DEFAULT = "sqlite:///standfast.db"
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def misplaced(path: Path) -> Unfit | None:
    """Why there can be no ledger at this place, whatever is waited for. Looks, and opens nothing.

    A folder that cannot be written is not among the reasons: a disk that comes up late or read-only heals, so a guard
    tries again and tells people meanwhile.
    """
    folder = path.parent
    if path.is_dir():
        return Unfit("is a folder", f'Name a file in it: "{SQLITE}{path / "standfast.db"}"')
    if folder.exists() and not folder.is_dir():
        return Unfit(f"is inside of {folder}, which is no folder", "Name a file in a folder")
    if not folder.exists():
        return Unfit("is in a folder that is not there", f"mkdir -m 700 {folder}, or name a file in one that is there")
    if path.exists() and not path.is_file():
        return Unfit("is no regular file", "Name a file on a local disk")
    return None


def ledger_address(value: object, folder: Path) -> str:
    """`sqlite:////absolute/path` or `postgresql://...`, from what is written."""
    remedy = 'Write "sqlite:///standfast.db" or "postgresql://..."'
    if not isinstance(value, str):
        raise Unfit("is not an address", remedy)
    if value.startswith(POSTGRES) and value.split("://", 1)[1]:
        return "postgresql://" + value.split("://", 1)[1]
    path = value.removeprefix(SQLITE)
    if path == value or not path or "?" in path or not path.isprintable():
        shown = None if "@" not in value else "..."  # it may carry a password
        raise Unfit("is not the address of a ledger", remedy, shown=shown)
    return SQLITE + str((folder / Path(path).expanduser()).absolute())
