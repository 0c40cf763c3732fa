"""Cash, positions and what is promised to resting orders.

Invariants: cash moves only by fills, fees and funding; a position's cost is average cost, released in proportion when it
is reduced and wholly when it is flat, so realised profit and loss over a round trip is exact.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """One account to open. `multiplier`: 1 (cash, no shorting), 2 or 4."""

    name: str
    key_id: str
    secret: str
    cash: Decimal = Decimal(100_000)
    multiplier: int = 4
    shorting_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account as the broker shows it."""

    id: str
    name: str
    key_id: str
    created_at: datetime
    cash: Decimal
    equity: Decimal
    last_equity: Decimal  # at the last session close
    long_market_value: Decimal
    short_market_value: Decimal  # negative or zero
    initial_margin: Decimal
    maintenance_margin: Decimal
    buying_power: Decimal
    multiplier: int
    shorting_enabled: bool
    fees: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """One position as the broker shows it. `quantity`, `cost_basis` and `market_value` are signed: short negative."""

    instrument: str
    asset_id: str
    quantity: Decimal
    available: Decimal  # unsigned: |quantity| less what resting exits hold
    average_entry_price: Decimal
    cost_basis: Decimal
    current_price: Decimal | None
    last_close: Decimal | None
    market_value: Decimal | None
    unrealised: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFill:
    """One execution with the profit or loss it realised (average cost, fees apart)."""

    account: str
    order_id: str
    execution_id: str
    instrument: str
    quantity: Decimal  # signed
    price: Decimal
    realised: Decimal
    at: datetime
    day: date  # New York


@dataclass(slots=True)
class Truth:
    """What the exchange knows to be so, kept apart from everything a client may ask."""

    fills: list[TrueFill] = field(default_factory=list)
    fees: Decimal = ZERO

    @property
    def realised(self) -> Decimal:
        return sum((fill.realised for fill in self.fills), ZERO)

    def realised_by_instrument(self) -> dict[str, Decimal]:
        total: dict[str, Decimal] = {}
        for fill in self.fills:
            total[fill.instrument] = total.get(fill.instrument, ZERO) + fill.realised
        return total

    def realised_by_day(self) -> dict[date, Decimal]:
        total: dict[date, Decimal] = {}
        for fill in self.fills:
            total[fill.day] = total.get(fill.day, ZERO) + fill.realised
        return total
