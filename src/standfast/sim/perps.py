"""What a plan of perpetual futures has beside what every plan has."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Perps:
    """How the account holds contracts, and at which exchange."""

    at: str
    """"bybit" or "binance"."""
    hedged: bool
    isolated: bool
    leverage: Decimal
    cash: Decimal
    funding_every: timedelta
    funding_rate: Decimal
    lag: tuple[float, float] | None
    """Seconds by which the positions are late, all the time, drawn for each read; None: they are not."""
