"""How Bybit knows its clients, says no and tells the budget (brokers/README §3.1, §3.6, §3.7)."""

import hmac
from collections.abc import Mapping

import msgspec

from standfast.exchange.dialects.bybit.codes import (
    BAD_KEY,
    BAD_SIGNATURE,
    CLOCK,
    CODES,
    RATE,
    SERVER,
    TEXTS,
)
from standfast.exchange.dialects.bybit.wire import envelope, milliseconds, signed
from standfast.exchange.dialects.gate import Arrival, Reply, Standing, as_json
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.faults import HTML
from standfast.exchange.perpetual.refusal import PerpetualRefused
from standfast.exchange.refusal import Refused

ANYBODY = ""
MESSAGES = {
    BAD_KEY: "API key is invalid.",
    BAD_SIGNATURE: "error sign! please check your signature generation algorithm.",
    CLOCK: "invalid request, please check your server timestamp or recv_window param",
}


class Public:
    """See `gate.Manner`. Needs no key; the budget is the address's."""

    def __init__(self, venue: Perpetuals) -> None:
        self._venue = venue

    def account(self, venue: Perpetuals, request: Arrival, body: bytes) -> str | None:
        return ANYBODY

    def payer(self, request: Arrival, account: str) -> str:
        return request.remote

    def instrument(self, call: PerpetualCall) -> str | None:
        return call.query.get("symbol") or None

    def unauthorized(self, request: Arrival) -> Reply:
        code = request.why or BAD_KEY
        return self._no(code, MESSAGES[code])

    def refused(self, refused: Refused) -> Reply:
        if isinstance(refused, PerpetualRefused):
            return self._no(CODES[refused.why], TEXTS.get(refused.why) or refused.message)
        return self._no(refused.code, refused.message)

    def rate_limited(self) -> Reply:
        return self._no(RATE, "Too many visits!")

    def broken(self, status: int) -> Reply:
        if status == 500:
            return self._no(SERVER, "Internal server error", status=500)
        return Reply(status, HTML.encode(), "text/html")

    def standing(self, standing: Standing) -> Mapping[str, str]:
        return {
            "X-Bapi-Limit": str(standing.limit),
            "X-Bapi-Limit-Status": str(standing.remaining),
            "X-Bapi-Limit-Reset-Timestamp": str(standing.reset * 1000),
        }

    def _no(self, code: int, message: str, *, status: int = 200) -> Reply:
        return Reply(status, as_json(envelope({}, self._venue.now, code=code, message=message)))


class Private(Public):
    """Knows the account by key and signature; the budget is the account's."""

    def __init__(self, venue: Perpetuals, *, checks_clock: bool) -> None:
        super().__init__(venue)
        self._checks_clock = checks_clock

    def account(self, venue: Perpetuals, request: Arrival, body: bytes) -> str | None:
        headers = request.headers
        key, sent, window = (headers.get(f"X-BAPI-{name}", "") for name in ("API-KEY", "TIMESTAMP", "RECV-WINDOW"))
        spec = venue.engine.account_of_key(key)
        if spec is None:
            return _nobody(request, BAD_KEY)
        said = body.decode("utf-8", "replace") if request.method == "POST" else request.raw_query
        if not hmac.compare_digest(signed(spec.secret, f"{sent}{key}{window}{said}"), headers.get("X-BAPI-SIGN", "")):
            return _nobody(request, BAD_SIGNATURE)
        if self._checks_clock and not _is_timely(sent, window or "5000", milliseconds(venue.now)):
            return _nobody(request, CLOCK)
        return spec.name

    def payer(self, request: Arrival, account: str) -> str:
        return account

    def instrument(self, call: PerpetualCall) -> str | None:
        if not call.body:
            return super().instrument(call)
        found = decoded(call.body).get("symbol")
        return found if isinstance(found, str) else None


def decoded(body: bytes) -> dict[str, object]:
    """A body as an object; an unreadable one as an empty object, which lacks what every request needs."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        return {}


def _nobody(request: Arrival, code: int) -> str | None:
    """No account, and why it is none."""
    request.why = code
    return None


def _is_timely(sent: str, window: str, now: int) -> bool:
    """Bybit's own rule: not older than the window, not more than a second ahead."""
    if not (sent.isdigit() and window.isdigit()):
        return False
    return now - int(window) <= int(sent) < now + 1000
