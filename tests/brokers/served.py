"""An Alpaca account at the simulated exchange, over real sockets in this event loop, and the adapter for it.

The exchange's time stands still unless a test moves it, and its prices are those a test posts.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from standfast.brokers.alpaca.adapter import AlpacaBroker, AlpacaSettings
from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Quote
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import AnyFault, Rule
from standfast.exchange.server import ExchangeServer, Options, build
from standfast.model.ids import AccountId, Holding, InstrumentId
from standfast.model.secret import Secret
from tests.brokers.clocks import VenueClock

KEY, SECRET = "PKTEST0001", "very secret words"
STILL = Options(seed=None, speed=None, accounts=(AccountSpec(name="paper", key_id=KEY, secret=SECRET),))
SPY = Holding(InstrumentId("SPY"))
AAPL = Holding(InstrumentId("AAPL"))


@dataclass(frozen=True, slots=True)
class Desk:
    """The adapter and the exchange behind it."""

    broker: AlpacaBroker
    clock: VenueClock
    venue: Venue
    server: ExchangeServer

    def quote(self, holding: Holding, bid: str, ask: str) -> None:
        size = Decimal(10_000)
        self.venue.quote(Quote(str(holding.instrument), Decimal(bid), Decimal(ask), size, size, self.venue.now))

    def fault(self, operation: str, fault: AnyFault, **when: Any) -> None:
        self.venue.faults.install(Rule(operation=operation, fault=fault, **when))


@asynccontextmanager
async def desk(*, deadlines: Deadlines | None = None, secret: str = SECRET, **changes: Any) -> AsyncIterator[Desk]:
    """A served exchange (options `STILL`, with these changed) and the adapter for its account."""
    options = replace(STILL, **changes)
    venue = build(options)
    server = ExchangeServer(venue, per_minute=options.per_minute, is_binary=options.is_binary)
    async with server:
        clock = VenueClock(venue)
        settings = AlpacaSettings(
            account=AccountId("paper"),
            key_id=Secret(KEY),
            secret=Secret(secret),
            rest_url=server.url,
            stream_url=server.stream_url,
            data_url=server.url,
            data_stream_url=server.stream_url,
            requests_per_minute=options.per_minute or 1_000_000,
            rate_share=1.0,
            deadlines=deadlines or Deadlines(),
        )
        broker = AlpacaBroker(settings, clock=clock, transport=AiohttpTransport())
        found = Desk(broker, clock, venue, server)
        found.quote(SPY, "599.99", "600.01")
        found.quote(AAPL, "249.98", "250.02")
        try:
            yield found
        finally:
            await broker.close()
