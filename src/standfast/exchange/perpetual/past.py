"""How the exchange looked a moment ago: the stale copies that a fault may serve.

A layer over the engine, which only knows the present. It keeps what each event said of an order or a position; kept are
the last states of each, older ones are not to be had.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Event
from standfast.exchange.perpetual.orders import Order
from standfast.exchange.perpetual.positions import Position

STATES_MAX = 200  # of one order or position
ORDERS_MAX = 20_000


class PerpetualPast:
    """Reads as of an earlier instant. `at` is aware UTC."""

    def __init__(self, engine: PerpetualEngine) -> None:
        self._engine = engine
        self._orders: dict[str, deque[tuple[datetime, Order]]] = {}
        self._positions: dict[tuple[str, str, int], deque[tuple[datetime, Position]]] = {}
        engine.listeners.append(self._note)

    def order(self, order: Order, at: datetime) -> Order | None:
        """The order as it was then; None when it was not yet there."""
        if order.created_at > at:
            return None
        states = self._orders.get(order.id, ())
        return next((state for since, state in reversed(states) if since <= at), order)

    def orders(self, orders: Iterable[Order], at: datetime) -> list[Order]:
        found = (self.order(order, at) for order in orders)
        return [order for order in found if order is not None]

    def position(self, position: Position, at: datetime) -> Position:
        """What it was then; flat when nothing had ever been held."""
        key = (position.account, position.instrument, position.index)
        states = self._positions.get(key, ())
        flat = Position(
            account=position.account,
            instrument=position.instrument,
            index=position.index,
            leverage=position.leverage,
        )
        return next((state for since, state in reversed(states) if since <= at), flat)

    def positions(self, account: str, at: datetime) -> list[Position]:
        """Those that were not flat then, by instrument and index."""
        keys = sorted(key for key in self._positions if key[0] == account)
        now = (self._engine.position(*key) for key in keys)
        return [then for position in now if (then := self.position(position, at)).quantity]

    def _note(self, event: Event) -> None:
        if event.order is not None:
            states = self._orders.setdefault(event.order.id, deque(maxlen=STATES_MAX))
            states.append((event.at, event.order))
            if len(self._orders) > ORDERS_MAX:
                del self._orders[next(iter(self._orders))]
        if event.position is not None:
            held = event.position
            key = (held.account, held.instrument, held.index)
            self._positions.setdefault(key, deque(maxlen=STATES_MAX)).append((event.at, held))
