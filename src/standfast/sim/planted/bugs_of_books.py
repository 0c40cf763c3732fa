"""More faulty functions: those of the books and the ledger (see `bugs`)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from standfast.core import fills, folds, repair
from standfast.core.book import Book
from standfast.model import errors
from standfast.model import journal as j
from standfast.model.ids import ExecutionId
from standfast.model.order import Fill
from standfast.runtime import logs
from standfast.runtime.account import Account
from standfast.runtime.reader import Reader
from standfast.sim.planted.bugs import Change, everywhere
from standfast.sim.watch import CANARIES
from standfast.stores.memory import MemoryJournal, MemoryStore

# --- books --------------------------------------------------------------------------------------


def count_a_fill_twice() -> Iterator[Change]:
    right = fills.book_fill

    def book_fill(book: Book, rules: Any, fill: Fill, **how: Any) -> Iterator[j.Fact]:
        for fact in right(book, rules, fill, **how):
            yield fact
            if isinstance(fact, j.FillBooked):
                yield replace(fact, fill=replace(fill, execution_id=ExecutionId(f"{fill.execution_id}/again")))

    yield from everywhere(right, book_fill)


def stream_adds() -> Iterator[Change]:
    right: Any = Account._on_order_event  # noqa: SLF001 - what is to be made wrong

    async def add(self: Any, event: Any) -> None:
        report = await self.broker.order(broker_id=event.broker_id)
        if report is None or not report.filled:
            return
        fill = Fill(
            execution_id=ExecutionId(f"stream/{event.broker_id}/{report.filled}"),
            broker_order_id=event.broker_id,
            holding=event.holding,
            side=report.side,
            quantity=report.filled,
            price=report.average_price,
            at=self.clock.now(),
        )
        async with self.ledger.deciding:
            await self.ledger.record(list(fills.book_fill(self.ledger.book, self.rules, fill)))

    def on_order_event(self: Any, event: Any) -> None:
        right(self, event)
        if "fill" in event.event:
            self._spawn(add(self, event), "add what the stream says")

    yield Account, "_on_order_event", on_order_event


def adopt_and_count() -> Iterator[Change]:
    yield fills, "_matched", lambda book, fill, order, *, is_shown: None


def silent_removal() -> Iterator[Change]:
    right = folds.FOLD[j.PositionSettled]

    def settled(book: Book, fact: j.PositionSettled, entry: j.Entry) -> None:
        position = book.state.positions.get(fact.position)
        right(book, fact, entry)
        for other in book.positions_at(position.holding) if position is not None else ():
            book.close_position(other)

    yield folds.FOLD, j.PositionSettled, settled


def beside_the_journal() -> Iterator[Change]:
    right: Any = Reader._clock  # noqa: SLF001 - what is to be made wrong

    async def clock(self: Any, urgency: int) -> None:
        await right(self, urgency)
        seen = self.ledger.book.state.session
        if seen is not None:
            self.ledger.book.state.session = replace(seen, next_close=self.clock.now())

    yield Reader, "_clock", clock


def tells_nobody() -> Iterator[Change]:
    yield repair, "_tell", lambda s, found: ()


# --- ledger -------------------------------------------------------------------------------------


def ignore_the_epoch() -> Iterator[Change]:
    yield MemoryJournal, "_fence", lambda self: None


def loses_what_it_acknowledged() -> Iterator[Change]:
    right: Callable[..., Any] = MemoryStore.acquire

    async def acquire(self: Any, account: Any, holder: str, at: Any) -> Any:
        kept = self._account(account)
        del kept.commits[-1:]
        return await right(self, account, holder, at)

    yield MemoryStore, "acquire", acquire


def puts_down_its_key() -> Iterator[Change]:
    right: Any = Account.start

    async def start(self: Any) -> None:
        await right(self)
        await self.ledger.record([j.GuardStopped(reason=f"once before, with key {CANARIES[0]}")])

    yield Account, "start", start


def logs_what_the_broker_says() -> Iterator[Change]:
    def as_it_is(text: str) -> str:
        return text

    yield logs, "redact", as_it_is
    yield errors, "redact", as_it_is
