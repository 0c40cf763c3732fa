"""What tests of writes send, whatever the broker: orders in shorthand, and the question whether one exists there."""

from decimal import Decimal
from typing import Protocol

from standfast.exchange.dialects.venue import Venue
from standfast.model.effects import Turn, Urgency
from standfast.model.ids import ClientOrderId, Holding, InstrumentId
from standfast.model.order import OrderReport, OrderType, Side, Terms, TimeInForce
from standfast.ports import Broker

ID = ClientOrderId("sfabcd-o1")
SPY = Holding(InstrumentId("SPY"))


class Desk(Protocol):
    """An adapter and the exchange behind it."""

    @property
    def broker(self) -> Broker: ...

    @property
    def venue(self) -> Venue: ...


def terms(side: Side = Side.BUY, quantity: str = "1", **changes: object) -> Terms:
    given: dict[str, object] = {
        "side": side,
        "quantity": Decimal(quantity),
        "type": OrderType.MARKET,
        "time_in_force": TimeInForce.DAY,
        "reduces": side is Side.SELL,
    }
    return Terms(**(given | changes))  # type: ignore[arg-type]  # a test's shorthand


async def submit(
    at: Desk, wanted: Terms | None = None, client_id: ClientOrderId = ID, holding: Holding = SPY
) -> OrderReport:
    return await at.broker.submit(client_id, holding, wanted or terms(), Turn(Urgency.OPEN))


async def exists(at: Desk) -> bool:
    """Whether the order `ID` reached the exchange, whatever its sender was told."""
    at.venue.faults.clear()
    return await at.broker.order(client_id=ID) is not None
