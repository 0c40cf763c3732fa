"""The files beside the ledger, and the ledger's own as far as it is not SQL.

`LEDGER.ACCOUNT.anchor`: number and hash of a committed entry. A chain alone does not notice a cut-off tail
or an old copy put in its place; the anchor does. `LEDGER.ballast`: room kept for the day the disk is full.
The ledger's file itself is never opened here (that would drop SQLite's locks), except to create it.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import msgspec

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.model.ids import AccountId

OWNER_ONLY = 0o600


class Anchor(msgspec.Struct, frozen=True):
    """An entry that was committed once, so it must be there for ever."""

    number: int
    hash: str
    lost: str = ""
    """What was found missing before it, in words, until whoever found it has put that down in the journal."""


NOTHING = Anchor(0, bytes(32).hex())
"""Before the first entry."""


def create_ledger(path: Path) -> None:
    """An empty file only its owner may read, unless there is one. Raises JournalUnavailable."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
        sync_directory(path.parent)
    except FileExistsError:
        return
    except OSError as error:
        raise JournalUnavailable(f"cannot create the ledger {path}: {error.strerror}") from error


def keep_private(path: Path) -> None:
    """Take away what group and others may do. Raises JournalUnavailable where we may not."""
    try:
        if os.stat(path).st_mode & 0o077:
            os.chmod(path, OWNER_ONLY)
    except OSError as error:
        raise JournalUnavailable(f"cannot make the ledger {path} private: {error.strerror}") from error


def missing_end(account: AccountId, head: int, anchor: Anchor) -> str:
    """What is said of a journal that is shorter than it was once."""
    entries = (
        f"entries {head + 1} to {anchor.number} were" if anchor.number > head + 1 else f"entry {anchor.number} was"
    )
    return f"{account}: {entries} committed once and {'are' if anchor.number > head + 1 else 'is'} missing"


def anchor_path(ledger: Path, account: AccountId) -> Path:
    return ledger.with_name(f"{ledger.name}.{quote(account, safe='')}.anchor")


def read_anchor(ledger: Path, account: AccountId) -> Anchor | None:
    """None when there is none yet. Raises JournalDamaged for one that cannot be read."""
    path = anchor_path(ledger, account)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Anchor)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalDamaged(f"the anchor {path} is not readable: {error}") from error


def write_anchor(ledger: Path, account: AccountId, anchor: Anchor) -> None:
    """Whole or not at all, and durable on return. Raises JournalUnavailable."""
    path = anchor_path(ledger, account)
    fresh = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWNER_ONLY)
        try:
            body = msgspec.json.encode(anchor)
            if os.write(descriptor, body) != len(body):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # some of it went in: no room for the rest
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(fresh, path)
        sync_directory(path.parent)
    except OSError as error:
        raise JournalUnavailable(f"cannot write the anchor {path}: {error.strerror}") from error


def keep_loss_in_mind(ledger: Path, accounts: Iterable[AccountId], lost: str) -> None:
    """Have every account's next start say it. Raises JournalUnavailable or JournalDamaged."""
    for account in accounts:
        anchor = read_anchor(ledger, account) or NOTHING
        if not anchor.lost:
            write_anchor(ledger, account, msgspec.structs.replace(anchor, lost=f"{account}: {lost}"))


def sync_directory(path: Path) -> None:
    """A rename lasts only once its directory is on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Place:
    """Where the ledger's file was when it was opened: a file that is deleted, moved or replaced is still written to by
    whoever has it open, and lost with them."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._file = self._look()

    def check(self) -> None:
        """Raises JournalUnavailable when another file, or none, is at that place now."""
        found = self._look()
        if found is None:
            raise JournalUnavailable(f"{self._ledger} was deleted or moved away while it was in use")
        if found != self._file:
            raise JournalUnavailable(f"{self._ledger} was replaced by another file while it was in use")

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._ledger)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalUnavailable(f"{self._ledger} cannot be looked at: {error.strerror}") from error
        return found.st_dev, found.st_ino


class Ballast:
    """Bytes held in reserve beside the ledger, given up once when the disk is full."""

    def __init__(self, ledger: Path, size: int) -> None:
        self.path = ledger.with_name(ledger.name + ".ballast")
        self.size = size

    @property
    def is_there(self) -> bool:
        return self.path.exists()

    def restore(self) -> None:
        """Take the room (again). Where there is none left there is nothing to hold: the next start tries again."""
        if self.is_there or not self.size:
            return
        descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY, OWNER_ONLY)
        try:
            os.posix_fallocate(descriptor, 0, self.size)
        except OSError:
            self.path.unlink()
        finally:
            os.close(descriptor)

    def give_up(self) -> bool:
        """Free the room; False when it is gone already."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True
