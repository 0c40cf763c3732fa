"""What says that a holding was split before both rows of the split are in the books."""

from decimal import Decimal

from standfast.core.situation import Situation
from standfast.model.booked import BookedOrder
from standfast.model.ids import Holding

RATIOS = (Decimal("1.5"), *map(Decimal, (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)))
TOLERANCE = Decimal("0.03")
LEAST = RATIOS[0] * (1 - TOLERANCE)
SAME_MONEY = Decimal("0.002")
"""By how much what was paid may differ: brokers round the average price."""


def is_like_a_split(ratio: Decimal) -> bool:
    """Whether a ratio of prices or quantities is near that of a split, either way."""
    if ratio <= 0:
        return False
    stretched = ratio if ratio > 1 else 1 / ratio
    if stretched < LEAST:  # nearly always, and for every holding on every look
        return False
    return any(abs(stretched / each - 1) <= TOLERANCE for each in RATIOS)


def is_split(s: Situation, holding: Holding) -> bool:
    """Whether a holding was split and the books do not have it yet: a row says so, or the list does.

    Another quantity for the same money is a split: whoever buys or sells pays or is paid. A stop of before is then at a
    price of before, and would sell at the open; and the further shares are nobody else's.
    """
    if s.book.state.split_rows.get(holding):  # that it was split is sure, by how much is not
        return True
    row, cost = s.reported(holding), s.book.state.costs.get(holding)
    if row is None or cost is None or not cost.quantity or row.quantity == cost.quantity:  # nearly always
        return False
    booked = s.book.net(holding)
    if not booked.is_exact or booked.low != cost.quantity or not s.is_comparable(holding):
        return False
    if not is_like_a_split(row.quantity / booked.low):
        return False
    return abs(row.quantity * row.average_price - cost.value) <= abs(cost.value) * SAME_MONEY


def is_restated(order: BookedOrder) -> bool:
    """Whether the broker has changed its quantity by the ratio of a split: then it is one of after it.

    Nobody else can: an order somebody replaces is another order.
    """
    if order.terms is None or order.quantity == order.terms.quantity:
        return False
    return is_like_a_split(order.quantity / order.terms.quantity)
