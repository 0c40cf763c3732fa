"""A Binance USD-M account at the served exchange, asked in plain HTTP with its own signature."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects import binance
from standfast.exchange.dialects.binance import Limits
from standfast.exchange.dialects.binance.wire import milliseconds, signed
from standfast.exchange.dialects.perpetual_operator import PerpetualOperator
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.perpetual.contract import perpetual
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.serving import HallServer
from tests.exchange.dialects.perpetual_desk import PerpetualDesk
from tests.exchange.perpetual.desk import START

KEY, SECRET = "a key", "a secret"
BTC, ADA = "BTCUSDT", "ADAUSDT"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    json: Any
    headers: dict[str, str]


class BinanceDesk(PerpetualDesk):
    async def ask(self, method: str, path: str, given: Mapping[str, object] | None = None, **headers: str) -> Answer:
        """`path` below /fapi, as `v1/order`. Writes go in the body, all else in the query."""
        sent = {name: _text(value) for name, value in (given or {}).items()}
        stamp = milliseconds(self.venue.now) + int(self.clock_off_by * 1000)
        payload = urlencode({"timestamp": stamp, **sent, "recvWindow": 5000})
        signature = signed(SECRET, payload)
        payload = f"{payload}&signature={headers.pop('signature', signature)}"
        url, body = f"{self.server.url}/fapi/{path}", None
        if method in ("POST", "PUT"):
            body = payload
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        else:
            url = f"{url}?{payload}"
        async with self.session.request(method, url, data=body, headers={"X-MBX-APIKEY": KEY} | headers) as reply:
            return Answer(reply.status, msgspec.json.decode(await reply.read()), dict(reply.headers))

    async def get(self, path: str, **query: object) -> Any:
        return await self._done("GET", path, query)

    async def post(self, path: str, **body: object) -> Any:
        return await self._done("POST", path, {"symbol": BTC, **body})

    async def delete(self, path: str, **query: object) -> Any:
        return await self._done("DELETE", path, {"symbol": BTC, **query})

    async def _done(self, method: str, path: str, given: Mapping[str, object]) -> Any:
        answer = await self.ask(method, path, given)
        assert answer.status == 200, answer
        return answer.json

    async def refused(self, path: str, verb: str = "POST", /, **given: Any) -> int:
        answer = await self.ask(verb, path, {"symbol": BTC, **given})
        assert answer.status == 400, answer
        return int(answer.json["code"])

    async def place(self, side: str, quantity: str, **more: object) -> Any:
        """A market order, or what `more` makes of it; the reply."""
        form = {"side": side, "type": "MARKET", "quantity": quantity, "newOrderRespType": "RESULT", **more}
        return await self.post("v1/order", **form)

    async def stop(self, side: str, trigger: str, **more: object) -> Any:
        """A conditional order, STOP_MARKET unless told otherwise; the reply."""
        form = {"algoType": "CONDITIONAL", "side": side, "type": "STOP_MARKET", "triggerPrice": trigger, **more}
        return await self.post("v1/algoOrder", **form)

    async def held(self) -> dict[tuple[str, str], str]:
        rows = await self.get("v3/positionRisk")
        return {(row["symbol"], row["positionSide"]): row["positionAmt"] for row in rows if Decimal(row["positionAmt"])}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@asynccontextmanager
async def binance_desk(
    *, cash: str = "100000", limits: Limits | None = None, checks_clock: bool = False
) -> AsyncIterator[BinanceDesk]:
    """BTCUSDT at 50,000 and ADAUSDT at 0.3; time stands still."""
    spec = AccountSpec(name="main", key_id=KEY, secret=SECRET, cash=Decimal(cash))
    engine = PerpetualEngine([perpetual(BTC), perpetual(ADA)], [spec], start=START, rules=binance.RULES)
    venue = Perpetuals(engine)
    routes = [*PerpetualOperator(venue).routes(), *binance.routes(venue, limits=limits, checks_clock=checks_clock)]
    async with HallServer(venue, routes) as server, aiohttp.ClientSession() as session:
        desk = BinanceDesk(venue, server, session)
        desk.quote("50000")
        desk.quote("0.3", instrument=ADA, spread="0.0001")
        yield desk
