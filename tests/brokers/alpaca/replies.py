"""Every way in which bytes of Alpaca become values, by name; and small replies of our own."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from standfast.brokers.alpaca import parse, refusals, rows
from standfast.brokers.alpaca.kept import KeptPositions
from standfast.brokers.alpaca.quote_stream import _messages
from standfast.brokers.alpaca.stream import _authorization, _event, _listening
from standfast.brokers.shared import reading
from standfast.brokers.shared.transport import Response, TransportError
from standfast.model.errors import Malformed, Rejected

Payload = dict[str, Any]

ORDERS = msgspec.json.Decoder(list[rows.OrderRow])
ORDER = msgspec.json.Decoder(rows.OrderRow)
ACTIVITIES = msgspec.json.Decoder(list[rows.ActivityRow])
QUOTES = msgspec.json.Decoder(rows.QuotesReply)

FILL = {
    "activity_type": "FILL", "id": "20261008::f", "order_id": "o-1", "price": "86.88", "qty": "1",
    "side": "sell_short", "symbol": "KO", "transaction_time": "2026-10-08T15:10:19.061299Z",
}  # fmt: skip


def order_row(**changes: object) -> Payload:
    return {
        "id": "o-1",
        "client_order_id": "mine",
        "symbol": "SPY",
        "side": "sell",
        "status": "new",
        "time_in_force": "gtc",
        "type": "stop",
        "qty": "10",
        "filled_qty": "0",
        "stop_price": "590.5",
        "submitted_at": "2026-10-08T15:10:21.375005748Z",
    } | changes


def position_row(**changes: object) -> Payload:
    return {"symbol": "SPY", "qty": "10", "side": "long", "avg_entry_price": "600.25"} | changes


def _attempts() -> dict[str, Callable[[bytes], object]]:
    def listed(body: bytes) -> object:
        return [parse.order(row) for row in reading.rows(ORDERS, body, "orders")]

    def single(body: bytes) -> object:
        return parse.order(reading.rows(ORDER, body, "order"))

    def activities(body: bytes) -> object:
        found = reading.rows(ACTIVITIES, body, "activities")
        return [(parse.activity(row), parse.booked_at(row)) for row in found]

    def quotes(body: bytes) -> object:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return [parse.quote(row, now) for row in reading.rows(QUOTES, body, "quotes").quotes.values()]

    return {
        "positions": lambda body: KeptPositions().take(body),
        "orders": listed,
        "order": single,
        "activities": activities,
        "quotes": quotes,
        "account": lambda body: parse.account(reading.rows(msgspec.json.Decoder(rows.AccountRow), body, "account")),
        "clock": lambda body: parse.clock(reading.rows(msgspec.json.Decoder(rows.ClockRow), body, "clock")),
        "asset": lambda body: parse.equity(reading.rows(msgspec.json.Decoder(rows.AssetRow), body, "asset")),
        "contract": lambda body: parse.option(reading.rows(msgspec.json.Decoder(rows.ContractRow), body, "contract")),
        "refusal": lambda body: refusals.failure("POST", Response(403, {}, body), None),
        "event": _event,
        "authorization": _authorization,
        "listening": _listening,
        "market data": _messages,
    }


ATTEMPTS = _attempts()


def refused_as(attempt: Callable[[bytes], object], body: bytes) -> str | None:
    """The words of the refusal; None when the bytes were understood. Any other error passes through."""
    try:
        attempt(body)
    except (Malformed, TransportError, Rejected) as error:
        return str(error)
    return None
