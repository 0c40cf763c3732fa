"""What the writer does for a lease's holder, inside one transaction. Nothing here may be done without the lease."""

from asyncio import Future
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple, cast

import apsw

from standfast.model.errors import JournalDamaged, LeaseLost
from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import Entry, Fact, RequestDone, RequestTaken
from standfast.ports import Lease
from standfast.stores.codec import Commit, Encoded, Sealed, seal
from standfast.stores.promises import SAVED_BOOKS
from standfast.stores.sqlite import statements
from standfast.stores.sqlite.connection import run
from standfast.stores.sqlite.files import Anchor, missing_end
from standfast.stores.sqlite.reading import book_digest, hash_of, head
from standfast.stores.sqlite.writer import Batch
from standfast.stores.unsettled import AllFreed, Freed, Taken, refusal, slot_changes

ACTS = frozenset({RequestTaken, RequestDone})


class Tail(NamedTuple):
    """What the next append of a journal stands on."""

    number: int
    hash: bytes
    unsettled: frozenset[str]


class Append(NamedTuple):
    """What one call asks for, and the future it waits on."""

    facts: Sequence[Fact]
    encoded: Sequence[Encoded]
    at: datetime
    waiter: "Future[Sequence[Entry]]"


class Appends:
    """Appends of one journal that share a commit: joined until the writer begins with them, then one chain."""

    def __init__(self, lease: Lease, first: Append) -> None:
        self._lease = lease
        self._waiting = [first]
        self._has_begun = False
        self._lock = Lock()

    def join(self, append: Append) -> bool:
        """Whether it is in time for this commit."""
        with self._lock:
            if not self._has_begun:
                self._waiting.append(append)
            return not self._has_begun

    def run(self, batch: Batch) -> Sealed:
        """What is stored of all of them. Raises LeaseLost when the lease's epoch is over."""
        with self._lock:
            self._has_begun = True  # nobody joins from here on, so a second run is over the same appends
        account, tail = self._lease.account, cast(Tail, batch.kept[self._lease.account])
        facts = [fact for append in self._waiting for fact in append.facts]
        moments = [(append.at, encoded) for append in self._waiting for encoded in append.encoded]
        sealed = seal(account, (tail.number, tail.hash), self._lease.epoch, moments)
        _write(batch.connection, self._lease, sealed.commit)
        unsettled = _keep_slots(batch.connection, account, tail.unsettled, facts)
        _keep_requests(batch.connection, facts)
        batch.kept[account] = Tail(sealed.commit.number, sealed.last, unsettled)
        return sealed

    def settle(self, sealed: Sealed | None, error: BaseException | None) -> None:
        """In the loop: wake every waiter that is still there. What a cancelled one wrote stays written."""
        with self._lock:
            self._has_begun = True  # it may have ended before it began: the database was busy
        if sealed is not None:
            for append, entries in zip(self._waiting, self._entries(sealed), strict=True):
                if not append.waiter.done():
                    append.waiter.set_result(entries)
        elif error is not None:
            for append in self._waiting:
                if not append.waiter.done():
                    append.waiter.set_exception(error)

    def _entries(self, sealed: Sealed) -> Iterator[list[Entry]]:
        """Those of each append, in their order."""
        epoch = self._lease.epoch
        number = sealed.commit.number - len(sealed.hashes)
        hashes = iter(sealed.hashes)
        for append in self._waiting:
            own = []
            for fact in append.facts:
                number += 1
                own.append(Entry(EntryNumber(number), epoch, append.at, fact, next(hashes)))
            yield own


class Head(NamedTuple):
    """Where a journal ends."""

    number: EntryNumber
    hash: str
    lost: str
    """What its end lacks and had once, in words; empty as it should be."""


def load_head(batch: Batch, account: AccountId, anchor: Anchor | None) -> Head:
    """Where the journal ends. Raises JournalDamaged when another entry is where the anchored one was."""
    connection, lost = batch.connection, anchor.lost if anchor is not None else ""
    number, chained = head(connection, account)
    if anchor is not None:
        found = hash_of(connection, account, anchor.number)
        if found is None and number < anchor.number:
            lost = missing_end(account, number, anchor)
        elif found is None:
            raise JournalDamaged(f"{account}: entry {anchor.number} was committed once and is missing")
        elif found.hex() != anchor.hash:
            raise JournalDamaged(f"{account}: entry {anchor.number} is not the one that was committed")
    unsettled = frozenset(row[0] for row in run(connection, statements.UNSETTLED, account))
    batch.kept[account] = Tail(number, chained, unsettled)
    return Head(EntryNumber(number), chained.hex(), lost)


def renew(lease: Lease, expires: str, batch: Batch) -> None:
    connection = batch.connection
    run(connection, statements.RENEW_LEASE, lease.account, lease.epoch, expires)
    if not connection.changes():
        raise lease_lost(connection, lease)


def release(lease: Lease, batch: Batch) -> None:
    run(batch.connection, statements.RELEASE_LEASE, lease.account, lease.epoch)


def save_book(lease: Lease, number: EntryNumber, shape: str, body: bytes, batch: Batch) -> None:
    """Raises LookupError for a number the journal has not reached (our own bug)."""
    connection, account = batch.connection, lease.account
    fence(connection, lease)
    chained = hash_of(connection, account, number)
    if chained is None:
        raise LookupError(f"{account}: a book of entry {number}, which is not in the journal")
    digest = book_digest(chained.hex(), body)
    run(connection, statements.SAVE_BOOK, account, number, shape, digest, body)
    run(connection, statements.DROP_BOOKS, account, SAVED_BOOKS)


def finish_request(lease: Lease, values: tuple[RequestId, int, str], batch: Batch) -> None:
    fence(batch.connection, lease)
    run(batch.connection, statements.FINISH_REQUEST, *values)


def fence(connection: apsw.Connection, lease: Lease) -> None:
    found = run(connection, statements.LEASE, lease.account)
    if not found or found[0][0] != lease.epoch or not found[0][1]:
        raise lease_lost(connection, lease)


def lease_lost(connection: apsw.Connection, lease: Lease) -> LeaseLost:
    found = run(connection, statements.LEASE, lease.account)
    holder = (found[0][1] if found else "") or "nobody"
    return LeaseLost(f"{lease.account}: epoch {lease.epoch} is over, {holder} has the lease")


def _write(connection: apsw.Connection, lease: Lease, commit: Commit) -> None:
    """One row, with the lease's epoch in its statement."""
    run(connection, statements.APPEND, lease.account, *commit)
    if not connection.changes():
        raise lease_lost(connection, lease)


def _keep_slots(
    connection: apsw.Connection, account: AccountId, unsettled: frozenset[str], facts: Sequence[Fact]
) -> frozenset[str]:
    """The ids that hold a slot afterwards."""
    for change in slot_changes(facts, unsettled):
        match change:
            case Taken(slot, id_):
                holder = run(connection, statements.TAKE_SLOT, account, *slot, id_)[0][0]
                if holder != id_:
                    raise refusal(slot, holder, id_)
                unsettled |= {id_}
            case Freed(id_):
                run(connection, statements.FREE_SLOT, account, id_)
                unsettled -= {id_}
            case AllFreed(position):
                run(connection, statements.FREE_POSITION, account, position)
    return unsettled


def _keep_requests(connection: apsw.Connection, facts: Sequence[Fact]) -> None:
    """In the facts' own commit: a crash never takes an act twice, nor forgets its outcome."""
    if ACTS.isdisjoint(map(type, facts)):
        return
    for fact in facts:
        if isinstance(fact, RequestTaken):
            run(connection, statements.TAKE_REQUEST, fact.request)
        elif isinstance(fact, RequestDone):
            run(connection, statements.FINISH_REQUEST, fact.request, int(fact.ok), fact.detail)
