"""What the verbs read: the ledger named by the settings, as books; and the one moment at which they read it.

1. Only what a verb needs of the settings is read: its ledger, its accounts, its policies. No key is resolved.
2. A book is the newest saved one and every entry after it: what a guard would know now, and nothing is written.
3. Nothing here imports an event loop.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.core.book import Book, BookState
from standfast.core.fold import fold
from standfast.desk import stored
from standfast.model.errors import JournalUnavailable, SettingsError, StandfastError
from standfast.model.ids import AccountId
from standfast.runtime.clock import wall_time
from standfast.settings.quick import account_names, ledger_url, toml

if TYPE_CHECKING:
    from standfast.desk.policies import Rules
    from standfast.model.journal import Entry
    from standfast.stores.sqlite.reading import LedgerReader

SQLITE = "sqlite:///"


def now() -> datetime:
    """The moment of this command, aware UTC."""
    return wall_time()


def path_of(config: str) -> Path:
    """The ledger's file. Raises SettingsError for a ledger that is no file."""
    url = ledger_url(Path(config), os.environ)
    if not url.startswith(SQLITE):
        raise SettingsError(f"{config}: ledger.url: this verb reads SQLite ledgers; write sqlite:///standfast.db")
    return Path(url.removeprefix(SQLITE))


def configured(config: str) -> tuple[AccountId, ...]:
    """The accounts of the settings, in their order."""
    return tuple(AccountId(name) for name in account_names(Path(config), os.environ))


class Books:
    """The books of one ledger, each folded when it is asked for."""

    def __init__(self, reader: "LedgerReader", accounts: tuple[AccountId, ...]) -> None:
        self.reader = reader
        self._configured = accounts

    @property
    def accounts(self) -> list[AccountId]:
        """Accounts of the settings first, then those the ledger knows from earlier."""
        return list(dict.fromkeys((*self._configured, *self.reader.accounts())))

    def of(self, account: str | None) -> Iterator[Book]:
        """The book of that account, or every one. Raises StandfastError for an account nobody knows."""
        known = self.accounts
        if account is not None and account not in known:
            names = ", ".join(known) or "none"
            raise StandfastError(f"{account!r}: there is no account of that name; accounts here: {names}")
        for name in known:
            if account in (None, name):
                yield self.book(name)

    def chosen(self, account: str | None) -> list[AccountId]:
        """That account, or all. Raises StandfastError for one nobody knows."""
        if account is not None and account not in self.accounts:
            raise StandfastError(f"{account!r}: there is no account of that name; accounts: {', '.join(self.accounts)}")
        return self.accounts if account is None else [AccountId(account)]

    def book(self, account: AccountId) -> Book:
        saved = self.reader.book(account, BookState)
        book = Book(saved[1]) if saved is not None else Book.empty(account)
        return fold(book, self.reader.entries(account, book.head))

    def entries(self, account: AccountId) -> "list[Entry]":
        """The whole journal."""
        return list(self.reader.entries(account, 0))


@contextmanager
def opened(config: str) -> Iterator[Books]:
    """The ledger's books, read-only. Raises SettingsError, JournalUnavailable, JournalDamaged."""
    path, accounts = path_of(config), configured(config)
    if not path.exists():
        raise JournalUnavailable(f"{path}: there is no ledger yet; standfast guard makes it at its first start")
    with stored.open_reader(path) as reader:
        yield Books(reader, accounts)


def rules(config: str) -> "Mapping[AccountId, Rules]":
    """What the settings ask to be kept around positions, by account: as far as showing it needs.

    Nothing where the policies cannot be read: a slip in the settings must not hide the books from their owner.
    """
    from standfast.desk.policies import Rules, read

    policies = read(toml(Path(config)))
    return {account: Rules(account, policies) for account in configured(config)}


def trading_day(at: datetime) -> date:
    """The exchange's trading day to which a fill at `at` is counted."""
    from standfast.calendars import Calendar

    return Calendar().trading_day(at)
