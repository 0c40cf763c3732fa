"""What just happened, in words for somebody who has never seen any of this.

Only what a newcomer must see becomes a line; the ledger holds everything. Words come from facts alone, and from the
book as it was after each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from standfast.core.book import Book
from standfast.model import journal as j
from standfast.model.booked import BookedOrder
from standfast.model.order import OrderState, Role
from standfast.model.position import CloseReason, Position

REASONS: Mapping[CloseReason, str] = {
    CloseReason.STOP_LOSS: "its stop",
    CloseReason.TAKE_PROFIT: "its target",
    CloseReason.BROKER_EXIT: "the bot's own bracket",
    CloseReason.BOT_EXIT: "the bot's own order",
    CloseReason.OPERATOR: "your order",
}
LAPSED = frozenset({OrderState.EXPIRED, OrderState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `who`: the bot, Standfast, you, the demo, or alarm."""

    who: str
    text: str
    style: str = ""


def money(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else '+'}${abs(amount):,.2f}"


def price(value: Decimal | None) -> str:
    return "?" if value is None else f"{value:,.2f}"


def is_bots(order: BookedOrder) -> bool:
    """Whether the bot placed it; the legs of our own exit pairs are ours."""
    return order.role is Role.FOREIGN


def words(entry: j.Entry, book: Book) -> Line | None:
    """A line about one entry, given the book with it folded in; None when it is a detail."""
    fact = entry.fact
    match fact:
        case j.FillBooked():
            return _filled(fact, book)
        case j.OrderAccepted():
            return _accepted(book.state.orders.get(fact.id))
        case j.PositionSettled():
            position = book.state.closed[fact.position]
            return Line("Standfast", f"{_name(position)} is over and proven flat: {_proof(fact.proof)}.", "green")
        case j.AlertRaised():
            return Line("alarm", fact.text, "yellow")
        case j.RequestTaken():
            return Line("Standfast", f"your request is in the ledger: {fact.verb}.")
        case j.GuardStarted() if entry.number > 1:
            return Line("Standfast", "the guard is back; it reads its ledger and looks at everything again.", "green")
        case _:
            return None


def lapsed(fact: j.Fact, book: Book) -> Position | None:
    """The position whose stop, the bot's own, has just ended with neither exit filled; asked before folding."""
    if not isinstance(fact, j.OrderObserved) or fact.position is None:
        return None
    position = book.state.positions.get(fact.position)
    if position is None or position.closing is not None:
        return None
    exits = [each for each in (fact.report, *fact.report.legs) if each.side.sign != position.sign]
    if any(each.filled for each in exits):
        return None
    for report in exits:
        known = book.order_by_broker(report.broker_id)
        was_alive = known is not None and known.is_stop and is_bots(known) and not known.is_finished
        if was_alive and report.state in LAPSED:
            return position
    return None


def lapse(position: Position) -> Line:
    return Line("the bot", f"its exits for {_name(position)} have lapsed: they were good for the day.", "yellow")


def _filled(fact: j.FillBooked, book: Book) -> Line | None:
    state, fill = book.state, fact.fill
    for part in fact.allocations:
        position = state.positions.get(part.position) or state.closed.get(part.position) if part.position else None
        if position is None:
            continue
        if part.opens:
            return Line(
                "Standfast", f"books {part.quantity} {_name(position)}, bought by the bot at {price(fill.price)}."
            )
        why = REASONS.get(fact.reason, str(fact.reason)) if fact.reason else "an order"
        return Line(
            "Standfast",
            f"books {part.quantity} {_name(position)} sold at {price(fill.price)} by {why}: {money(part.realised)}.",
            "green" if part.realised >= 0 else "red",
        )
    return None


def _accepted(order: BookedOrder | None) -> Line | None:
    if order is None or order.terms is None:
        return None
    what = f"{order.quantity} {order.holding}"
    if order.role is Role.STOP:
        target = order.terms.target_price
        beside = f", with a target at {price(target)}" if target is not None else ""
        return Line(
            "Standfast",
            f"a stop for {what} rests at the broker at {price(order.terms.stop_price)}{beside}, until cancelled.",
        )
    return Line("Standfast", f"sends the order that closes {what}.") if order.role is Role.CLOSE else None


def _name(position: Position) -> str:
    return f"{position.holding} ({position.strategy})"


def _proof(text: str) -> str:
    """The first of it: order ids are for `standfast explain`."""
    return text.partition(":")[0]
