"""What `history` prints: closed positions and realised profit and loss by trading day.

1. Every figure is a sum over booked fills, each counted once by its execution id, and over what ended without one; the
   total is the sum of the days.
2. A fill counts for the exchange's trading day on which it happened, an end for the day it was booked, a position for
   the day it was closed.
3. Positions closed so long ago that the book has let go of them are read from the journal again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from standfast.cli import render, spreads
from standfast.cli.arguments import Options
from standfast.cli.render import Column
from standfast.cli.shown import price
from standfast.core.book import Book
from standfast.core.fold import apply
from standfast.core.forget import CLOSED_KEPT
from standfast.desk import documents, ledger, structures
from standfast.model.ids import AccountId, PositionId
from standfast.model.journal import (
    Allocation,
    CloseMoved,
    EndRestated,
    Entry,
    FillBooked,
    FillBusted,
    MovedOut,
    PositionSettled,
    PositionWrittenOff,
    ProfitRestated,
)
from standfast.model.order import ZERO, Fill
from standfast.model.position import Position
from standfast.model.structure import BookedStructure

COLUMNS = (
    Column("ID"),
    Column("ACCOUNT", spare=True),
    Column("STRATEGY", spare=True),
    Column("INSTRUMENT"),
    Column("QUANTITY", right=True),
    Column("ENTRY", right=True),
    Column("EXIT", right=True),
    Column("OPENED", spare=True),
    Column("CLOSED"),
    Column("REASON"),
    Column("P&L", right=True),
    Column("RESULT", right=True, spare=True),
)
DAY_COLUMNS = (Column("DAY"), Column("ACCOUNT"), Column("P&L", right=True), Column("FEES", right=True))


@dataclass(slots=True)
class Sums:
    """Realised profit and loss and fees."""

    pnl: Decimal = ZERO
    fees: Decimal = ZERO

    def add(self, fill: Fill, parts: Sequence[Allocation]) -> None:
        self.pnl += sum((part.realised for part in parts), ZERO)
        self.fees += fill.fee if parts else ZERO


@dataclass(slots=True)
class Past:
    """One account's history."""

    book: Book
    closed: Mapping[PositionId, Position]
    fills: Mapping[str, list[tuple[Fill, Allocation]]]
    days: dict[str, Sums] = field(default_factory=dict)

    @property
    def account(self) -> AccountId:
        return self.book.account


def history(options: Options) -> int:
    """Print closed positions and days; with `--day` only those of that trading day."""
    with ledger.opened(options.config) as books:
        pasts = [_past(book, books.entries(book.account)) for book in books.of(options.account)]
    if options.json:
        render.document(_document(pasts, options.day))
    else:
        _print(pasts, options.day)
    return 0


def _past(book: Book, entries: Sequence[Entry]) -> Past:
    closed = book.state.closed if len(book.state.closed) < CLOSED_KEPT else _every_closed(book.account, entries)
    past = Past(book=book, closed=closed, fills=documents.fills_by_position(entries))
    for entry in entries:
        if isinstance(entry.fact, FillBooked):
            parts = [part for part in entry.fact.allocations if part.position is not None]
            past.days.setdefault(trading_day(entry.fact.fill.at), Sums()).add(entry.fact.fill, parts)
        elif isinstance(entry.fact, MovedOut):
            earned = sum((part.realised for part in entry.fact.parts if part.position is not None), ZERO)
            past.days.setdefault(trading_day(entry.at), Sums()).pnl += earned
        elif isinstance(entry.fact, ProfitRestated | FillBusted | EndRestated | CloseMoved):
            for each in entry.fact.corrections:
                past.days.setdefault(trading_day(each.at), Sums()).pnl += each.realised
        if isinstance(entry.fact, FillBusted):
            undone = sum((part.realised for part in entry.fact.parts), ZERO)
            past.days.setdefault(trading_day(entry.fact.at), Sums()).pnl -= undone
    return past


def _every_closed(account: AccountId, entries: Sequence[Entry]) -> Mapping[PositionId, Position]:
    """Fold the whole journal, keeping what the book lets go of."""
    book = Book.empty(account)
    closed: dict[PositionId, Position] = {}
    for entry in entries:
        apply(book, entry)
        if isinstance(entry.fact, PositionSettled | PositionWrittenOff) and entry.fact.position in book.state.closed:
            closed[entry.fact.position] = book.state.closed[entry.fact.position]
    return {**closed, **book.state.closed}


def trading_day(at: datetime) -> str:
    """The exchange's trading day of a fill."""
    return ledger.trading_day(at).isoformat()


def _chosen(past: Past, day: str | None) -> list[Position]:
    return [
        position
        for position in past.closed.values()
        if structures.is_shown_alone(past.book, position) and (day is None or _closed_on(position, day))
    ]


def _closed_on(position: Position, day: str) -> bool:
    return position.closed_at is not None and trading_day(position.closed_at) == day


def _spreads(past: Past, day: str | None) -> list[BookedStructure]:
    found = structures.closed(past.book)
    return [
        each for each in found if day is None or (each.closed_at is not None and trading_day(each.closed_at) == day)
    ]


def _days(past: Past, day: str | None) -> dict[str, Sums]:
    return {each: past.days[each] for each in sorted(past.days) if day in (None, each)}


def _total(pasts: Sequence[Past], day: str | None) -> Sums:
    days = [sums for past in pasts for sums in _days(past, day).values()]
    return Sums(pnl=sum((sums.pnl for sums in days), ZERO), fees=sum((sums.fees for sums in days), ZERO))


def _document(pasts: Sequence[Past], day: str | None) -> documents.Document:
    now = ledger.now()
    total = _total(pasts, day)
    return {
        "history": [
            {
                **documents.position(past.book, position, rules=None, now=now),
                "fills": [documents.fill(fill, part) for fill, part in past.fills.get(position.id, ())],
            }
            for past in pasts
            for position in _chosen(past, day)
        ]
        + [
            {
                **structures.document(past.book, each, rules=None, now=now),
                "fills": structures.fills(past.fills, each),
            }
            for past in pasts
            for each in _spreads(past, day)
        ],
        "days": [
            documents.day(past.account, each, sums.pnl, sums.fees)
            for past in pasts
            for each, sums in _days(past, day).items()
        ],
        "total": {"pnl": documents.number(total.pnl), "fees": documents.number(total.fees)},
    }


def _print(pasts: Sequence[Past], day: str | None) -> None:
    rows = [_row(past.account, position) for past in pasts for position in _chosen(past, day)]
    rows += [spreads.past_row(past.book, each) for past in pasts for each in _spreads(past, day)]
    render.table(COLUMNS, rows, empty="No closed positions.")
    days = [
        (each, past.account, render.money(sums.pnl), f"{sums.fees:,.2f}")
        for past in pasts
        for each, sums in _days(past, day).items()
    ]
    if not days:
        return
    total = _total(pasts, day)
    render.line("")
    render.table(DAY_COLUMNS, [*days, ("total", "", render.money(total.pnl), f"{total.fees:,.2f}")], empty="")


def _row(account: AccountId, position: Position) -> list[str | render.Cell]:
    result = documents.result(position)
    return [
        position.id,
        account,
        position.strategy,
        position.holding.instrument,
        documents.number(position.opened * position.sign) or "-",
        price(position.entry_price),
        price(position.exit_price),
        render.at(position.opened_at),
        render.at(position.closed_at),
        position.close_reason.value if position.close_reason is not None else "-",
        render.money(position.pnl),
        f"{result:+.2%}" if result is not None else "-",
    ]
