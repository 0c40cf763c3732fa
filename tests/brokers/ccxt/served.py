"""A Bybit account at the simulated exchange, over real sockets in this event loop, and the adapter for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import UNLIMITED
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.model.ids import AccountId, Holding, InstrumentId
from standfast.model.secret import Secret
from tests.brokers.clocks import VenueClock
from tests.exchange.dialects.bybit_desk import KEY, SECRET, BybitDesk, bybit_desk

NAME = InstrumentId("BTC/USDT:USDT")
BTC, LONG, SHORT = Holding(NAME), Holding(NAME, "long"), Holding(NAME, "short")
QUANTITY = Decimal("0.02")


@dataclass(slots=True)
class Desk:
    """The adapter and the exchange behind it."""

    broker: CcxtBroker
    clock: VenueClock
    at: BybitDesk
    others: list[CcxtBroker] = field(default_factory=list)

    def another(self) -> CcxtBroker:
        """The adapter of another life of the guard: it remembers nothing."""
        made = _broker(self.at, self.clock, SECRET)
        self.others.append(made)
        return made

    def asked(self, operation: str) -> int:
        return [each.operation for each in self.at.venue.log].count(operation)

    async def hedged(self) -> None:
        await self.at.post("position/switch-mode", mode=3)


@asynccontextmanager
async def desk(*, secret: str = SECRET, **given: Any) -> AsyncIterator[Desk]:
    async with bybit_desk(**given) as at:
        clock = VenueClock(at.venue)
        found = Desk(_broker(at, clock, secret), clock, at)
        try:
            yield found
        finally:
            for each in (found.broker, *found.others):
                await each.close()


def _broker(at: BybitDesk, clock: VenueClock, secret: str) -> CcxtBroker:
    access = Access(
        id="bybit",
        key_id=Secret(KEY),
        secret=Secret(secret),
        passphrase=Secret(""),
        live=False,
        rest_url=at.server.url,
        stream_url=at.server.stream_url,
    )
    settings = CcxtSettings(
        account=AccountId("perp"),
        access=access,
        shelf=Shelf(),
        rate_share=1.0,
        rates=UNLIMITED,
    )
    return CcxtBroker(settings, clock=clock, transport=AiohttpTransport())
