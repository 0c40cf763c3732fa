"""The bot's line in each exchange's dialect: plain signed requests, as a script without a client library makes them."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from standfast.drills.line import Refused
from standfast.drills.perpetual.line import KEY, SECRET, PerpetualLine, Seen, Wanted
from standfast.exchange.dialects.binance.wire import signed as binance_signed
from standfast.exchange.dialects.bybit.wire import milliseconds
from standfast.exchange.dialects.bybit.wire import signed as bybit_signed
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.contract import symbol_of

OPEN = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})
WINDOW = "5000"


class BybitLine(PerpetualLine):
    async def submit(self, wanted: Wanted) -> None:
        body: dict[str, object] = {
            "symbol": symbol_of(wanted.name),
            "side": wanted.side.value.capitalize(),
            "orderType": "Market" if wanted.price is None else "Limit",
            "qty": f"{wanted.quantity:f}",
            "positionIdx": wanted.side_of,
            "reduceOnly": wanted.reduces,
            "orderLinkId": wanted.id,
        }
        if wanted.price is not None:
            body |= {"price": wanted.price, "timeInForce": "GTC"}
        if wanted.trigger is not None:
            body |= {"triggerPrice": wanted.trigger, "triggerDirection": 1 if wanted.rises else 2}
        await self._call("POST", "/v5/order/create", body)

    async def cancel(self, symbol: str, client_id: str) -> None:
        await self._call("POST", "/v5/order/cancel", {"symbol": symbol, "orderLinkId": client_id})

    async def orders(self) -> list[Seen]:
        found = await self._call("GET", "/v5/order/realtime", {"settleCoin": "USDT"})
        return [
            Seen(
                id=row["orderId"],
                client_id=row["orderLinkId"],
                symbol=row["symbol"],
                side=Side(row["side"].lower()),
                quantity=Decimal(row["qty"]),
                filled=Decimal(row["cumExecQty"] or 0),
                is_open=row["orderStatus"] in OPEN,
            )
            for row in found["list"]
        ]

    async def positions(self) -> dict[tuple[str, int], Decimal]:
        found = await self._call("GET", "/v5/position/list", {"settleCoin": "USDT"})
        rows = [(row, Decimal(row["size"] or 0)) for row in found["list"]]
        return {
            (row["symbol"], row["positionIdx"]): -size if row["side"] == "Sell" else size for row, size in rows if size
        }

    async def _call(self, method: str, path: str, given: dict[str, object]) -> Any:
        """The result. Errors come with status 200."""
        given = {"category": "linear", **given}
        query = urlencode({name: str(value) for name, value in given.items()}) if method == "GET" else ""
        body = "" if method == "GET" else json.dumps(given)
        stamp = str(milliseconds(self._now()))
        headers = {
            "X-BAPI-API-KEY": KEY,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": WINDOW,
            "X-BAPI-SIGN": bybit_signed(SECRET, f"{stamp}{KEY}{WINDOW}{query or body}"),
            "Content-Type": "application/json",
        }
        found = await self._ask(method, f"{path}?{query}" if query else path, headers, body)
        if found.get("retCode") != 0:
            raise Refused(f"{found.get('retMsg')} ({found.get('retCode')})")
        return found["result"]


class BinanceLine(BybitLine):
    """Conditional orders have endpoints of their own here; a script that does not know them never sees them."""

    async def submit(self, wanted: Wanted) -> None:
        form: dict[str, object] = {
            "symbol": symbol_of(wanted.name),
            "side": wanted.side.value.upper(),
            "quantity": f"{wanted.quantity:f}",
            "positionSide": ("BOTH", "LONG", "SHORT")[wanted.side_of],
        }
        if wanted.reduces and not wanted.side_of:
            form["reduceOnly"] = "true"
        if wanted.trigger is not None:
            form |= {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": wanted.trigger}
            await self._call("POST", "/fapi/v1/algoOrder", form | {"clientAlgoId": wanted.id})
            return
        form |= {"type": "MARKET"} if wanted.price is None else {"type": "LIMIT", "timeInForce": "GTC"}
        form |= {} if wanted.price is None else {"price": wanted.price}
        await self._call("POST", "/fapi/v1/order", form | {"newClientOrderId": wanted.id})

    async def cancel(self, symbol: str, client_id: str) -> None:
        await self._call("DELETE", "/fapi/v1/order", {"symbol": symbol, "origClientOrderId": client_id})

    async def orders(self) -> list[Seen]:
        return [
            Seen(
                id=str(row["orderId"]),
                client_id=row["clientOrderId"],
                symbol=row["symbol"],
                side=Side(row["side"].lower()),
                quantity=Decimal(row["origQty"]),
                filled=Decimal(row["executedQty"]),
                is_open=True,
            )
            for row in await self._call("GET", "/fapi/v1/openOrders", {})
        ]

    async def positions(self) -> dict[tuple[str, int], Decimal]:
        rows = await self._call("GET", "/fapi/v3/positionRisk", {})
        sides = {"BOTH": 0, "LONG": 1, "SHORT": 2}
        held = {(row["symbol"], sides[row["positionSide"]]): Decimal(row["positionAmt"]) for row in rows}
        return {side: quantity for side, quantity in held.items() if quantity}

    async def _call(self, method: str, path: str, given: dict[str, object]) -> Any:
        query = urlencode({**given, "timestamp": milliseconds(self._now()), "recvWindow": WINDOW})
        url = f"{path}?{query}&signature={binance_signed(SECRET, query)}"
        found = await self._ask(method, url, {"X-MBX-APIKEY": KEY})
        if isinstance(found, dict) and int(found.get("code", 0) or 0) < 0:
            raise Refused(f"{found.get('msg')} ({found['code']})")
        return found
