"""Whose an answer of the broker is: the id it is booked under, and whether it can be about what was asked.

The broker's own id is the key. A client order id may come back cut off, in other letters or not at all, and an answer
may be about another order or instrument altogether.

1. What is known by its broker's id keeps the id it is booked under, whatever it is told with.
2. An order asked for by our id, or acknowledged as ours, is that order, unless what is told of it cannot be.
3. No two orders share an id: one told without an id, or with another's, goes by the broker's own.
4. What contradicts the book in instrument or side is about something else: nothing of it is taken.
"""

from dataclasses import replace

from standfast.core.book import Book
from standfast.model.booked import BookedOrder
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId, is_told_as
from standfast.model.order import Fill, OrderReport, Side

WHOLE = Holding(InstrumentId(""))
"""Of an order of several legs: it has no instrument of its own."""


def named(book: Book, report: OrderReport, asked: ClientOrderId | None = None) -> OrderReport:
    """The report under the id it is booked under, or will be; `asked`: our id, if that was asked for."""
    id = _id_of(book, report, asked)
    if id == report.client_id and not report.legs:  # nearly always
        return report
    legs = tuple(named(book, leg) for leg in report.legs)
    is_same = id == report.client_id and all(new is old for new, old in zip(legs, report.legs, strict=True))
    return report if is_same else replace(report, client_id=id, legs=legs)


def _id_of(book: Book, report: OrderReport, asked: ClientOrderId | None) -> ClientOrderId:
    known = book.order_by_broker(report.broker_id)
    if known is not None:
        return known.id
    if asked is not None and is_told_as(report.client_id, asked):
        return asked
    other = book.state.orders.get(report.client_id)
    is_taken = other is not None and other.broker_id not in {None, report.broker_id}
    return ClientOrderId(report.broker_id) if is_taken or not report.client_id else report.client_id


def contradiction(
    book: Book,
    report: OrderReport,
    *,
    broker_id: BrokerOrderId | None = None,
    client_id: ClientOrderId | None = None,
) -> str:
    """Why a report cannot be about what was asked, or about the order it names; empty when it can."""
    if broker_id is not None and broker_id not in _told_of(report):
        return f"asked for {broker_id}, told of {report.broker_id}"
    if client_id is not None and not is_told_as(report.client_id, client_id):
        return f"asked for {client_id}, told of {report.client_id}"
    known = book.order_by_broker(report.broker_id) or book.state.orders.get(client_id or report.client_id)
    why = _differs(known, report.holding, report.side) if known is not None else ""
    if why or not report.legs:
        return why
    return next(filter(None, (contradiction(book, leg) for leg in report.legs)), "")


def _told_of(report: OrderReport) -> set[BrokerOrderId]:
    """The orders it answers for: of one for several legs each of them, for brokers tell such a leg as its whole."""
    legs = report.legs if report.holding == WHOLE else ()
    return {report.broker_id, *(leg.broker_id for leg in legs)}


def contradicts(book: Book, fill: Fill) -> str:
    """Why a fill cannot be of the order it names; empty when it can, or nothing is known of that."""
    known = book.order_by_broker(fill.broker_order_id)
    return _differs(known, fill.holding, fill.side) if known is not None else ""


def _differs(known: BookedOrder, holding: Holding, side: Side) -> str:
    is_whole = known.holding == WHOLE or (known.is_together and holding == WHOLE)
    if is_whole or (known.holding, known.side) == (holding, side):
        return ""
    return f"{known.id} is to {known.side} {known.holding}, told as {side} {holding}"


def may_be_ours(book: Book, report: OrderReport) -> bool:
    """Whether it may be an order of ours that nobody knows the fate of, told with a changed id.

    It is no stranger's until ours has been asked for by its id, which goes on for as long as that is so.
    """
    if book.order_by_broker(report.broker_id) is not None or report.client_id in book.state.orders:
        return False
    told_as = "" if report.client_id == ClientOrderId(report.broker_id) else report.client_id  # "": without one
    return any(
        order.is_own and not order.is_settled and order.side is report.side and is_told_as(told_as, order.id)
        for order in book.orders_on(report.holding)
    )
