"""How an option's price answers to the market, as the broker figures it: of one contract's price, for one share."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeks:
    """`at`: when the broker figured them; some do so once an hour."""

    delta: Decimal
    """Between -1 and 1: what the price moves by when the underlying moves by one."""
    theta: Decimal
    """What the price moves by in a day."""
    at: datetime
