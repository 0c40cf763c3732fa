"""Reading a ledger without asyncio and without its writer: what the command line does.

Every reading takes its own view of the file, and never makes a guard wait. What is yielded has been proven
against the chain; what does not verify raises JournalDamaged naming the entry.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import apsw
import msgspec

from standfast.model.errors import JournalDamaged
from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import Entry
from standfast.stores.codec import (
    GENESIS,
    Commit,
    Record,
    State,
    check_chain,
    decode_state,
    parse_time,
    shape,
    to_entry,
    unpack,
)
from standfast.stores.promises import KeptRequest, RequestOutcome
from standfast.stores.sqlite import statements
from standfast.stores.sqlite.connection import open_reader, run, translated

if TYPE_CHECKING:
    from standfast.ports import Request

_PAGE = 1024
"""Commits read at a time: a long journal does not have to fit into memory, nor hold the log back."""
_ENDLESS = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """Who writes an account, or wrote it last (empty holder: it was given back)."""

    epoch: int
    holder: str
    expires: str


class LedgerReader:
    """A read-only connection. A context manager; not for several threads at once."""

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        """Raises JournalUnavailable when there is no such ledger, JournalDamaged when it is none."""
        self.path = path
        self._connection = open_reader(path, vfs=vfs)

    def __enter__(self) -> "LedgerReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def accounts(self) -> list[AccountId]:
        return [AccountId(row[0]) for row in self._rows(statements.ACCOUNTS)]

    def head(self, account: AccountId) -> tuple[EntryNumber, str]:
        """The last entry's number and hash; zero and the hash before all others for an empty journal."""
        with translated(self.path):
            number, chained = head(self._connection, account)
        return EntryNumber(number), chained.hex()

    def hash(self, account: AccountId, number: int) -> str | None:
        """The entry's stored hash; None when there is no such entry."""
        with translated(self.path):
            found = hash_of(self._connection, account, number)
        return found.hex() if found is not None else None

    def records(self, account: AccountId, after: int = 0, limit: int | None = None) -> Iterator[Record]:
        """Entries as they are stored, each proven to follow the one before."""
        previous = self.hash(account, after)
        if previous is None:
            raise JournalDamaged(f"{account}: entry {after} is missing")
        return check_chain(account, self._stored(account, after, limit), (after, bytes.fromhex(previous)))

    def entries(self, account: AccountId, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Entries with a higher number than `after`, at most `limit`."""
        return map(to_entry, self.records(account, after, limit))

    def book(self, account: AccountId, kind: type[State]) -> tuple[EntryNumber, State] | None:
        """The newest saved state of that type and shape that is whole and belongs to this journal."""
        for number, digest, body in self._rows(statements.BOOKS, account, shape(kind)):
            chained = self.hash(account, number)
            if chained is None or digest != book_digest(chained, body):
                continue
            try:
                return EntryNumber(number), decode_state(kind, body)
            except ValueError:
                continue  # the journal is the truth: an unreadable book is folded again
        return None

    def lease(self, account: AccountId) -> LeaseRow | None:
        rows = self._rows(statements.LEASE, account)
        return LeaseRow(epoch=rows[0][0], holder=rows[0][1], expires=rows[0][2]) if rows else None

    def requests(self, account: AccountId) -> "list[Request]":
        """Operator's acts not yet taken, oldest first."""
        return [_request(row) for row in self._rows(statements.WAITING_REQUESTS, account)]

    def outcome(self, request: RequestId) -> RequestOutcome | None:
        """None while it is not finished (or not known)."""
        rows = self._rows(statements.OUTCOME, request)
        return RequestOutcome(bool(rows[0][0]), rows[0][1]) if rows else None

    def request(self, request: RequestId) -> KeptRequest | None:
        """The act of that id, done or not; None where nobody has asked for it."""
        rows = self._rows(statements.REQUEST, request)
        if not rows:
            return None
        *asked, taken, ok, detail = rows[0]
        return KeptRequest(_request(asked), bool(taken), RequestOutcome(bool(ok), detail) if ok is not None else None)

    def _stored(self, account: AccountId, after: int, limit: int | None) -> Iterator[Record]:
        """From the entry behind `after` on, at most `limit`."""
        left = _ENDLESS if limit is None else limit
        while left > 0 and (page := self._rows(statements.COMMITS, account, after, min(left, _PAGE))):
            for commit in page:
                wanted = [record for record in unpack(Commit(*commit)) if record.number > after][:left]
                yield from wanted
                left -= len(wanted)
            after = page[-1][0]

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with translated(self.path):
            return self._connection.execute(statement, values).fetchall()


def head(connection: apsw.Connection, account: AccountId) -> tuple[int, bytes]:
    """The last entry's number and hash; zero and the hash before all others for an empty journal."""
    rows = run(connection, statements.LAST_COMMIT, account)
    if not rows:
        return 0, GENESIS
    last = unpack(Commit(*rows[0]))[-1]
    return last.number, last.hash


def hash_of(connection: apsw.Connection, account: AccountId, number: int) -> bytes | None:
    """The entry's stored hash; None when there is no such entry."""
    if number == 0:
        return GENESIS
    rows = run(connection, statements.COMMITS, account, number - 1, 1)
    return next((record.hash for record in unpack(Commit(*rows[0])) if record.number == number), None) if rows else None


def book_digest(chained: str, body: bytes) -> bytes:
    """Binds a saved book to its bytes and to the entry it was folded up to."""
    digest = hashlib.sha256(bytes.fromhex(chained))
    digest.update(body)  # not joined: it may be tens of megabytes
    return digest.digest()


LONGEST_REQUEST = 64 * 1024
"""Characters of verb, arguments and name together: it is journaled when it is taken."""
UNREADABLE = "unreadable"
"""The verb of a request that is none. No such verb exists, so it is refused and answered like any other unknown one."""


def _request(row: Sequence[str]) -> "Request":
    """Anyone who can write the ledger can put a row there, so nothing in it may end a guard."""
    from standfast.ports import Request  # here: the ports cost a reading verb more than the reading

    id_, account, verb, arguments, by, at = row
    is_long = len(verb) + len(arguments) + len(by) > LONGEST_REQUEST
    try:
        decoded = msgspec.json.decode("" if is_long else arguments, type=Mapping[str, str])
        asked_at = parse_time(at)
    except (msgspec.MsgspecError, ValueError, RecursionError, JournalDamaged):
        verb, decoded, by, asked_at = UNREADABLE, {}, by[:NAME_SHOWN], datetime.fromtimestamp(0, UTC)
    return Request(id=RequestId(id_), account=AccountId(account), verb=verb, arguments=decoded, by=by, at=asked_at)


NAME_SHOWN = 100
