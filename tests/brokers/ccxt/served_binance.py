"""A Binance USD-M account at the simulated exchange, over real sockets in this event loop, and the adapter for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import UNLIMITED
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from tests.brokers.clocks import VenueClock
from tests.exchange.dialects.binance_desk import KEY, SECRET, BinanceDesk, binance_desk


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[CcxtBroker, VenueClock, BinanceDesk]]:
    async with binance_desk() as at:
        clock = VenueClock(at.venue)
        access = Access(
            id="binanceusdm",
            key_id=Secret(KEY),
            secret=Secret(SECRET),
            passphrase=Secret(""),
            live=False,
            rest_url=at.server.url,
            stream_url=at.server.stream_url,
        )
        settings = CcxtSettings(
            account=AccountId("perp"), access=access, shelf=Shelf(), rate_share=1.0, rates=UNLIMITED
        )
        broker = CcxtBroker(settings, clock=clock, transport=AiohttpTransport())
        try:
            yield broker, clock, at
        finally:
            await broker.close()
