"""The only module at the desk, and for the command line, that knows which store a ledger is kept in.

Everything is imported when it is called: a verb's help needs none of it, and a reading verb only the reader.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.model.ids import AccountId, EntryNumber, RequestId

if TYPE_CHECKING:
    from datetime import datetime

    from standfast.model.journal import Entry
    from standfast.ports import Request
    from standfast.stores.promises import KeptRequest as KeptRequest
    from standfast.stores.promises import RequestOutcome
    from standfast.stores.sqlite.reading import LeaseRow, LedgerReader
    from standfast.stores.sqlite.upkeep import Verified


def open_reader(path: Path) -> "LedgerReader":
    """A read-only view of the ledger. Raises JournalUnavailable or JournalDamaged."""
    from standfast.stores.sqlite.reading import LedgerReader

    return LedgerReader(path)


def is_held(lease: "LeaseRow | None", now: "datetime") -> bool:
    """Whether a living process holds the lease: it has not run out, and its holder is not known to be gone."""
    from standfast.stores.codec import parse_time
    from standfast.stores.holder import holder_is_alive

    if lease is None or not lease.holder:
        return False
    return parse_time(lease.expires) >= now and holder_is_alive(lease.holder)


def holder_of(lease: "LeaseRow") -> str:
    """Who has it, in words."""
    from standfast.stores.holder import spoken

    return spoken(lease.holder)


def put_request(path: Path, request: "Request") -> None:
    """Durable on return. Raises JournalUnavailable or JournalDamaged."""
    from standfast.stores.sqlite.requesting import put_request as put

    put(path, request)


def wait_request(
    path: Path, request: RequestId, *, attempts: int, pause: Callable[[], None]
) -> "RequestOutcome | None":
    """The outcome; None when there is none after that many looks."""
    from standfast.stores.sqlite.requesting import wait_request as wait

    return wait(path, request, attempts=attempts, pause=pause)


def verify(path: Path) -> "list[Verified]":
    """Every journal of the ledger, walked from its first entry. Raises JournalDamaged for a broken file."""
    from standfast.stores.sqlite import upkeep

    return upkeep.verify(path)


def check_file(path: Path) -> None:
    """SQLite's own check of the file. Raises JournalDamaged."""
    from standfast.stores.sqlite import upkeep

    upkeep.check_file(path)


def back_up(source: Path, target: Path) -> None:
    """A proven copy, taken while a guard writes."""
    from standfast.stores.sqlite import upkeep

    upkeep.back_up(source, target)


def begin_anew(path: Path, accounts: Iterable[AccountId], now: "datetime") -> Path:
    """Put the ledger aside for a new one; where it is. Raises JournalUnavailable."""
    from standfast.stores.sqlite import anew

    return anew.begin_anew(path, accounts, now)


def export(reader: "LedgerReader", account: AccountId) -> Iterator[str]:
    """Each entry as one JSON document."""
    from standfast.stores.sqlite import upkeep

    return upkeep.export(reader, account)


def tail(reader: "LedgerReader", account: AccountId, after: int, pause: Callable[[], bool]) -> "Iterator[Entry]":
    """Entries as they come, until `pause` says no."""
    from standfast.stores.sqlite import upkeep

    return upkeep.tail(reader, account, after, pause)


async def rebuild(path: Path, account: AccountId, now: "datetime") -> EntryNumber:
    """Fold the journal from its first entry and save the book. Raises LeaseLost while a guard writes it."""
    from standfast.core.book import Book
    from standfast.core.fold import fold
    from standfast.stores.holder import describe_holder
    from standfast.stores.sqlite.store import SqliteStore

    store = SqliteStore(path)
    try:
        journal = await store.acquire(account, describe_holder(), now)
        try:
            book = fold(Book.empty(account), await store.entries(account, EntryNumber(0)))
            await journal.save_book(book.head, book.state)
        finally:
            await journal.release()
    finally:
        await store.close()
    return book.head
