"""What a Binance answer means: the three outcomes of a write, and the kinds of refusal.

Invariants
- Only a code that is known to be said before anything is done is `Rejected`; any other leaves the outcome open.
- "Execution status unknown" (-1006, -1007) and every server's trouble leave it open too.
"""

import msgspec

from standfast.brokers.ccxt.binance.rows import Refusal
from standfast.brokers.shared.reading import rows
from standfast.brokers.shared.transport import Response
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.secret import redact

REFUSAL = msgspec.json.Decoder(Refusal)
OVER_RATE = frozenset({-1003, -1008, -1015})
KEYS_REFUSED = frozenset({-1002, -1022, -2014, -2015})
BEFORE_ANYTHING = frozenset({-1013, -1014, -1020, -1021, -1023})
"""Of the -10xx, whose others may come after the order was passed on."""
ABSENT = frozenset({-2011, -2013})
TOLD_MAX = 300
KINDS = {
    -1021: "clock",
    -2011: "not_cancellable",
    -2013: "not_found",
    -2018: "buying_power",
    -2019: "buying_power",
    -2021: "price",
    -2024: "buying_power",
    -2027: "buying_power",
    -2028: "buying_power",
    -4014: "price",
    -4016: "price",
    -4024: "price",
    -4116: "duplicate_id",
    -4131: "price",
    -4140: "not_tradable",
    -4141: "not_tradable",
    -1121: "not_tradable",
}
"""`price` is also said of a stop that would fire at once."""


def failure(method: str, response: Response, retry_after: float | None) -> BrokerError:
    """The error that an answer of another status than 200 stands for."""
    if is_over_rate(response):
        return Rejected(
            f"over the request limit ({response.status})", kind="rate_limited", code="429", retry_after=retry_after
        )
    if response.status == 401:
        return Unauthorised("the keys are refused (401)")
    found = code_of(response)
    if found is None or response.status >= 500:
        return OutcomeUnknown(f"answered {response.status}, which proves nothing")
    return refusal(*found)


def is_over_rate(response: Response) -> bool:
    if response.status in (418, 429):
        return True
    found = code_of(response) if response.status != 200 else None
    return found is not None and found[0] in OVER_RATE


def taken(response: Response) -> None:
    """Raises what a refusal inside a success stands for."""
    found = code_of(response)
    if found is not None and found[0] < 0:
        raise refusal(*found)


def code_of(response: Response) -> tuple[int, str] | None:
    """The code of a body that is one."""
    if len(response.body) > 1000 or b'"code"' not in response.body:
        return None
    try:
        found = rows(REFUSAL, response.body, "refusal")
        return int(found.code), found.msg
    except (Malformed, ValueError):
        return None


def refusal(code: int, text: str) -> BrokerError:
    told = f"{redact(text)[:TOLD_MAX]} ({code})".replace("\n", " ")
    if code in KEYS_REFUSED:
        return Unauthorised(told)
    if code in OVER_RATE:
        return Rejected(f"over the request limit: {told}", kind="rate_limited", code="429")
    if -1100 < code <= -1000 and code not in BEFORE_ANYTHING:
        return OutcomeUnknown(f"it proves nothing: {told}")
    if not -9999 < code < -1000:
        return OutcomeUnknown(f"it proves nothing: {told}")
    return Rejected(told, kind=KINDS.get(code, "other"), code=str(code))
