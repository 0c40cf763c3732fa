"""What an answer to a request means: the three outcomes of a write, and the kinds of refusal.

Invariants
- Only a documented refusal with a body of Alpaca's own shape is `Rejected`. A 4xx page of somebody between us and
  Alpaca proves nothing, and is `OutcomeUnknown`.
- Code and status are stable, message text is not (brokers/README §1.9): 40310000 is told apart by its keys first.
"""

from collections.abc import Callable

import msgspec

from standfast.brokers.alpaca.rows import Refusal
from standfast.brokers.shared import reading
from standfast.brokers.shared.reading import Number
from standfast.brokers.shared.transport import Response
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.secret import redact

REFUSING = frozenset({400, 403, 404, 422})
DECODER = msgspec.json.Decoder(Refusal)


def failure(method: str, response: Response, retry_after: float | None) -> BrokerError:
    """The error that this answer, which is no success, stands for."""
    if response.status == 401:
        return Unauthorised("the keys are refused (401)")
    if response.status == 429:
        return Rejected(
            "over the request limit (429)",
            kind="rate_limited",
            code=_code(_refusal(response)) or "429",
            retry_after=retry_after,
        )
    refusal = _refusal(response)
    is_foreign = response.status == 404 and not is_absent(response)
    if response.status not in REFUSING or refusal is None or is_foreign:
        return OutcomeUnknown(f"answered {response.status}, which proves nothing")
    code = _code(refusal) or str(response.status)
    return Rejected(
        f"{redact(refusal.message)} ({response.status}, code {code})".replace("\n", " ")[:300],  # before it is cut
        kind=kind(method, response.status, refusal),
        code=code,
    )


def is_absent(response: Response) -> bool:
    """Whether Alpaca itself knows no such thing; a 404 from anyone else, or for the address, is not that."""
    refusal = _refusal(response)
    return (
        response.status == 404
        and refusal is not None
        and (refusal.code or 0) // 10_000 == 4041
        and "endpoint" not in refusal.message.lower()
    )


def kind(method: str, status: int, refusal: Refusal) -> str:
    """Our word for a refusal; `other` where nothing known fits."""
    if status == 404:
        return "not_found"
    if status == 403:
        return _kind_of_forbidden(refusal)
    if method == "DELETE":
        return "not_cancellable"
    text = refusal.message.lower()
    if "client_order_id" in text and ("unique" in text or "duplicate" in text):
        return "duplicate_id"
    return _first_match(text, BY_TEXT_OF_UNPROCESSABLE)


def _kind_of_forbidden(refusal: Refusal) -> str:
    for found, is_so in BY_KEYS:
        if is_so(refusal):
            return found
    return _first_match(refusal.message.lower(), BY_TEXT_OF_FORBIDDEN)


BY_KEYS: tuple[tuple[str, Callable[[Refusal], bool]], ...] = (
    ("wash_trade", lambda refusal: refusal.reject_reason is not None or refusal.existing_order_id is not None),
    ("held_quantity", lambda refusal: refusal.held_for_orders is not None and _is_positive(refusal.held_for_orders)),
    ("other", lambda refusal: refusal.existing_qty is not None),  # more than is held, and nothing of it reserved
    ("buying_power", lambda refusal: refusal.buying_power is not None or refusal.options_buying_power is not None),
)

BY_TEXT_OF_FORBIDDEN = (
    ("not fractionable", "not_fractionable"),
    ("wash trade", "wash_trade"),
    ("buying power", "buying_power"),
    ("not tradable", "not_tradable"),
    ("not active", "not_tradable"),
    ("halted", "not_tradable"),
    ("cannot be sold short", "not_tradable"),
    ("not allowed to short", "not_tradable"),
)

BY_TEXT_OF_UNPROCESSABLE = (
    ("not fractionable", "not_fractionable"),
    ("fractional", "not_fractionable"),
    ("price", "price"),
    ("increment", "price"),
    ("not tradable", "not_tradable"),
    ("not active", "not_tradable"),
    ("asset", "not_tradable"),
)


def _first_match(text: str, words: tuple[tuple[str, str], ...]) -> str:
    return next((found for word, found in words if word in text), "other")


def _is_positive(text: Number) -> bool:
    try:
        return reading.number(text, "held_for_orders") > 0
    except Malformed:
        return False


def _refusal(response: Response) -> Refusal | None:
    try:
        return reading.rows(DECODER, response.body, "refusal")
    except Malformed:
        return None


def _code(refusal: Refusal | None) -> str:
    return "" if refusal is None or refusal.code is None else str(refusal.code)
