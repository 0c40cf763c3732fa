"""How Tradier knows its clients, says no and tells the budget (brokers/README §2.1, §2.8, §2.9)."""

from collections.abc import Mapping

from standfast.exchange.dialects.gate import Arrival, Call, Reply, Standing, as_json
from standfast.exchange.dialects.tradier.numbers import order_of
from standfast.exchange.dialects.tradier.wire import form, one_or_many
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import HTML
from standfast.exchange.refusal import Refused

BEARER = "Bearer "
PLAIN = "text/plain"


class TradierManner:
    """See `gate.Manner`. An account's number is its `key_id`, its token the `secret`; a token may open several."""

    def account(self, venue: Venue, request: Arrival, body: bytes) -> str | None:
        """The account the path names, or for paths without one the first that the token opens."""
        owned = venue.engine.accounts_of(token_of(request))
        number = request.match_info.get("account_id")
        if number is not None:
            owned = [spec for spec in owned if spec.key_id == number]
        return owned[0].name if owned else None

    def payer(self, request: Arrival, account: str) -> str:
        return token_of(request)

    def instrument(self, call: Call) -> str | None:
        """The contract or stock of an order, or the symbol where one is asked for."""
        if "order_id" in call.path:
            order = order_of(call.venue.engine, call.account, call.path["order_id"])
            return None if order is None else order.instrument
        asked = form(call.body) if call.operation in ("submit", "preview", "quotes") and call.body else call.query
        symbols = asked.get("option_symbol") or asked.get("symbols") or asked.get("symbol") or ""
        return symbols if symbols and "," not in symbols else None

    def unauthorized(self, request: Arrival) -> Reply:
        if not token_of(request):
            return Reply(401, as_json(fault("Invalid Access Token", "keymanagement.service.invalid_access_token")))
        number = request.match_info.get("account_id")
        if number is not None:
            return Reply(401, f"Unauthorized Account: {number}".encode(), PLAIN)
        return Reply(401, as_json(fault("Invalid Access Token", "keymanagement.service.invalid_access_token")))

    def refused(self, refused: Refused) -> Reply:
        """Parameters are refused in plain text, orders with `errors`, one as text and several as a list."""
        if refused.code == PARAMETER:
            return Reply(refused.http_status, refused.message.encode(), PLAIN)
        return Reply(refused.http_status, as_json(errors(refused.message)))

    def rate_limited(self) -> Reply:
        return Reply(429, as_json(fault("Rate limit quota violation", "policies.ratelimit.QuotaViolation")))

    def broken(self, status: int) -> Reply:
        if status == 500:
            return Reply(500, as_json(fault("Internal server error", "steps.javascript.ScriptExecutionFailed")))
        return Reply(status, HTML.encode(), "text/html")

    def standing(self, standing: Standing) -> Mapping[str, str]:
        return {
            "X-Ratelimit-Allowed": str(standing.limit),
            "X-Ratelimit-Used": str(standing.limit - standing.remaining),
            "X-Ratelimit-Available": str(standing.remaining),
            "X-Ratelimit-Expiry": str(standing.reset * 1000),
        }


PARAMETER = 400_001
ORDER = 400_002


def token_of(request: Arrival) -> str:
    text = request.headers.get("Authorization", "")
    return text.removeprefix(BEARER).strip() if text.startswith(BEARER) else ""


def fault(text: str, code: str) -> dict[str, object]:
    return {"fault": {"faultstring": text, "detail": {"errorcode": code}}}


def errors(*texts: str) -> dict[str, object]:
    return {"errors": {"error": one_or_many(texts)}}


def bad(name: str, why: str) -> Refused:
    """A parameter that cannot be read, refused in Tradier's plain text."""
    return Refused(400, PARAMETER, f"Invalid parameter, {name}: {why}.")


def not_so(text: str, status: int = 400) -> Refused:
    """An order that cannot be, refused with `errors`."""
    return Refused(status, ORDER, text)


def plainly(text: str, status: int = 400) -> Refused:
    return Refused(status, PARAMETER, text)
