"""An exchange as a test tells it: answers by path, for what the simulated exchange never says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import Rates
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.model.ids import AccountId, Holding, InstrumentId
from standfast.model.secret import Secret
from tests.brokers.clocks import ManualClock

NAME = InstrumentId("BTC/USDT:USDT")
BTC, LONG, SHORT = Holding(NAME), Holding(NAME, "long"), Holding(NAME, "short")
Answer = bytes | Response | Exception
Told = Callable[[Mapping[str, str]], Answer]
INSTRUMENT: dict[str, Any] = {
    "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
    "quoteCoin": "USDT", "settleCoin": "USDT", "priceScale": "2", "deliveryTime": "0", "launchTime": "1585526400000",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {"maxOrderQty": "1190", "minOrderQty": "0.001", "qtyStep": "0.001", "minNotionalValue": "5"},
}  # fmt: skip


@dataclass(slots=True)
class Script:
    """A transport. `answers`: by path."""

    clock: ManualClock = field(default_factory=ManualClock)
    answers: dict[str, Told] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lists("/v5/market/instruments-info", INSTRUMENT)
        self.answers["/v5/market/time"] = lambda asked: self.time()
        for path in ("/v5/position/list", "/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
            self.lists(path)

    def tell(self, path: str, answer: Answer) -> None:
        self.answers[path] = lambda asked: answer

    def lists(self, path: str, *rows: Mapping[str, Any]) -> None:
        self.tell(path, listed(*rows))

    def refuses(self, path: str, code: int, text: str = "no") -> None:
        self.tell(path, enveloped({}, code=code, text=text))

    def time(self) -> bytes:
        nanos = int(self.clock.now().timestamp() * 1000) * 1_000_000
        return enveloped({"timeSecond": str(nanos // 10**9), "timeNano": str(nanos)})

    async def request(self, exchange: Exchange) -> Response:
        parts = urlsplit(exchange.url)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append((parts.path, params))
        self.headers.append(exchange.headers)
        if exchange.body is not None:
            self.sent.append((parts.path, json.loads(exchange.body)))
        exchange.left = True
        told = self.answers.get(parts.path)
        answer = told(params) if told is not None else Response(404, {}, b"not found")
        if isinstance(answer, Exception):
            raise answer
        return Response(200, {}, answer) if isinstance(answer, bytes) else answer

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        raise TransportError("ccxt connects by itself")

    async def close(self) -> None:
        return

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def enveloped(result: Any, *, code: int = 0, text: str = "OK", time: int = 1_790_000_000_000) -> bytes:
    return json.dumps({"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": time}).encode()


def listed(*rows: Mapping[str, Any], cursor: str = "") -> bytes:
    return enveloped({"category": "linear", "list": rows, "nextPageCursor": cursor})


def broker(script: Script, *, rates: Rates | None = None, shelf: Shelf | None = None) -> CcxtBroker:
    access = Access(
        id="bybit",
        key_id=Secret("key"),
        secret=Secret("words that open"),
        passphrase=Secret(""),
        live=True,
        rest_url="https://h",
        stream_url="wss://h",
    )
    settings = CcxtSettings(
        account=AccountId("perp"),
        access=access,
        shelf=shelf or Shelf(),
        rate_share=1.0,
        rates=rates or Rates(reads=100_000, orders=100_000, window=60.0),
    )
    return CcxtBroker(settings, clock=script.clock, transport=script)


def position_row(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "side": "Buy", "size": "0.020", "positionIdx": 0, "avgPrice": "40000.5", "liqPrice": "",
        "positionStatus": "Normal",
    } | changes  # fmt: skip


def order_row(**changes: Any) -> dict[str, Any]:
    return {
        "orderId": "o-1", "orderLinkId": "sfabcd-o1", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Market",
        "price": "", "qty": "0.020", "cumExecQty": "0", "avgPrice": "", "orderStatus": "Untriggered",
        "stopOrderType": "Stop", "triggerPrice": "38000", "triggerDirection": 2, "reduceOnly": True,
        "closeOnTrigger": False, "positionIdx": 0, "createType": "CreateByUser", "timeInForce": "GTC",
        "createdTime": "1790000000000", "updatedTime": "1790000000001",
    } | changes  # fmt: skip


def execution_row(**changes: Any) -> dict[str, Any]:
    return {
        "execId": "e-1", "orderId": "o-1", "symbol": "BTCUSDT", "side": "Buy", "execPrice": "40000.5",
        "execQty": "0.020", "execFee": "0.48", "execTime": "1790000000000", "execType": "Trade", "closedSize": "0",
    } | changes  # fmt: skip
