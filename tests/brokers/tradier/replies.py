"""Every way in which bytes of Tradier become values, by name; and small replies of our own."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from standfast.brokers.shared.reading import rows
from standfast.brokers.shared.transport import Response
from standfast.brokers.tradier import order_rows, parse, refusals
from standfast.brokers.tradier.rows import ProfileReply, SessionReply
from standfast.brokers.tradier.sessions import CLOCK, sessions_of
from standfast.brokers.tradier.stream import event_row
from standfast.model.errors import Malformed, OutcomeUnknown, Rejected
from standfast.model.order import OrderReport

Payload = dict[str, Any]
NOW = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
ACCOUNT = "VA00000000"


def order_row(**changes: object) -> Payload:
    """A resting stop under ten shares, as the list shows it."""
    row = {
        "id": 228175, "type": "stop", "symbol": "SPY", "side": "sell", "quantity": 10.0, "status": "open",
        "duration": "gtc", "stop_price": 590.5, "avg_fill_price": 0.0, "exec_quantity": 0.0, "last_fill_price": 0.0,
        "last_fill_quantity": 0.0, "remaining_quantity": 10.0, "create_date": "2026-10-08T14:02:29.682Z",
        "transaction_date": "2026-10-08T14:02:30.385Z", "class": "equity", "tag": "sfabcd-s1",
    } | changes  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def position_row(**changes: object) -> Payload:
    return {
        "cost_basis": 6002.5, "date_acquired": "2026-10-08T14:41:11.405Z", "id": 130089, "quantity": 10.0,
        "symbol": "SPY",
    } | changes  # fmt: skip


def positions_reply(*found: Payload) -> bytes:
    return json.dumps({"positions": {"position": list(found)}}).encode()


def orders_reply(*found: Payload) -> bytes:
    return json.dumps({"orders": {"order": list(found)}}).encode()


def reports(body: bytes) -> list[OrderReport]:
    return order_rows.named(map(order_rows.order, order_rows.listed(body)), {})


def _attempts() -> dict[str, Callable[[bytes], object]]:
    def quotes(body: bytes) -> object:
        return [(parse.instrument(row), parse.underlying(row)) for row in parse.quote_rows(body)]

    def orders(body: bytes) -> object:
        return reports(body), [order_rows.places(row) for row in order_rows.listed(body)]

    return {
        "positions": parse.positions,
        "orders": orders,
        "order": lambda body: order_rows.order(order_rows.one(body)),
        "account": lambda body: parse.account(body, account_id=ACCOUNT, status="active"),
        "profile": lambda body: rows(msgspec.json.Decoder(ProfileReply), body, "profile"),
        "quotes": lambda body: parse.quotes(body, NOW),
        "instruments": quotes,
        "history": parse.history,
        "clock": lambda body: rows(CLOCK, body, "clock"),
        "calendar": sessions_of,
        "session": lambda body: rows(msgspec.json.Decoder(SessionReply), body, "session"),
        "event": event_row,
        "refusal": lambda body: refusals.failure("POST", Response(400, {}, body), None),
        "acceptance": lambda body: refusals.accepted("POST", Response(200, {}, body)),
    }


ATTEMPTS = _attempts()


def refused_as(attempt: Callable[[bytes], object], body: bytes) -> str | None:
    """The words of the refusal; None when the bytes were understood. Any other error passes through."""
    try:
        attempt(body)
    except (Malformed, Rejected, OutcomeUnknown) as error:
        return str(error)
    return None
