"""Binance USD-M as a test tells it: answers by method and path."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import UNLIMITED
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from tests.brokers.clocks import ManualClock

ABSENT = Response(400, {}, b'{"code": -2013, "msg": "Order does not exist."}')
UNSIGNED = frozenset({"timestamp", "recvWindow", "signature"})
Answer = bytes | Response | Exception
Told = Callable[[Mapping[str, str]], Answer]
CONTRACT: dict[str, Any] = {
    "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC",
    "quoteAsset": "USDT", "marginAsset": "USDT", "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
    "pricePrecision": 2, "quantityPrecision": 3, "baseAssetPrecision": 8, "quotePrecision": 8,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"},
        {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "120"},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
    ],
    "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
}  # fmt: skip


@dataclass(slots=True)
class Script:
    """A transport."""

    clock: ManualClock = field(default_factory=ManualClock)
    answers: dict[str, Told] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tell("GET /fapi/v1/exchangeInfo", {"symbols": [CONTRACT], "timezone": "UTC"})
        self.answers["GET /fapi/v1/time"] = lambda asked: json.dumps({"serverTime": self.now}).encode()
        for path in ("v3/positionRisk", "v1/openOrders", "v1/openAlgoOrders", "v1/income", "v1/userTrades"):
            self.tell(f"GET /fapi/{path}", [])
        self.tell("GET /fapi/v1/allAlgoOrders", [])
        for path in ("order", "algoOrder"):
            self.answers[f"GET /fapi/v1/{path}"] = lambda asked: ABSENT

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def tell(self, what: str, answer: Any) -> None:
        told = answer if isinstance(answer, Response | Exception | bytes) else json.dumps(answer).encode()
        self.answers[what] = lambda asked: told

    def refuses(self, what: str, code: int, status: int = 400) -> None:
        self.tell(what, Response(status, {}, json.dumps({"code": code, "msg": "no"}).encode()))

    async def request(self, exchange: Exchange) -> Response:
        parts = urlsplit(exchange.url)
        query = parse_qsl(parts.query) + parse_qsl((exchange.body or b"").decode())
        params = {name: value for name, value in query if name not in UNSIGNED}
        what = f"{exchange.method} {parts.path}"
        self.asked.append((what, params))
        exchange.left = True
        told = self.answers.get(what)
        answer = told(params) if told is not None else Response(404, {}, b"not found")
        if isinstance(answer, Exception):
            raise answer
        return Response(200, {}, answer) if isinstance(answer, bytes) else answer

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        raise TransportError("ccxt connects by itself")

    async def close(self) -> None:
        return

    def sent(self) -> list[tuple[str, Mapping[str, str]]]:
        return [(what, params) for what, params in self.asked if not what.startswith("GET")]


def broker(script: Script) -> CcxtBroker:
    access = Access(
        id="binanceusdm",
        key_id=Secret("key"),
        secret=Secret("words that open"),
        passphrase=Secret(""),
        live=True,
        rest_url="https://h",
        stream_url="wss://h",
    )
    settings = CcxtSettings(account=AccountId("perp"), access=access, shelf=Shelf(), rate_share=1.0, rates=UNLIMITED)
    return CcxtBroker(settings, clock=script.clock, transport=script)


def position_row(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "0.020", "entryPrice": "40000.5",
        "liquidationPrice": "30000",
    } | changes  # fmt: skip


def order_row(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": 77, "clientOrderId": "sfabcd-c1", "side": "SELL", "status": "NEW",
        "type": "MARKET", "origQty": "0.020", "executedQty": "0", "avgPrice": "0.00", "price": "0", "stopPrice": "0",
        "timeInForce": "GTC", "positionSide": "BOTH", "reduceOnly": True, "closePosition": False,
        "time": 1790000000000, "updateTime": 1790000000001,
    } | changes  # fmt: skip


def algo_row(**changes: Any) -> dict[str, Any]:
    return {
        "algoId": 9, "clientAlgoId": "sfabcd-s1", "algoType": "CONDITIONAL", "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT", "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC", "quantity": "0.020",
        "algoStatus": "NEW", "actualOrderId": "", "triggerPrice": "38000", "price": "0.00", "closePosition": False,
        "reduceOnly": True, "createTime": 1790000000000, "updateTime": 1790000000000,
    } | changes  # fmt: skip


def trade_row(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "id": 5, "orderId": 77, "side": "SELL", "price": "39990.1", "qty": "0.020",
        "commission": "0.31", "commissionAsset": "USDT", "positionSide": "BOTH", "time": 1790000000000,
    } | changes  # fmt: skip
