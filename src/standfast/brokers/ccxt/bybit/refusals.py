"""What a Bybit answer means: the three outcomes of a write, and the kinds of refusal.

Invariants
- HTTP 200 says nothing: `retCode` decides. Any other status proves nothing, but that of a limit and of bad keys.
- Only a code that is known to be said before anything is done is `Rejected`; any other leaves the outcome open.
- "Nothing changed" is a success: what was asked for is so.
"""

import msgspec

from standfast.brokers.ccxt.bybit.rows import Envelope
from standfast.brokers.shared.reading import rows
from standfast.brokers.shared.transport import Response
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.secret import redact

ENVELOPE = msgspec.json.Decoder(Envelope)

UNCHANGED = frozenset({110025, 110026, 110027, 110043})
"""What was asked for is so already (brokers/README §3.6)."""
OVER_RATE = frozenset({10006, 10018, 10429})
KEYS_REFUSED = frozenset({10003, 10004, 10005, 10007, 10009, 10010, 33004})
UNDECIDED = frozenset({10000, 10016, 10019, 110079})
"""The server's own trouble, and an order that is still being processed."""
TOLD_MAX = 300

KINDS = {
    10002: "clock",
    110001: "not_found",
    110003: "price",
    110004: "buying_power",
    110006: "buying_power",
    110007: "buying_power",
    110008: "not_cancellable",
    110010: "not_cancellable",
    110011: "buying_power",
    110012: "buying_power",
    110030: "duplicate_id",
    110044: "buying_power",
    110045: "buying_power",
    110051: "buying_power",
    110052: "buying_power",
    110053: "buying_power",
    110063: "not_tradable",
    110066: "not_tradable",
    110072: "duplicate_id",
    110074: "not_tradable",
    110092: "price",
    110093: "price",
}
"""`price` is also said of a stop that would fire at once: whoever gets it looks at the price, and closes."""


def failure(method: str, response: Response, retry_after: float | None) -> BrokerError:
    """The error that an answer of another status than 200 stands for."""
    if is_over_rate(response):
        refused = "HTTP 403: too many from this address, or the address itself is refused"
        return _over_rate(refused if response.status == 403 else f"HTTP {response.status}", retry_after)
    if response.status == 401:
        return Unauthorised("the keys are refused (401)")
    return OutcomeUnknown(f"answered {response.status}, which proves nothing")


def is_over_rate(response: Response) -> bool:
    if response.status in (403, 429):
        return True
    if len(response.body) > 500 or b"retCode" not in response.body:
        return False  # a refusal is short
    try:
        return _code(rows(ENVELOPE, response.body, "answer")) in OVER_RATE
    except Malformed:
        return False


def taken(response: Response, what: str) -> Envelope:
    """The envelope of a success. Raises what a refusal stands for, and Malformed for what is neither."""
    envelope = rows(ENVELOPE, response.body, what)
    code = _code(envelope)
    if code and code not in UNCHANGED:
        raise refusal(code, envelope.ret_msg)
    return envelope


def check(response: Response) -> None:
    """Raises what a refusal stands for."""
    taken(response, "answer")


def taken_write(response: Response, what: str) -> Envelope:
    """As `taken`; an answer to a write that cannot be understood leaves the outcome open."""
    try:
        return taken(response, what)
    except Malformed as error:
        raise OutcomeUnknown(f"the answer cannot be understood: {error}") from None


def refusal(code: int, text: str) -> BrokerError:
    told = f"{redact(text)[:TOLD_MAX]} ({code})".replace("\n", " ")
    if code in OVER_RATE:
        return _over_rate(told, None)
    if code in KEYS_REFUSED:
        return Unauthorised(told)
    if code in UNDECIDED or not (code in (10001, 10002, 10029) or 100_000 <= code < 200_000):
        return OutcomeUnknown(f"it proves nothing: {told}")
    return Rejected(told, kind=KINDS.get(code, "other"), code=str(code))


def _over_rate(told: str, retry_after: float | None) -> Rejected:
    return Rejected(f"over the request limit: {told}", kind="rate_limited", code="429", retry_after=retry_after)


def _code(envelope: Envelope) -> int:
    try:
        return int(envelope.ret_code)
    except ValueError:
        raise Malformed(f"retCode is {envelope.ret_code!r}") from None
