"""A second source beside the list of positions: what today's orders add up to.

Theory. Tradier has no other word on a position than its list, and a list may be minutes old. But between two moments at
which a fresh list shows the same quantity, the orders placed in between add up to nothing. Where they do not, the list
shows what it showed before they filled.

Invariants
- What was never shown before today is no old list's.
- An order counts once it has long been over enough to show in any list that keeps its word.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from standfast.brokers.tradier.orders import NEW_YORK
from standfast.model.evidence import HeldReport
from standfast.model.ids import Holding
from standfast.model.order import ZERO, OrderReport

CLOCKS_APART = timedelta(seconds=2)
"""How far the broker's clock and ours may differ."""


class SeenBefore:
    """When each quantity of a holding was first shown today."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._first: dict[Holding, dict[Decimal, datetime]] = {}
        self._began: datetime | None = None
        """The first read of the day: what is listed nowhere was flat then."""

    def note(self, held: Mapping[Holding, HeldReport], changed: Iterable[Holding], began: datetime) -> None:
        """A list was read; these differ from the one before."""
        day = began.astimezone(NEW_YORK).date()
        if day != self._day:
            self._day, self._began, self._first = day, began, {}
            changed = held.keys()
        for holding in changed:
            row = held.get(holding)
            self._first.setdefault(holding, {}).setdefault(ZERO if row is None else row.quantity, began)

    def first(self, holding: Holding, quantity: Decimal) -> datetime | None:
        """None: it was not."""
        shown = self._first.get(holding)
        if shown is None:
            return self._began if not quantity else None
        if not quantity and min(shown.values()) != self._began:
            return self._began
        return shown.get(quantity)


def traded(orders: Iterable[OrderReport], holding: Holding, *, since: datetime, until: datetime) -> Decimal:
    """What orders placed since then have bought of it, signed, as far as that must show in any list by now."""
    found = ZERO
    for leg in (leg for order in orders for leg in (order, *order.legs)):
        placed, changed = leg.placed_at, leg.updated_at
        if leg.holding != holding or placed is None or changed is None:
            continue
        if placed > since + CLOCKS_APART and changed < until:
            found += leg.filled * leg.side.sign
    return found
