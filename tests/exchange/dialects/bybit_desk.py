"""A Bybit account at the served exchange, asked in plain HTTP with its own signature."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects import bybit
from standfast.exchange.dialects.bybit import Limits
from standfast.exchange.dialects.bybit.wire import milliseconds, signed
from standfast.exchange.dialects.perpetual_operator import PerpetualOperator
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.perpetual.contract import perpetual
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.serving import HallServer
from tests.exchange.dialects.perpetual_desk import PerpetualDesk
from tests.exchange.perpetual.desk import START

KEY, SECRET = "a key", "a secret"
BTC, ADA = "BTCUSDT", "ADAUSDT"


class BybitDesk(PerpetualDesk):
    async def ask(self, method: str, path: str, given: Mapping[str, object] | None = None, **headers: str) -> Any:
        """`path` below /v5. The whole envelope."""
        query = urlencode({name: str(value) for name, value in (given or {}).items()}) if method == "GET" else ""
        body = "" if method == "GET" else msgspec.json.encode(dict(given or {})).decode()
        stamp = str(milliseconds(self.venue.now) + int(self.clock_off_by * 1000))
        signature = signed(SECRET, f"{stamp}{KEY}5000{query or body}")
        sent = {
            "X-BAPI-API-KEY": KEY,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": signature,
            "Content-Type": "application/json",
        }
        url = f"{self.server.url}/v5/{path}" + (f"?{query}" if query else "")
        async with self.session.request(method, url, data=body or None, headers=sent | headers) as reply:
            return msgspec.json.decode(await reply.read())

    async def get(self, path: str, **query: object) -> Any:
        """The result of a read of linear contracts that must succeed."""
        reply = await self.ask("GET", path, {"category": "linear", **query})
        assert reply["retCode"] == 0, reply
        return reply["result"]

    async def post(self, path: str, **body: object) -> Any:
        reply = await self.ask("POST", path, {"category": "linear", "symbol": BTC, **body})
        assert reply["retCode"] == 0, reply
        return reply["result"]

    async def refused(self, path: str, **body: object) -> int:
        """The code with which a write is refused."""
        reply = await self.ask("POST", path, {"category": "linear", "symbol": BTC, **body})
        assert reply["retCode"] != 0, reply
        return int(reply["retCode"])

    async def place(self, side: str, qty: str, **more: object) -> str:
        """Place a market order, or what `more` makes of it; its id."""
        result = await self.post("order/create", **{"side": side, "orderType": "Market", "qty": qty, **more})
        return str(result["orderId"])

    async def order(self, order_id: str) -> Any:
        (row,) = (await self.get("order/realtime", orderId=order_id))["list"]
        return row

    async def held(self) -> dict[tuple[str, int], str]:
        """Signed by a minus for a short."""
        rows = (await self.get("position/list", settleCoin="USDT"))["list"]
        return {
            (row["symbol"], row["positionIdx"]): ("-" if row["side"] == "Sell" else "") + row["size"] for row in rows
        }


def venue_of(*, cash: str = "100000", **given: Any) -> Perpetuals:
    spec = AccountSpec(name="main", key_id=KEY, secret=SECRET, cash=Decimal(cash))
    engine = PerpetualEngine([perpetual(BTC), perpetual(ADA)], [spec], start=START)
    return Perpetuals(engine, **given)


@asynccontextmanager
async def bybit_desk(
    *, cash: str = "100000", limits: Limits | None = None, checks_clock: bool = False
) -> AsyncIterator[BybitDesk]:
    """BTCUSDT at 50,000 and ADAUSDT at 0.3; time stands still."""
    venue = venue_of(cash=cash)
    routes = [
        *PerpetualOperator(venue).routes(),
        *bybit.routes(venue, limits=limits, checks_clock=checks_clock),
    ]
    async with HallServer(venue, routes) as server, aiohttp.ClientSession() as session:
        desk = BybitDesk(venue, server, session)
        desk.quote("50000")
        desk.quote("0.3", instrument=ADA, spread="0.0001")
        yield desk
        await asyncio.sleep(0)
