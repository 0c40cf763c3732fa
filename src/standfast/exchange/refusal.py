"""The one way the exchange says no: nothing happened, and why.

Codes and statuses are Alpaca's (brokers/README §1.9); the wording follows its recordings.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

NOT_ALLOWED = 40310000
NOT_FOUND = 40410000
BAD_CLIENT_ID = 40010001
BAD_PARAMETER = 42210000


class Cause(StrEnum):
    """What a refusal is about, for dialects that have words of their own for it."""

    REQUEST = "request"
    POWER = "power"  # not enough money, or collateral
    HELD = "held"  # more than is held, or free


class Refused(Exception):
    """A request that was not carried out. `details`: further keys of the reply's body."""

    def __init__(
        self,
        http_status: int,
        code: int,
        message: str,
        details: Mapping[str, str | list[str]] | None = None,
        *,
        cause: Cause = Cause.REQUEST,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message
        self.cause = cause
        self.details: Mapping[str, str | list[str]] = MappingProxyType(dict(details or {}))


def not_allowed(message: str, *, cause: Cause = Cause.REQUEST, **details: str | list[str]) -> Refused:
    return Refused(403, NOT_ALLOWED, message, details, cause=cause)


def not_found(message: str) -> Refused:
    return Refused(404, NOT_FOUND, message)


def bad_parameter(message: str, *, cause: Cause = Cause.REQUEST, **details: str | list[str]) -> Refused:
    return Refused(422, BAD_PARAMETER, message, details, cause=cause)


def bad_client_id(message: str) -> Refused:
    return Refused(422, BAD_CLIENT_ID, message)
