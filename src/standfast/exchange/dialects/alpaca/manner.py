"""How Alpaca knows its clients, says no and tells the budget (brokers/README §1.1, §1.9, §1.10)."""

from collections.abc import Mapping

import msgspec

from standfast.exchange.dialects.gate import Arrival, Call, Reply, Standing, as_json
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import HTML
from standfast.exchange.refusal import Refused

RATE_LIMITED = 42910000
BROKEN = 50010000


class AlpacaManner:
    """See `gate.Manner`."""

    def account(self, venue: Venue, request: Arrival, body: bytes) -> str | None:
        headers = request.headers
        return venue.engine.account_for_key(headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", ""))

    def payer(self, request: Arrival, account: str) -> str:
        return account

    def instrument(self, call: Call) -> str | None:
        """From the path, the body of a new order, the order an id names, or a list of one symbol."""
        if "key" in call.path:
            return _of_asset(call)
        if "order_id" in call.path:
            return _of_order(call)
        if call.operation == "submit":
            return _of_body(call.body)
        symbols = call.query.get("symbols", "")
        return symbols if symbols and "," not in symbols else None

    def unauthorized(self, request: Arrival | None = None) -> Reply:
        return Reply(401, as_json({"message": "unauthorized"}))

    def refused(self, refused: Refused) -> Reply:
        return Reply(refused.http_status, as_json(refusal_row(refused)))

    def rate_limited(self) -> Reply:
        return Reply(429, as_json({"code": RATE_LIMITED, "message": "rate limit exceeded"}))

    def broken(self, status: int) -> Reply:
        if status == 500:
            return Reply(500, as_json({"code": BROKEN, "message": "internal server error occurred"}))
        return Reply(status, HTML.encode(), "text/html")

    def standing(self, standing: Standing) -> Mapping[str, str]:
        return {
            "X-RateLimit-Limit": str(standing.limit),
            "X-RateLimit-Remaining": str(standing.remaining),
            "X-RateLimit-Reset": str(standing.reset),
        }


class DataManner(AlpacaManner):
    """The data host's errors have a message and no code (spec/market-data-api.json)."""

    def refused(self, refused: Refused) -> Reply:
        return Reply(refused.http_status, as_json({"message": refused.message}))

    def rate_limited(self) -> Reply:
        return Reply(429, as_json({"message": "too many requests."}))


def refusal_row(refused: Refused) -> dict[str, object]:
    return {"code": refused.code, "message": refused.message, **refused.details}


class _Named(msgspec.Struct):
    symbol: str | None = None


def _of_body(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Named).symbol
    except msgspec.DecodeError:
        return None


def _of_asset(call: Call) -> str | None:
    try:
        return call.venue.engine.asset(call.path["key"]).instrument
    except Refused:
        return call.path["key"]


def _of_order(call: Call) -> str | None:
    try:
        return call.venue.engine.order(call.account, call.path["order_id"]).instrument
    except Refused:
        return None
