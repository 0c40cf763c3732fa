"""Accounts at the two simulated exchanges of perpetual futures, and the adapter that speaks with them by ccxt alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import UNIFIED, UNLIMITED
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from tests.brokers.clocks import VenueClock
from tests.exchange.dialects import binance_desk, bybit_desk

At = bybit_desk.BybitDesk | binance_desk.BinanceDesk
DESKS: dict[str, Any] = {
    "bybit": bybit_desk.bybit_desk,
    "bybitid": bybit_desk.bybit_desk,
    "binanceusdm": binance_desk.binance_desk,
}
KEYS: dict[str, Any] = {"bybit": bybit_desk, "bybitid": bybit_desk, "binanceusdm": binance_desk}


@dataclass(slots=True)
class Desk:
    broker: CcxtBroker
    clock: VenueClock
    at: At


@asynccontextmanager
async def desk(id: str) -> AsyncIterator[Desk]:
    async with DESKS[id]() as at:
        clock = VenueClock(at.venue)
        broker = _broker(id, at, clock)
        try:
            yield Desk(broker, clock, at)
        finally:
            await broker.close()


def _broker(id: str, at: At, clock: VenueClock) -> CcxtBroker:
    access = Access(
        id=id,
        key_id=Secret(KEYS[id].KEY),
        secret=Secret(KEYS[id].SECRET),
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
        dialect=UNIFIED,
    )
    return CcxtBroker(settings, clock=clock, transport=AiohttpTransport())
