"""One account's journal and its book, kept in step: what is appended is folded, in order, before anyone goes on."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from standfast.core.book import Book, BookState
from standfast.core.fold import apply, fold
from standfast.core.policy import Rules
from standfast.model.ids import EntryNumber
from standfast.model.journal import Entry, Fact
from standfast.ports import Broker, Clock, Journal, Store
from standfast.runtime.clock import OFFSET_ALARM, ScaledClock
from standfast.runtime.steps import Steps

SAVE_EVERY = 2_000
"""Entries between two saved books: a start folds at most this many."""


class Ledger:
    """The only writer of a book. `record` returns once the facts are durable and folded."""

    def __init__(
        self, *, journal: Journal, store: Store, book: Book, broker: Broker, clock: Clock, rules: Rules
    ) -> None:
        self.journal, self.store, self.book = journal, store, book
        self.broker, self.clock, self.rules = broker, clock, rules
        self.listeners: list[Callable[[Entry], None]] = []
        self.clock_ahead = timedelta(0)
        """How far the broker's clock is ahead of the machine's, beyond what asking took."""
        self.steps = Steps(clock)
        self.when_clock_is_set: list[Callable[[], None]] = []
        self.deciding = asyncio.Lock()
        """Held from reading the book to having recorded what was decided on it: two decisions never miss each other."""
        self._waiting: dict[EntryNumber, Entry] = {}
        self._folded = asyncio.Event()
        self._appending = 0
        """Appends that are on their way to the journal and back."""
        self.saved = EntryNumber(0)
        """The last entry that the saved book has in it."""

    @property
    def is_writing(self) -> bool:
        """Whether something is on its way into the journal at this moment."""
        return self._appending > 0

    def now(self) -> datetime:
        """The time. That the machine's clock was set is noticed here, before anything is figured with it."""
        now, step = self.steps.look()
        if step:
            if not isinstance(self.clock, ScaledClock):
                self.clock_ahead -= step  # the broker's was not
            for told in self.when_clock_is_set:
                told()
        return now

    async def record(self, facts: Sequence[Fact]) -> None:
        """Append in one commit and fold. Raises JournalError; nothing is folded that is not durable."""
        if not facts:
            return
        self._appending += 1
        try:
            entries = await self.journal.append(facts, self.clock.now())
        finally:
            self._appending -= 1
            self._folded.set()
        self._fold(entries)
        while self.book.head < entries[-1].number:
            if self._appending:  # an earlier append is still on its way back
                self._folded.clear()
                await self._folded.wait()
            else:  # or whoever made it was cancelled: what he wrote is in the journal all the same
                self._fold(await self.store.entries(self.book.account, self.book.head))

    def _fold(self, entries: Sequence[Entry]) -> None:
        """Two appends may come back in either order; the book takes entries only in the journal's."""
        self._waiting.update((entry.number, entry) for entry in entries if entry.number > self.book.head)
        while (following := EntryNumber(self.book.head + 1)) in self._waiting:
            entry = self._waiting.pop(following)
            apply(self.book, entry)
            for listener in self.listeners:
                listener(entry)
        self._folded.set()

    async def save(self) -> None:
        """Keep the book beside the journal, when enough has happened since it was last kept."""
        if self.book.head - self.saved >= SAVE_EVERY:
            await self.save_now()

    async def save_last(self) -> None:
        """As `save`, when nothing follows: also where less is kept than what has happened since would cost to fold."""
        state = self.book.state
        if self.book.head - self.saved >= min(SAVE_EVERY, len(state.orders) + len(state.positions)):
            await self.save_now()

    async def save_now(self) -> None:
        await self.journal.save_book(self.book.head, self.book.state)
        self.saved = self.book.head

    def note_broker_time(self, broker: datetime, began: datetime, ended: datetime) -> None:
        """How far the broker's clock is from ours, judged half-way through the read."""
        asking = (ended - began) / 2
        offset = broker - (began + asking)
        if not isinstance(self.clock, ScaledClock):
            self.clock_ahead = offset if abs(offset) > asking else timedelta(0)
        elif abs(offset) > asking + OFFSET_ALARM:
            self.clock.correct(offset)  # somebody moved the simulated exchange's time: ours follows it

    async def entry(self, number: EntryNumber) -> Entry | None:
        entries = await self.store.entries(self.book.account, EntryNumber(number - 1))
        return entries[0] if entries and entries[0].number == number else None


async def load_book(store: Store, rules: Rules) -> tuple[Book, EntryNumber]:
    """The book as the journal tells it: the newest saved one, and every entry since; and the last entry in that one."""
    found = await store.book(rules.account, BookState)
    book = Book(found[1]) if found is not None else Book.empty(rules.account)
    saved = book.head
    return fold(book, await store.entries(rules.account, saved)), saved
