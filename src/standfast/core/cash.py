"""What the account's cash must be, by what is booked: the one figure of the broker's that profit can be held against.

Whatever is realised passes through the cash, and so does what is bought and sold for it, at the prices of the fills.
From one reading of the cash to another, the difference must therefore be the sum of what was booked between. A fill the
books never got, one that is counted twice or at another price, a charge without a row: each leaves just its amount.

1. What is booked counts by the moment its money moved, told by the broker, and not by when it was heard of.
2. Where that moment lies within a reading's own uncertainty, the reading is not compared.
3. What changes a quantity and does not say what money moved with it ends the comparison; another reading begins it.
4. A comparison that agreed was made without what is heard of later, however old that is: it counts from there on.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from standfast.core.book import Book, CashKept
from standfast.core.busted import TRADE
from standfast.core.folds import folds
from standfast.core.kept import Flow
from standfast.model import journal as j
from standfast.model.evidence import CashRead
from standfast.model.instrument import money_of_a_point
from standfast.model.order import ZERO, Fill, Movement, MovementKind

FLOWS_KEPT = 200
"""More than is booked in the half minute that a reading waits for its fills."""

WITHOUT_QUANTITY = frozenset({MovementKind.CASH, MovementKind.FEE, MovementKind.OTHER})
ENDS = frozenset({MovementKind.EXPIRY, MovementKind.ASSIGNMENT, MovementKind.EXERCISE})
"""Movements of a quantity whose row tells what money came of them, nothing included."""


class Expected(NamedTuple):
    """What the cash must be, the profit booked since the base, and how many rows either is made of."""

    cash: Decimal
    profit: Decimal
    rows: int


def note(book: Book, entry: j.Entry) -> None:
    """What this entry says of the account's money; for the fold."""
    noted = NOTES.get(type(entry.fact))
    if noted is not None:
        noted(book, entry.fact, entry)


def expected(kept: CashKept, read: CashRead) -> Expected | None:
    """None where something moved just as the cash was read, or nothing is known of how it began."""
    base = kept.base
    if base is None or read.since < base.until or not is_quiet(kept, read):
        return None
    before = [flow for flow in kept.recent if flow.until <= read.since]
    return Expected(
        cash=base.cash + kept.amount + sum((flow.amount for flow in before), ZERO),
        profit=kept.profit + sum((flow.profit for flow in before), ZERO),
        rows=kept.rows + sum(flow.amount != ZERO for flow in before),
    )


def is_quiet(kept: CashKept, read: CashRead) -> bool:
    """Whether all that is known to have moved did so surely before this reading, or surely after it."""
    if len(kept.recent) == FLOWS_KEPT and kept.recent[0].until > read.since:
        return False  # what is summed up may be later than it
    return all(flow.until <= read.since or flow.since >= read.until for flow in kept.recent if flow.amount)


def _put(book: Book, flow: Flow, entry: j.Entry) -> None:
    kept = book.state.cash
    base = kept.base
    if base is not None and not base.agrees and flow.since < base.until:
        if flow.amount and flow.until > base.since:
            _doubt(book, "something of the moment it began at was told late", entry)
        return  # the cash it began with had it already
    recent = (*kept.recent, flow)
    old, recent = recent[:-FLOWS_KEPT], recent[-FLOWS_KEPT:]
    book.state.cash = replace(
        kept,
        recent=recent,
        amount=kept.amount + sum((each.amount for each in old), ZERO),
        profit=kept.profit + sum((each.profit for each in old), ZERO),
        rows=kept.rows + sum(each.amount != ZERO for each in old),
    )


def _doubt(book: Book, why: str, entry: j.Entry) -> None:
    book.state.cash = replace(book.state.cash, doubt=why, doubted=entry.number, doubted_at=entry.at)


@folds(j.CashCompared)
def _cash_compared(book: Book, fact: j.CashCompared, entry: j.Entry) -> None:
    later = tuple(flow for flow in book.state.cash.recent if flow.since >= fact.until)
    book.state.cash = CashKept(base=fact, recent=later)


def _moment(at: datetime, amount: Decimal, profit: Decimal) -> Flow:
    return Flow(at, at, amount, profit)


def _paid(fill: Fill) -> Decimal:
    return -fill.signed * fill.price * money_of_a_point(fill.holding.instrument) - fill.fee


def _of_fill(book: Book, fact: j.FillBooked, entry: j.Entry) -> None:
    profit = sum((part.realised for part in fact.allocations), ZERO)
    _put(book, _moment(fact.fill.at, _paid(fact.fill), profit), entry)


def _of_match(book: Book, fact: j.FillMatched, entry: j.Entry) -> None:
    _put(book, _moment(fact.fill.at, _paid(fact.fill), ZERO), entry)


def _of_profit(book: Book, fact: j.ProfitRestated, entry: j.Entry) -> None:
    for each in fact.corrections:
        _put(book, _moment(each.at, ZERO, each.realised), entry)


def _of_moved_out(book: Book, fact: j.MovedOut, entry: j.Entry) -> None:
    profit = sum((part.realised for part in fact.parts), ZERO)
    _put(book, _moment(entry.at, ZERO, profit), entry)


def _of_movement(book: Book, fact: j.MovementBooked, entry: j.Entry) -> None:
    movement = fact.movement
    if movement.kind is MovementKind.SPLIT and not movement.amount:
        return
    if movement.amount is None or not _is_told_in_money(movement):
        _doubt(
            book, f"what money moved with {movement.broker_kind} {movement.id} ({movement.status}) is not told", entry
        )
    elif movement.amount:
        told = movement.told_at
        since = told if told is not None else movement.at
        until = told if told is not None else max(movement.at, entry.at)
        _put(book, Flow(since, until, movement.amount, ZERO), entry)


def _is_told_in_money(movement: Movement) -> bool:
    """Whether its amount is all that moved. A row that is taken back or corrected says nothing of what stands now."""
    if movement.status != "executed" or movement.broker_kind == TRADE:
        return False
    return movement.kind in ENDS or (movement.kind in WITHOUT_QUANTITY and not movement.quantity)


def _of_adoption(book: Book, fact: j.PositionAdopted, entry: j.Entry) -> None:
    _doubt(book, f"{fact.quantity} {fact.holding} came without a fill", entry)


def _of_acknowledged(book: Book, fact: j.ForeignAcknowledged, entry: j.Entry) -> None:
    if fact.bare:
        _doubt(book, f"{fact.bare} {fact.holding} of somebody else came or went without a fill", entry)


def _of_write_off(book: Book, fact: j.PositionWrittenOff, entry: j.Entry) -> None:
    if not fact.acknowledged:
        _doubt(book, f"{fact.position} was written off without a price", entry)


def _of_bust(book: Book, fact: j.FillBusted, entry: j.Entry) -> None:
    _doubt(book, f"the trade {fact.execution} was taken back", entry)


def _of_undone(book: Book, fact: j.Undone | j.PositionReinstated | j.EndRestated, entry: j.Entry) -> None:
    _doubt(book, "something booked before was put right", entry)


NOTES: Mapping[type[Any], Callable[[Book, Any, j.Entry], None]] = {
    j.FillBooked: _of_fill,
    j.FillMatched: _of_match,
    j.ProfitRestated: _of_profit,
    j.MovedOut: _of_moved_out,
    j.MovementBooked: _of_movement,
    j.PositionAdopted: _of_adoption,
    j.ForeignAcknowledged: _of_acknowledged,
    j.PositionWrittenOff: _of_write_off,
    j.FillBusted: _of_bust,
    j.Undone: _of_undone,
    j.PositionReinstated: _of_undone,
    j.EndRestated: _of_undone,
}
"""What is no quantity's and no money's is not among them."""
