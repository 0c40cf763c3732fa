"""Which orders of a book may still do something: most that it keeps are over, and every look goes through them.

Found when first asked for, and forgotten when an order there changes; so the answer is what going through all of them
would find, in the same order.
"""

from collections.abc import Mapping

from standfast.model.booked import BookedOrder
from standfast.model.ids import ClientOrderId, Holding, PositionId

Orders = Mapping[ClientOrderId, BookedOrder]
Found = tuple[BookedOrder, ...]


class Alive:
    """Orders that are not finished, or have filled more than is booked."""

    def __init__(
        self,
        orders: Orders,
        of: Mapping[PositionId, Mapping[ClientOrderId, None]],
        at: Mapping[Holding, Mapping[ClientOrderId, None]],
    ) -> None:
        self._orders, self._all_of, self._all_at = orders, of, at
        self._of: dict[PositionId, Found] = {}
        self._at: dict[Holding, Found] = {}

    def of(self, position: PositionId) -> Found:
        """Those tied to this position."""
        found = self._of.get(position)
        if found is None:
            found = self._of[position] = self._still(self._all_of.get(position, {}))
        return found

    def at(self, holding: Holding) -> Found:
        found = self._at.get(holding)
        if found is None:
            found = self._at[holding] = self._still(self._all_at.get(holding, {}))
        return found

    def _still(self, ids: Mapping[ClientOrderId, None]) -> Found:
        orders = (self._orders[id] for id in ids)
        return tuple(order for order in orders if not order.is_finished or order.excess)

    def forget(self, order: BookedOrder | None) -> None:
        """It has changed, come or gone."""
        if order is not None:
            self._at.pop(order.holding, None)
            if order.position is not None:
                self._of.pop(order.position, None)
