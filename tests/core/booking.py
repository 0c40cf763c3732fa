"""Fills booked into a book, one by one."""

from collections.abc import Sequence
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.policy import Foreign, Rules
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import Fill, Side
from standfast.model.position import Standing
from tests.core.situations import BEGAN, SPY, D, fill, ruled, told

ALERT, ADOPT, IGNORE = (ruled(foreign=foreign) for foreign in (Foreign.ALERT, Foreign.ADOPT, Foreign.IGNORE))
LOT = PositionId("lot")


def booked(book: Book, fills: Sequence[Fill], rules: Rules = ALERT) -> list[j.FillBooked]:
    """Book them one by one; the bookings."""
    made: list[j.FillBooked] = []
    for each in fills:
        facts = list(book_fill(book, rules, each))
        told(book, *facts)
        made += [fact for fact in facts if isinstance(fact, j.FillBooked)]
    return made


def net_of(book: Book) -> Decimal:
    lots = sum((p.net for p in book.positions_at(SPY)), D(0))
    return lots + book.state.acknowledged.get(SPY, D(0))


def foreign_lot(quantity: int = 5) -> list[j.Fact]:
    """A lot somebody else bought, known by its fill."""
    bought = fill("lot-fill", "theirs", Side.BUY, quantity, 100, at=BEGAN)
    lot = j.LotFound(
        position=LOT,
        holding=SPY,
        sign=1,
        standing=Standing.FOREIGN,
        strategy="foreign",
        order=BrokerOrderId("theirs"),
    )
    return [
        lot,
        j.FillBooked(fill=bought, allocations=(j.Allocation(position=LOT, quantity=D(quantity), opens=True),)),
    ]
