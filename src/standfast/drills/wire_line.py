"""The bot's line over HTTP: plain requests in Alpaca's dialect, as a script without a client library makes them."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import aiohttp

from standfast.drills.line import Line, NoAnswer, Refused, Seen
from standfast.exchange.orders import OrderType, Side, Status, Ticket

NOT_FOUND = 404


class HttpLine(Line):
    """`patience`: real seconds for an answer."""

    def __init__(self, session: aiohttp.ClientSession, url: str, say: Callable[[str], None], patience: float) -> None:
        super().__init__(say)
        self._session = session
        self._url = url
        self._patience = aiohttp.ClientTimeout(total=patience)

    async def _ask(self, method: str, path: str, data: bytes | None = None) -> Any:
        """The reply, decoded; None for one without a body, and for a 404 to a read."""
        try:
            async with self._session.request(method, self._url + path, data=data, timeout=self._patience) as reply:
                text = await reply.read()
                status = reply.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoAnswer(f"{type(error).__name__} {error}".strip()) from error
        if status == NOT_FOUND and method == "GET":
            return None
        if status >= 500:
            raise NoAnswer(f"answered {status}")
        try:
            found: Any = json.loads(text) if text else None
        except ValueError as error:
            raise NoAnswer(f"an answer nobody can read: {text[:40]!r}") from error
        if status >= 400:
            raise Refused(f"{self._words(found)} ({status})")
        return found

    def _words(self, found: Any) -> str:
        """Of a refusal."""
        return f"{found.get('message', found)} {found.get('code', '')}"

    async def _submit(self, asked: Ticket) -> Seen:
        return _seen(await self._ask("POST", "/v2/orders", json.dumps(_body(asked)).encode()))

    async def _cancel(self, order: Seen) -> None:
        await self._ask("DELETE", f"/v2/orders/{order.id}")

    async def _order(self, id: str) -> Seen:
        found = await self._ask("GET", f"/v2/orders/{id}?nested=true")
        if found is None:
            raise NoAnswer("order not found")
        return _seen(found)

    async def _find(self, client_id: str) -> Seen | None:
        found = await self._ask("GET", f"/v2/orders:by_client_order_id?client_order_id={client_id}")
        return None if found is None else _seen(found)

    async def _orders(self) -> list[Seen]:
        return [_seen(row) for row in await self._ask("GET", "/v2/orders?status=open&nested=true&limit=500")]

    async def _positions(self) -> dict[str, Decimal]:
        return {row["symbol"]: Decimal(row["qty"]) for row in await self._ask("GET", "/v2/positions")}

    async def _quotes(self, instruments: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]:
        found = await self._ask("GET", f"/v2/stocks/quotes/latest?symbols={','.join(instruments)}")
        rows = found["quotes"].items()
        return {name: (Decimal(str(row["bp"])), Decimal(str(row["ap"]))) for name, row in rows}


def _body(asked: Ticket) -> dict[str, object]:
    terms = asked.terms
    body: dict[str, object] = {
        "symbol": terms.instrument,
        "qty": str(terms.quantity),
        "side": terms.side.value,
        "type": terms.type.value,
        "time_in_force": terms.time_in_force.value,
        "client_order_id": asked.client_order_id,
        "order_class": asked.order_class.value,
    }
    prices = {"limit_price": terms.limit_price, "stop_price": terms.stop_price}
    body |= {name: str(price) for name, price in prices.items() if price is not None}
    if asked.take_profit is not None:
        body["take_profit"] = {"limit_price": str(asked.take_profit.limit_price)}
    if asked.stop_loss is not None:
        leg = {"stop_price": asked.stop_loss.stop_price, "limit_price": asked.stop_loss.limit_price}
        body["stop_loss"] = {name: str(price) for name, price in leg.items() if price is not None}
    return body


def _seen(row: Mapping[str, Any]) -> Seen:
    return Seen(
        id=row["id"],
        client_id=row["client_order_id"],
        instrument=row["symbol"],
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        status=Status(row["status"]),
        quantity=Decimal(row["qty"] or 0),
        filled=Decimal(row["filled_qty"]),
        average_price=maybe(row["filled_avg_price"]),
        stop_price=maybe(row["stop_price"]),
        legs=tuple(_seen(leg) for leg in row.get("legs") or ()),
    )


def maybe(told: object) -> Decimal | None:
    return None if told is None else Decimal(str(told))
