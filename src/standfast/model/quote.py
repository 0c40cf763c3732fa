"""Bid and ask, and when they were true.

A position is judged at the side one would close at: bid for long, ask for short. A quote that is zero,
crossed, one-sided or old is blind: it can wake nobody and close nothing alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.model.ids import InstrumentId

WORTHLESS = Decimal("0.10")
"""An option nobody bids for and that is offered for no more is worth nothing; dearer ones lack a bid."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices in the instrument's currency; `at` is the broker's time, `received` ours (aware UTC)."""

    bid: Decimal
    ask: Decimal
    at: datetime
    received: datetime

    @property
    def is_two_sided(self) -> bool:
        return self.bid > 0 and self.ask > 0 and self.bid <= self.ask

    @property
    def is_worthless(self) -> bool:
        """Whether it says, of an option, that it is worth next to nothing: that is a price."""
        return self.bid == 0 < self.ask <= WORTHLESS

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    def closing_price(self, sign: int) -> Decimal:
        """The price at which a holding of this sign could be closed now."""
        return self.bid if sign > 0 else self.ask

    def is_fresh(self, now: datetime, limit: timedelta) -> bool:
        """Judged by when we received it: the broker's `at` may rightly be old in a quiet market. One received at a time
        that is to come is of before the clock was put back, and nobody knows how old it is."""
        return abs(now - self.received) <= limit

    def age(self, now: datetime) -> str:
        """How old it is, for people."""
        seconds = int((now - self.received).total_seconds())
        return f"last quote {seconds} s old" if seconds >= 0 else "the last quote is of before the clock was put back"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTick:
    """A quote that is exact already (asked for, or simulated), in the form of a streamed one (`ports.Tick`)."""

    instrument: InstrumentId
    bid: float
    ask: float
    exact: Quote

    @classmethod
    def of(cls, instrument: InstrumentId, quote: Quote) -> "ExactTick":
        return cls(instrument=instrument, bid=float(quote.bid), ask=float(quote.ask), exact=quote)

    def quote(self, received: datetime) -> Quote:
        """The quote it was made of, which knows when it was received."""
        return self.exact
