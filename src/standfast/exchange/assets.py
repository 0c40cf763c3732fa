"""What can be traded, and the price it was last quoted at."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One tradable thing. The id is the venue's own; "" lets the engine derive one."""

    instrument: str
    id: str = ""
    name: str = ""
    asset_class: str = "us_equity"
    venue: str = "NASDAQ"
    tradable: bool = True
    fractionable: bool = True
    shortable: bool = True
    marginable: bool = True


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask, with displayed sizes in units, true at `at`."""

    instrument: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    at: datetime

    @property
    def middle(self) -> Decimal:
        return (self.bid + self.ask) / 2
