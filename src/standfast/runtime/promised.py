"""A fill that the stream has told of is looked for until the books have it, instead of until the next usual read.

The stream tells at once; lists trail it by up to a second, and an order may show that it is filled before it shows at
what price. So the read that the event brings may come too early, and the next is seconds away: for that long what
somebody bought would be without a stop.
"""

from standfast.core.book import Book
from standfast.model.booked import BookedOrder
from standfast.model.ids import BrokerOrderId
from standfast.runtime.reader import Reader

AGAIN = (0.5, 1.0, 2.0)
"""Seconds from one look at the books to the next; after the last it is left to the usual reads."""


async def look_for_fill(reader: Reader, broker_id: BrokerOrderId) -> None:
    """Ask for fills and positions now, and again while the books do not show more of this order."""
    before = booked(reader.ledger.book, broker_id)
    _want(reader)
    for seconds in AGAIN:
        await reader.clock.sleep(seconds)
        now = booked(reader.ledger.book, broker_id)
        if now != before or _is_whole(reader.ledger.book, broker_id):
            break
        _want(reader)
    reader.lookups.forget_ahead(broker_id)


def _want(reader: Reader) -> None:
    reader.want("activities")
    reader.want("positions")


def booked(book: Book, broker_id: BrokerOrderId) -> object:
    """What the books have of an order and its legs; another answer means that something was booked."""
    order = book.order_by_broker(broker_id)
    return None if order is None else [each.executed for each in _with_legs(book, order)]


def _is_whole(book: Book, broker_id: BrokerOrderId) -> bool:
    """Whether it is over and all that it filled is booked: then the event told nothing new."""
    order = book.order_by_broker(broker_id)
    if order is None:
        return broker_id in book.state.retired
    trades = [each for each in _with_legs(book, order) if not each.is_together]
    return order.is_finished and all(each.filled <= each.executed for each in trades)


def _with_legs(book: Book, order: BookedOrder) -> list[BookedOrder]:
    legs = [each for each in book.state.orders.values() if each.parent == order.id] if order.is_together else []
    return [order, *legs]
