"""How the exchange looked a moment ago: the stale copies that a fault may serve.

A layer over the engine, which only knows the present. It notes what each event replaced; a past state is the present
with the changes since then taken back, newest first. Kept are the last `CHANGES_MAX` changes: older states are not to
be had, and asking for one gives the oldest there is.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from standfast.exchange.accounts import PositionView
from standfast.exchange.activities import Activity
from standfast.exchange.assets import Quote
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.orders import Order
from standfast.exchange.queries import ActivityQuery, Direction, Listing, OrderQuery
from standfast.exchange.refusal import Refused

CHANGES_MAX = 100_000
QUOTES_MAX = 512  # of one instrument


@dataclass(frozen=True, slots=True)
class _Change:
    """What an event replaced. `order` and `position` are the states before it, None for nothing."""

    at: datetime
    account: str
    order_id: str
    order: Order | None
    instrument: str
    position: PositionView | None


class Past:
    """Reads as of an earlier instant. `at` is aware UTC."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changes: deque[_Change] = deque(maxlen=CHANGES_MAX)
        self._orders: dict[str, Order] = {}
        self._positions: dict[tuple[str, str], PositionView | None] = {}
        self._quotes: dict[str, deque[Quote]] = {}
        engine.listeners.append(self._note)
        engine.movers.append(self._note_move)

    def saw(self, quote: Quote) -> None:
        self._quotes.setdefault(quote.instrument, deque(maxlen=QUOTES_MAX)).append(quote)

    def quote(self, instrument: str, at: datetime) -> Quote | None:
        kept = self._quotes.get(instrument, ())
        return next((quote for quote in reversed(kept) if quote.at <= at), None)

    def positions(self, account: str, at: datetime) -> list[PositionView]:
        rows: dict[str, PositionView | None] = {row.instrument: row for row in self._engine.positions(account)}
        rows.update((change.instrument, change.position) for change in self._since(account, at))
        return [row for _, row in sorted(rows.items()) if row is not None]

    def position(self, account: str, instrument: str, at: datetime) -> PositionView | None:
        return next((row for row in self.positions(account, at) if row.instrument == instrument), None)

    def order(self, order: Order, at: datetime) -> Order | None:
        """The order as it was then; None when it was not yet there."""
        found: Order | None = order
        for change in self._since(order.account, at):
            if change.order_id == order.id:
                found = change.order
        return found

    def orders(self, account: str, query: OrderQuery, at: datetime) -> list[Order]:
        rows: dict[str, Order | None] = {row.id: row for row in self._engine.orders(account, query)}
        rows.update((change.order_id, change.order) for change in self._since(account, at) if change.order_id)
        found = [row for row in rows.values() if row is not None and _listed(row, query)]
        if query.nested:
            listed = {row.id for row in found}
            found = [row for row in found if row.parent_id not in listed]
        found.sort(key=lambda row: row.number, reverse=query.direction is Direction.DESC)
        return found[: query.limit]

    def activities(self, account: str, query: ActivityQuery, at: datetime) -> list[Activity]:
        return [row for row in self._engine.activities(account, query) if row.listed_at <= at]

    def _since(self, account: str, at: datetime) -> Iterator[_Change]:
        for change in reversed(self._changes):
            if change.at <= at:
                return
            if change.account == account:
                yield change

    def _note(self, event: Event) -> None:
        order = event.order
        before = self._orders.get(order.id)
        self._orders[order.id] = order
        self._remember(event.at, event.account, order.instrument, order.id, before)

    def _note_move(self, account: str, instrument: str) -> None:
        self._remember(self._engine.now, account, instrument, "", None)

    def _remember(self, at: datetime, account: str, instrument: str, order_id: str, order: Order | None) -> None:
        held = (account, instrument)
        self._changes.append(_Change(at, account, order_id, order, instrument, self._positions.get(held)))
        self._positions[held] = self._present(account, instrument)

    def _present(self, account: str, instrument: str) -> PositionView | None:
        try:
            return self._engine.position(account, instrument)
        except Refused:
            return None


def _listed(order: Order, query: OrderQuery) -> bool:
    wanted = {
        Listing.OPEN: not order.is_finished,
        Listing.CLOSED: order.is_finished,
        Listing.ALL: True,
    }[query.status]
    return (
        wanted
        and (not query.instruments or order.instrument in query.instruments)
        and (query.side is None or order.side is query.side)
        and (query.after is None or order.submitted_at > query.after)
        and (query.until is None or order.submitted_at < query.until)
    )
