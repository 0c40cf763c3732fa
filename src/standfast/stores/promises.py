"""What every store agrees on beside the ports: how long a lease lasts, how many saved books are kept, outcomes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from standfast.ports import Request

LEASE_TIME = timedelta(seconds=15)
"""A lease not renewed for this long may be taken over. Renew at a third of it."""

SAVED_BOOKS = 2
"""The newest saved books kept per account: one more than needed, should the newest not be readable."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What became of an operator's act."""

    ok: bool
    detail: str


class KeptRequest(NamedTuple):
    """An act as the ledger has it, and how far it has come."""

    request: "Request"
    is_taken: bool
    """By a guard, which has journaled it."""
    outcome: RequestOutcome | None
