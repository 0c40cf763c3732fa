"""A Tradier account at the simulated exchange, over real sockets in this event loop, and the adapter for it.

The exchange's time stands still unless a test moves it, and its prices are those a test posts.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from standfast.brokers.shared.transport import AiohttpTransport
from standfast.brokers.tradier.adapter import TradierBroker, TradierSettings
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Quote
from standfast.exchange.dialects import tradier
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import AnyFault, Rule
from standfast.exchange.server import ExchangeServer, Options, build, dialect_of
from standfast.model.ids import AccountId, Holding, InstrumentId
from standfast.model.secret import Secret
from tests.brokers.clocks import VenueClock

NUMBER, TOKEN = "VA00000001", "very secret token"
SPY = Holding(InstrumentId("SPY"))
AAPL = Holding(InstrumentId("AAPL"))
PUT, LOWER = (Holding(InstrumentId(f"SPXW260105P0{strike}000")) for strike in (6885, 6880))
INDEX = Holding(InstrumentId("SPX"))
PRICES = {SPY: ("599.99", "600.01"), AAPL: ("249.98", "250.02"), PUT: ("4.90", "5.00"), LOWER: ("3.40", "3.50")}
STILL = Options(
    seed=None,
    speed=None,
    dialect="tradier",
    per_minute=None,
    instruments={str(holding.instrument): Decimal(bid) for holding, (bid, _) in PRICES.items()},
    accounts=(AccountSpec(name="paper", key_id=NUMBER, secret=TOKEN, multiplier=2),),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The adapter and the exchange behind it."""

    broker: TradierBroker
    clock: VenueClock
    venue: Venue
    server: ExchangeServer

    def quote(self, holding: Holding, bid: str, ask: str) -> None:
        size = Decimal(10_000)
        self.venue.quote(Quote(str(holding.instrument), Decimal(bid), Decimal(ask), size, size, self.venue.now))

    def fault(self, operation: str, fault: AnyFault, **when: Any) -> None:
        self.venue.faults.install(Rule(operation=operation, fault=fault, **when))

    def asked(self, operation: str) -> int:
        return [each.operation for each in self.venue.log].count(operation)

    def another(self) -> TradierBroker:
        """The adapter of another life of the guard: it remembers nothing."""
        return _broker(self.server, self.clock, TOKEN, NUMBER)


@asynccontextmanager
async def desk(*, token: str = TOKEN, number: str = NUMBER, lags: bool = False, **changes: Any) -> AsyncIterator[Desk]:
    """A served exchange (options `STILL`, with these changed) and the adapter for its account.

    `lags`: positions trail the orders, and time has to be moved for them to come.
    """
    options = replace(STILL, **changes)
    venue = build(options)
    speaks = dialect_of(options) if lags else partial(tradier.routes, limits=None)
    async with ExchangeServer(venue, dialect=speaks) as server:
        clock = VenueClock(venue)
        broker = _broker(server, clock, token, number)
        found = Desk(broker, clock, venue, server)
        found.quote(INDEX, "6899.50", "6900.50")
        for holding, (bid, ask) in PRICES.items():
            found.quote(holding, bid, ask)
        try:
            yield found
        finally:
            await broker.close()


def _broker(server: ExchangeServer, clock: VenueClock, token: str, number: str) -> TradierBroker:
    settings = TradierSettings(
        account=AccountId("paper"),
        account_id=number,
        secret=Secret(token),
        rest_url=server.url,
        stream_url=server.stream_url,
        data_url=server.url,
        data_stream_url=server.stream_url,
        requests_per_minute=1_000_000,
        orders_per_minute=1_000_000,
        rate_share=1.0,
    )
    return TradierBroker(settings, clock=clock, transport=AiohttpTransport())
