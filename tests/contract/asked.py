"""The served exchange asked in plain HTTP, from the loop it runs in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.server import ExchangeServer, build
from tests.contract.served import KEY, SECRET, STILL

HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Asker:
    """One client, and the venue behind the wire."""

    def __init__(self, venue: Venue, server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.server = server
        self.session = session

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        data = None if body is None else msgspec.json.encode(body)
        async with self.session.request(method, self.server.url + path, data=data) as reply:
            return Answer(reply.status, await reply.read(), dict(reply.headers))

    async def get(self, path: str) -> Any:
        """A read that must succeed."""
        answer = await self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json

    async def submit(self, **order: object) -> Any:
        """A new order that must be taken. Without more, ten SPY are bought at the market."""
        answer = await self.ask("POST", "/v2/orders", BUY | order)
        assert answer.status == 200, answer
        return answer.json

    def quote(self, instrument: str, bid: str, ask: str) -> None:
        size = Decimal(1000)
        self.venue.quote(Quote(instrument, Decimal(bid), Decimal(ask), size, size, self.venue.now))


BUY = {"symbol": "SPY", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
STOP = {"symbol": "SPY", "qty": "10", "side": "sell", "type": "stop", "time_in_force": "gtc", "stop_price": "590"}


@asynccontextmanager
async def asking(*, per_minute: int | None = None, key: str = KEY) -> AsyncIterator[Asker]:
    """SPY is quoted 599.99 to 600.01, AAPL 249.98 to 250.02, KO 86.87 to 86.89, and time stands still."""
    venue = build(STILL)
    session = aiohttp.ClientSession(headers=HEADERS | {"APCA-API-KEY-ID": key})
    async with ExchangeServer(venue, per_minute=per_minute) as server, session:
        asker = Asker(venue, server, session)
        asker.quote("SPY", "599.99", "600.01")
        asker.quote("AAPL", "249.98", "250.02")
        asker.quote("KO", "86.87", "86.89")
        yield asker
