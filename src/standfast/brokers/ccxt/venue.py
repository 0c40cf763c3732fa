"""What an exchange's own dialect owes the adapter: reads that are whole, writes with three outcomes.

Every method raises the port's errors and no others. Holdings are per side where the account is hedged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from standfast.brokers.ccxt.markets import Markets
from standfast.model.contract import Contract
from standfast.model.effects import Turn
from standfast.model.evidence import AccountRead, ActivitiesRead, Guarded, HeldReport, Rights
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import OrderReport, Terms
from standfast.model.quote import Quote

UNTAGGED = "untagged-"
"""Before the broker's id, of an order without a client id: an empty one would be the beginning of every other."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An order that the stream named."""

    holding: Holding
    broker_id: BrokerOrderId
    client_id: ClientOrderId
    event: str


class Venue(Protocol):
    @property
    def contract(self) -> Contract: ...

    async def markets(self) -> Markets:
        """What can be traded here."""
        ...

    async def instrument(self, name: InstrumentId) -> Instrument: ...

    def known_instrument(self, name: InstrumentId) -> Instrument | None:
        """Without asking anybody."""
        ...

    async def positions(self, urgency: int) -> Sequence[HeldReport]: ...

    async def position(self, holding: Holding) -> Decimal: ...

    async def working(self, urgency: int) -> Sequence[OrderReport]: ...

    async def order(self, *, broker_id: str = "", client_id: str = "") -> OrderReport | None: ...

    async def activities(self, watermark: str, urgency: int) -> ActivitiesRead: ...

    async def account(self) -> AccountRead: ...

    async def rights(self) -> Rights: ...

    async def now(self) -> datetime:
        """The exchange's own time."""
        ...

    async def quotes(self, names: Sequence[InstrumentId]) -> Mapping[InstrumentId, Quote]: ...

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport: ...

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None: ...

    async def guarded(self) -> Sequence[Guarded]:
        """What can and what cannot be guarded here, by what the exchange has and a look at it."""
        ...

    def heard(self, message: Mapping[str, Any]) -> Sequence[Happened]:
        """The orders that a message of the stream names, as it came."""
        ...

    def streamed(self, orders: Any) -> Sequence[Happened]:
        """The same of what ccxt has made of messages that were not understood as they came."""
        ...
