"""Fills of a broker that tells no single executions: what an order has filled in all, less what is booked of it.

The book knows how much of each order is booked, and at what value; a total that says more is one fill over the
difference. It is named by what lies between (`ORDER/2-5`), so that a read made twice books it once, and a crash between
two reads neither loses nor doubles anything.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from standfast.core.book import Book, Cost
from standfast.model.ids import ExecutionId
from standfast.model.order import Fill, FilledTotal

PRICE_STEP = Decimal("0.00000001")
"""Finer than any price: where the difference does not come out even."""


def fills_of(book: Book, totals: Iterable[FilledTotal]) -> Iterator[Fill]:
    """The fills that are not booked yet; a total that is behind the book is an old one and says nothing."""
    for total in totals:
        before = book.state.totals.get(total.broker_order_id, Cost())
        quantity = total.quantity - before.quantity
        if quantity > 0:
            yield _fill(total, before, quantity)


def _fill(total: FilledTotal, before: Cost, quantity: Decimal) -> Fill:
    value = total.quantity * total.average_price - before.value
    return Fill(
        execution_id=ExecutionId(f"{total.broker_order_id}/{_plain(before.quantity)}-{_plain(total.quantity)}"),
        broker_order_id=total.broker_order_id,
        holding=total.holding,
        side=total.side,
        quantity=quantity,
        price=_price(value / quantity),
        at=total.at,
        filled_after=total.quantity,
    )


def _price(exact: Decimal) -> Decimal:
    return min(exact, exact.quantize(PRICE_STEP), key=lambda each: len(each.as_tuple().digits))


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
