"""What every store agrees on beside the ports: how long a lease lasts, how many saved books are kept, outcomes."""

from dataclasses import dataclass
from datetime import timedelta

LEASE_TIME = timedelta(seconds=15)
"""A lease not renewed for this long may be taken over. Renew at a third of it."""

SAVED_BOOKS = 2
"""The newest saved books kept per account: one more than needed, should the newest not be readable."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What became of an operator's act."""

    ok: bool
    detail: str
