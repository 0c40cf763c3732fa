"""The bot's line over HTTP at Tradier: forms out, JSON back, a tag for what it calls its order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from standfast.drills.line import NoAnswer, Refused, Seen
from standfast.drills.wire_line import HttpLine, maybe
from standfast.exchange.contracts import contract_of
from standfast.exchange.orders import Intent, OrderType, Side, Status, Ticket, TimeInForce

NUMBER = "VA00000001"
ACCOUNT = f"/v1/accounts/{NUMBER}"
WORDS = {
    "pending": Status.PENDING_NEW,
    "open": Status.NEW,
    "partially_filled": Status.PARTIALLY_FILLED,
    "filled": Status.FILLED,
    "expired": Status.EXPIRED,
    "canceled": Status.CANCELED,
    "rejected": Status.REJECTED,
    "held": Status.HELD,
}
SHARES = {
    Intent.BUY_TO_OPEN: "buy",
    Intent.BUY_TO_CLOSE: "buy_to_cover",
    Intent.SELL_TO_CLOSE: "sell",
    Intent.SELL_TO_OPEN: "sell_short",
}


class TradierLine(HttpLine):
    """Orders are tickets with an intent, as Tradier wants them; groups are not sent this way."""

    async def _submit(self, asked: Ticket) -> Seen:
        found = await self._ask("POST", f"{ACCOUNT}/orders", urlencode(form(asked)).encode())
        if "order" not in found:
            raise Refused(str(found))
        return await self._order(str(found["order"]["id"]))

    async def _cancel(self, order: Seen) -> None:
        await self._ask("DELETE", f"{ACCOUNT}/orders/{order.id}")

    async def _order(self, id: str) -> Seen:
        found = await self._ask("GET", f"{ACCOUNT}/orders/{id}?includeTags=true")
        if found is None:
            raise NoAnswer("order not found")
        return seen(found["order"])

    async def _find(self, client_id: str) -> Seen | None:
        rows = await self._today()
        return next((row for row in rows if row.client_id == client_id), None)

    async def _orders(self) -> list[Seen]:
        return [row for row in await self._today() if row.is_open]

    async def _today(self) -> list[Seen]:
        found = await self._ask("GET", f"{ACCOUNT}/orders?includeTags=true")
        return [seen(row) for row in each(found["orders"], "order")]

    async def _positions(self) -> dict[str, Decimal]:
        found = await self._ask("GET", f"{ACCOUNT}/positions")
        rows = each(found["positions"], "position")
        return {row["symbol"]: Decimal(str(row["quantity"])).normalize() + 0 for row in rows}

    async def _quotes(self, instruments: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]:
        found = await self._ask("GET", f"/v1/markets/quotes?symbols={','.join(instruments)}")
        rows = each(found["quotes"], "quote")
        return {row["symbol"]: (Decimal(str(row["bid"])), Decimal(str(row["ask"]))) for row in rows}


def each(found: Any, name: str) -> Sequence[Mapping[str, Any]]:
    """Tradier's lists: the word "null" for none, one object for one."""
    if not isinstance(found, dict):
        return []
    rows = found[name]
    return rows if isinstance(rows, list) else [rows]


def headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def form(asked: Ticket) -> dict[str, str]:
    terms = asked.terms
    fields = {"duration": "gtc" if terms.time_in_force is TimeInForce.GTC else "day"}
    if asked.client_order_id is not None:
        fields["tag"] = asked.client_order_id
    if asked.legs:
        return fields | _together(asked)
    assert asked.intent is not None, "at Tradier an order says whether it opens or closes"
    contract = contract_of(terms.instrument)
    fields |= {
        "class": "equity" if contract is None else "option",
        "symbol": terms.instrument if contract is None else contract.underlying,
        "side": SHARES[asked.intent] if contract is None else asked.intent.value,
        "quantity": f"{terms.quantity:f}",
        "type": terms.type.value,
    }
    if contract is not None:
        fields["option_symbol"] = terms.instrument
    if terms.limit_price is not None:
        fields["price"] = f"{terms.limit_price:f}"
    if terms.stop_price is not None:
        fields["stop"] = f"{terms.stop_price:f}"
    return fields


def _together(asked: Ticket) -> dict[str, str]:
    terms, limit = asked.terms, asked.terms.limit_price
    assert terms.quantity is not None
    fields = {"class": "multileg", "symbol": terms.instrument, "type": "market"}
    if limit is not None:
        fields["type"] = "credit" if limit < 0 else "debit" if limit else "even"
        fields["price"] = f"{abs(limit):f}"
    for place, leg in enumerate(asked.legs):
        fields[f"option_symbol[{place}]"] = leg.instrument
        fields[f"side[{place}]"] = leg.intent.value
        fields[f"quantity[{place}]"] = f"{terms.quantity * leg.ratio:f}"
    return fields


def seen(row: Mapping[str, Any]) -> Seen:
    kind = str(row["type"])
    return Seen(
        id=str(row["id"]),
        client_id=str(row.get("tag", "")),
        instrument=str(row.get("option_symbol") or row["symbol"]),
        side=Side.BUY if str(row["side"]).startswith("buy") else Side.SELL,
        type=OrderType(kind) if kind in {each.value for each in OrderType} else OrderType.LIMIT,
        status=WORDS[row["status"]],
        quantity=Decimal(str(row["quantity"])),
        filled=Decimal(str(row["exec_quantity"])),
        average_price=maybe(row.get("avg_fill_price")),
        stop_price=maybe(row.get("stop_price")),
        legs=tuple(seen(leg) for leg in each({"leg": row.get("leg") or []}, "leg")),
    )
