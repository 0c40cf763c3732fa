"""What a rule of the operator's own is shown of a position. Standard library only: it is imported beside his code."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One open position at one moment. Prices are per unit, in the account's currency."""

    position: str
    account: str
    strategy: str
    instrument: str
    quantity: Decimal
    """Signed: negative is short."""
    entry_price: Decimal
    opened_at: datetime
    """When it was opened, or adopted. UTC, as are all times."""
    bid: Decimal
    ask: Decimal
    result: Decimal
    """Signed return on entry, were it closed now: 0.02 is two per cent gained."""
    now: datetime
