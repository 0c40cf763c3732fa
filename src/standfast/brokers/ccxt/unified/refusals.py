"""What ccxt's errors mean: the three outcomes of a write, and the kinds of refusal.

Invariant: of a request that has left only an error that stands for a refusal is `Rejected`; any other leaves it open.
"""

from collections.abc import Mapping

from standfast.brokers.ccxt.unified.calling import Captured, Writing
from standfast.brokers.shared.transport import Response
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.secret import redact

TOLD_MAX = 300
KEYS = frozenset({"AuthenticationError", "PermissionDenied", "AccountNotEnabled", "AccountSuspended"})
OVER_RATE = frozenset({"RateLimitExceeded", "DDoSProtection"})
REFUSALS: Mapping[str, str] = {
    "InsufficientFunds": "buying_power",
    "DuplicateOrderId": "duplicate_id",
    "OrderNotFound": "not_found",
    "OrderNotCached": "not_found",
    "CancelPending": "not_cancellable",
    "OrderImmediatelyFillable": "price",
    "OrderNotFillable": "price",
    "ContractUnavailable": "not_tradable",
    "BadSymbol": "not_tradable",
    "MarketClosed": "not_tradable",
    "InvalidOrder": "other",
    "OperationRejected": "other",
    "BadRequest": "other",
    "InvalidNonce": "clock",
    "NotSupported": "other",
    "ArgumentsRequired": "other",
}
"""Errors of ccxt's that the exchange's own codes are mapped to by name, and what we call them."""
OVER_RATE_STATUS = frozenset({418, 429})


def is_over_rate(response: Response) -> bool:
    return response.status in OVER_RATE_STATUS


def failure(method: str, response: Response, retry_after: float | None) -> BrokerError:
    """Of a status that is no answer at all."""
    return OutcomeUnknown(f"answered {response.status}, which proves nothing")


def read_error(error: Exception) -> BrokerError:
    """Of a read."""
    found = _refusal(error)
    if found is not None:
        return found
    kinds = _kinds(error)
    if "NetworkError" in kinds or "OperationFailed" in kinds or "ExchangeError" in kinds:
        return OutcomeUnknown(_told(error))
    return Malformed(f"ccxt cannot read the answer: {_told(error)}")


def write_error(error: Exception, writing: Writing) -> BrokerError:
    """Of a write: what ccxt says before anything has left is a refusal of its own."""
    if not writing.left:
        return Rejected(f"{_told(error)}: it was not sent", kind="other", code="local")
    return _refusal(error) or OutcomeUnknown(f"it proves nothing: {_told(error)}")


def _refusal(error: Exception) -> BrokerError | None:
    kinds = _kinds(error)
    if kinds & KEYS:
        return Unauthorised(_told(error))
    if kinds & OVER_RATE:
        return Rejected(f"over the request limit: {_told(error)}", kind="rate_limited", code="429")
    name = next((each for each in REFUSALS if each in kinds), None)
    return None if name is None else Rejected(_told(error), kind=REFUSALS[name], code=name)


def _kinds(error: Exception) -> frozenset[str]:
    assert not isinstance(error, Captured)
    return frozenset(each.__name__ for each in type(error).__mro__)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {redact(str(error))[:TOLD_MAX]}".replace("\n", " ")
