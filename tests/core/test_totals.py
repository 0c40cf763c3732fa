"""Tests of `core/totals.py`: what an order has filled in all becomes fills, each counted once."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.policy import Foreign
from standfast.core.totals import fills_of
from standfast.model.ids import BrokerOrderId
from standfast.model.order import FilledTotal, Side
from tests.core.situations import NOW, SPY, D, folded, ruled, told

ORDER = BrokerOrderId("38158036")
ADOPT = ruled(foreign=Foreign.ADOPT)

steps = st.lists(st.tuples(st.integers(1, 50), st.decimals("0.01", "99", places=2)), min_size=1, max_size=6)


def total(quantity: object, price: object, order: str = ORDER) -> FilledTotal:
    return FilledTotal(
        broker_order_id=BrokerOrderId(order),
        holding=SPY,
        side=Side.BUY,
        quantity=Decimal(str(quantity)),
        average_price=Decimal(str(price)),
        at=NOW + timedelta(seconds=float(str(quantity))),
    )


def taken(book: Book, *totals: FilledTotal) -> list[str]:
    """Book what these say; the ids of the fills."""
    found = list(fills_of(book, totals))
    for fill in found:
        told(book, *book_fill(book, ADOPT, fill))
    return [fill.execution_id for fill in found]


def test_a_total_is_one_fill_over_what_is_not_booked_yet() -> None:
    book = folded()

    assert taken(book, total(3, 10)) == [f"{ORDER}/0-3"]
    (second,) = fills_of(book, [total(5, "10.4")])

    assert (second.execution_id, second.quantity, second.price) == (f"{ORDER}/3-5", D(2), D(11))


def test_the_same_total_and_an_older_one_say_nothing() -> None:
    book = folded()
    taken(book, total(5, 10))

    assert taken(book, total("5.0", 10)) == []
    assert taken(book, total(3, 9)) == []


def test_orders_are_counted_apart() -> None:
    book = folded()

    assert taken(book, total(3, 10), total(3, 10, "7")) == [f"{ORDER}/0-3", "7/0-3"]


def seen(parts: Sequence[tuple[int, Decimal]]) -> list[FilledTotal]:
    """The totals after each of these executions."""
    quantities = accumulate(D(n) for n, _ in parts)
    values = accumulate(n * price for n, price in parts)
    return [total(quantity, value / quantity) for quantity, value in zip(quantities, values, strict=True)]


@given(steps, st.data())
def test_whichever_totals_are_seen_all_of_it_is_booked_once_at_its_value(
    parts: list[tuple[int, Decimal]], data: st.DataObject
) -> None:
    every = seen(parts)
    book = folded()

    for each in [*data.draw(st.lists(st.sampled_from(every))), every[-1]]:
        taken(book, each)

    (held,) = book.positions_at(SPY)
    assert held.held == every[-1].quantity
    assert abs(held.entry_value - every[-1].quantity * every[-1].average_price) < D("0.00001")
