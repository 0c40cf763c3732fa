"""An exchange for perpetual futures as its dialects share it: a hall that may tell positions later than orders."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from standfast.exchange.dialects.gate import CallAt
from standfast.exchange.dialects.hall import Hall
from standfast.exchange.faults import Faults, Stale
from standfast.exchange.market import Prices
from standfast.exchange.perpetual.contract import symbol_of
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.orders import Order
from standfast.exchange.perpetual.past import PerpetualPast
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.post import Post
from standfast.exchange.quotes_file import FileQuote


class Perpetuals(Hall[PerpetualEngine, Event]):
    """See the module and `Hall`. Messages about positions and wallets pass the faults of `position_stream`, those about
    orders and executions the faults of `stream`."""

    def __init__(
        self,
        engine: PerpetualEngine,
        *,
        faults: Faults | None = None,
        prices: Prices | None = None,
        speed: float | None = None,
    ) -> None:
        self.past = PerpetualPast(engine)
        feed = None if prices is None else BySymbol(prices)
        super().__init__(engine, engine.account_names(), faults=faults, prices=feed, speed=speed)
        self._positions_out: Post[Event] = Post(self.faults, "position_stream")

    def _post(self, event: Event) -> Post[Event]:
        of_position = event.kind in (EventKind.POSITION, EventKind.WALLET)
        return self._positions_out if of_position else super()._post(event)


PerpetualCall = CallAt[Perpetuals]


class BySymbol:
    """Prices whose instruments bear the exchange's own names."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """See `Prices`."""
        for quote in self._prices.quotes(start, end):
            yield quote._replace(instrument=symbol_of(quote.instrument))


def seen_positions(call: PerpetualCall) -> list[Position]:
    """What is held as this call may see it: perhaps as it was, perhaps not all of it."""
    venue = call.venue
    if isinstance(call.fault, Stale):
        found = venue.past.positions(call.account, venue.now - timedelta(seconds=call.fault.age))
    else:
        found = venue.engine.positions(call.account)
    return venue.faults.thin(found, call.fault, lambda position: position.instrument)


def seen_sides(call: PerpetualCall, instrument: str) -> list[Position]:
    """Every side of one instrument, flat ones too, as this call may see them."""
    venue = call.venue
    indices = venue.engine.settings(call.account, instrument).indices
    sides = [venue.engine.position(call.account, instrument, index) for index in indices]
    if isinstance(call.fault, Stale):
        then = venue.now - timedelta(seconds=call.fault.age)
        sides = [venue.past.position(side, then) for side in sides]
    return venue.faults.thin(sides, call.fault, lambda position: position.instrument)


def seen_orders(call: PerpetualCall, orders: Sequence[Order]) -> list[Order]:
    """These orders as this call may see them."""
    venue, found = call.venue, list(orders)
    if isinstance(call.fault, Stale):
        found = venue.past.orders(found, venue.now - timedelta(seconds=call.fault.age))
    return venue.faults.thin(found, call.fault, lambda order: order.instrument)
