"""How Binance knows its clients, says no and tells the budget (brokers/README §4.1, §4.6, §4.7)."""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs

from standfast.exchange.dialects.binance.codes import (
    BAD_KEY,
    BAD_SIGNATURE,
    CLOCK,
    SAID,
    TOO_MANY_REQUESTS,
)
from standfast.exchange.dialects.binance.wire import form, milliseconds, signed
from standfast.exchange.dialects.gate import Arrival, Reply, Standing, as_json
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.faults import HTML
from standfast.exchange.perpetual.refusal import PerpetualRefused
from standfast.exchange.refusal import Refused

ANYBODY = ""
MESSAGES = {
    BAD_KEY: (401, "Invalid API-key, IP, or permissions for action."),
    BAD_SIGNATURE: (400, "Signature for this request is not valid."),
    CLOCK: (400, "Timestamp for this request is outside of the recvWindow."),
}


class Public:
    """See `gate.Manner`. Needs no key; the budget is the address's."""

    def account(self, venue: Perpetuals, request: Arrival, body: bytes) -> str | None:
        return ANYBODY

    def payer(self, request: Arrival, account: str) -> str:
        return request.remote

    def instrument(self, call: PerpetualCall) -> str | None:
        return form(call).get("symbol") or None

    def unauthorized(self, request: Arrival) -> Reply:
        code = request.why or BAD_KEY
        status, message = MESSAGES[code]
        return no(code, message, status)

    def refused(self, refused: Refused) -> Reply:
        if isinstance(refused, PerpetualRefused):
            code, message = SAID[refused.why]
            return no(code, message or refused.message, 400)
        return no(refused.code, refused.message, refused.http_status)

    def rate_limited(self) -> Reply:
        text = (
            "Too many requests; current limit is 2400 requests per minute. Please use the websocket for live updates."
        )
        return no(TOO_MANY_REQUESTS, text, 429)

    def broken(self, status: int) -> Reply:
        if status == 503:
            return no(
                -1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503
            )
        if status in (408, 504):
            text = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
            return no(-1007, text, status)
        return Reply(status, HTML.encode(), "text/html")

    def standing(self, standing: Standing) -> Mapping[str, str]:
        return {"X-MBX-USED-WEIGHT-1M": str(standing.limit - standing.remaining)}


class Keyed(Public):
    """Knows the account by its key alone: listen keys need no signature."""

    def account(self, venue: Perpetuals, request: Arrival, body: bytes) -> str | None:
        spec = venue.engine.account_of_key(request.headers.get("X-MBX-APIKEY", ""))
        return _nobody(request, BAD_KEY) if spec is None else spec.name


class Private(Public):
    """Knows the account by key and signature: of the query and the body, the signature itself left out."""

    def __init__(self, *, checks_clock: bool) -> None:
        self._checks_clock = checks_clock

    def account(self, venue: Perpetuals, request: Arrival, body: bytes) -> str | None:
        spec = venue.engine.account_of_key(request.headers.get("X-MBX-APIKEY", ""))
        if spec is None:
            return _nobody(request, BAD_KEY)
        sent = request.raw_query + body.decode("utf-8", "replace")
        payload, _, signature = sent.rpartition("signature=")
        if not hmac.compare_digest(signed(spec.secret, payload.removesuffix("&")), signature):
            return _nobody(request, BAD_SIGNATURE)
        if self._checks_clock and not _is_timely(payload, milliseconds(venue.now)):
            return _nobody(request, CLOCK)
        return spec.name


def no(code: int, message: str, status: int) -> Reply:
    return Reply(status, as_json({"code": code, "msg": message}))


def _nobody(request: Arrival, code: int) -> str | None:
    """No account, and why it is none."""
    request.why = code
    return None


def _is_timely(payload: str, now: int) -> bool:
    """Not more than a second ahead, nor older than the window."""
    given = parse_qs(payload)
    sent, window = given.get("timestamp", [""])[0], given.get("recvWindow", ["5000"])[0]
    if not (sent.isdigit() and window.isdigit()):
        return False
    return int(sent) < now + 1000 and now - int(sent) <= int(window)
