"""What an answer to a request means: the three outcomes of a write, and the kinds of refusal.

Invariants
- Only a refusal of Tradier's own shape is `Rejected`: `errors` in JSON, or the short plain text of a 400. A page of
  somebody between us and Tradier proves nothing, and is `OutcomeUnknown`.
- A 404 or 502 proves nothing either: both are seen on valid paths (brokers/README §2.8). Only a cancel believes a 404
  in Tradier's words: it says nothing about the order but that it is to be asked for.
- A success can be a refusal: 200 with `errors` is one, and so is an order whose status is not "ok".
"""

import re

import msgspec

from standfast.brokers.shared.reading import rows, shown
from standfast.brokers.shared.transport import Response
from standfast.brokers.tradier.rows import Acceptance, AcceptanceReply, RefusalReply, each
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.ids import BrokerOrderId
from standfast.model.secret import redact

REFUSAL = msgspec.json.Decoder(RefusalReply)
ACCEPTANCE = msgspec.json.Decoder(AcceptanceReply)
REFUSING = frozenset({400, 403, 422})
PLAIN = re.compile(r"[ -~\s]{1,400}", re.ASCII)
TOLD_MAX = 300


def failure(method: str, response: Response, retry_after: float | None) -> BrokerError:
    """The error that this answer, which is no success, stands for."""
    if is_over_rate(response):
        return Rejected(
            f"over the request limit ({response.status})", kind="rate_limited", code="429", retry_after=retry_after
        )
    if response.status == 401:
        return Unauthorised("the token is refused (401)")
    said = reasons(response)
    if method == "DELETE" and response.status == 404 and said:
        return Rejected(_told("; ".join(said), 404), kind="not_found", code="404")
    if response.status not in REFUSING or not said:
        return OutcomeUnknown(f"answered {response.status}, which proves nothing")
    text = "; ".join(said)
    return Rejected(_told(text, response.status), kind=kind(method, text), code=str(response.status))


def is_over_rate(response: Response) -> bool:
    if response.status == 429:
        return True
    fault = _refusal(response)
    code = fault.fault.detail.errorcode if fault is not None and fault.fault is not None else ""
    return response.status != 200 and "quotaviolation" in code.lower()


def reasons(response: Response) -> list[str]:
    """What Tradier itself gives as reasons; none where the words are somebody else's."""
    refusal = _refusal(response)
    if refusal is not None and refusal.errors is not None:
        return each(refusal.errors.error)
    if refusal is not None and refusal.fault is not None:
        return [refusal.fault.faultstring or refusal.fault.detail.errorcode]
    if response.status not in REFUSING | {404}:
        return []
    text = response.body[: TOLD_MAX + 100].decode(errors="replace").strip()
    is_plain = PLAIN.fullmatch(text) is not None and not text.startswith(("<", "{", "["))
    return [text] if is_plain and len(response.body) <= TOLD_MAX else []


def accepted(method: str, response: Response) -> BrokerOrderId:
    """The id under which a write was taken. Raises Rejected for what a success says is none, else OutcomeUnknown."""
    said = reasons(response)
    if said:
        raise Rejected(_told("; ".join(said), 200), kind=kind(method, "; ".join(said)), code="200")
    try:
        found = rows(ACCEPTANCE, response.body, "acceptance").order
    except Malformed as error:
        raise OutcomeUnknown(f"the answer cannot be understood: {error}") from None
    if found.status.lower() == "ok" and found.id is not None:
        return BrokerOrderId(str(found.id))
    text = _own_errors(found)
    if not text:
        raise OutcomeUnknown(f"the answer is neither yes nor no: {shown(response.body)}")
    raise Rejected(_told(text, 200), kind=kind(method, text), code="200")


def _own_errors(found: Acceptance) -> str:
    """The old form of a refusal: beside the order's own fields."""
    raw = bytes(found.errors)
    if not raw or found.id is not None:
        return ""
    try:
        text = msgspec.json.decode(raw, type=str)
    except ValueError:
        return ""
    return text[:TOLD_MAX]


def kind(method: str, text: str) -> str:
    """Our word for a refusal; `other` where nothing known fits."""
    lowered = text.lower()
    found = next((ours for words, ours in BY_TEXT if words in lowered), "other")
    if method == "DELETE" and found == "other":
        return "not_cancellable"
    return found


BY_TEXT = (
    ("finalized state", "not_cancellable"),
    ("check open orders", "held_quantity"),
    ("not found", "not_found"),
    ("buying power", "buying_power"),
    ("not enough shares", "other"),
    ("price", "price"),
    ("tick", "price"),
    ("not tradable", "not_tradable"),
    ("invalid symbol", "not_tradable"),
    ("restricted", "not_tradable"),
    ("halt", "not_tradable"),
    ("easy to borrow", "not_tradable"),
)


def _told(text: str, status: int) -> str:
    return f"{redact(text)} ({status})".replace("\n", " ")[:TOLD_MAX]  # before it is cut


def _refusal(response: Response) -> RefusalReply | None:
    try:
        return rows(REFUSAL, response.body, "refusal")
    except Malformed:
        return None
