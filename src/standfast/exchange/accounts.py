"""Cash, positions and what is promised to resting orders.

Invariants: cash moves only by fills, fees and funding; a position's cost is average cost, released in proportion when
it is reduced and wholly when it is flat, so realised profit and loss over a round trip is exact.

Options are paid for in full and are no collateral; what short ones may cost is set aside (`collateral`).
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
    option_long_value: Decimal = ZERO
    option_short_value: Decimal = ZERO  # negative or zero
    option_requirement: Decimal = ZERO
    option_buying_power: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """One position as the broker shows it. `quantity`, `cost_basis` and `market_value` are signed: short negative.

    Prices are per unit of price; cost and value are money, an option's multiplier in them.
    """

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
    number: int = 0  # 1, 2, 3 ... in the order in which the account's positions were opened
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFill:
    """One execution with the profit or loss it realised (average cost, fees apart).

    `kind`: "trade", or what ended an option without an order: expiry, exercise, assignment, settlement; "bust" and
    "correction" for what was undone of a trade.
    """

    account: str
    order_id: str
    execution_id: str
    instrument: str
    quantity: Decimal  # signed
    price: Decimal
    realised: Decimal
    at: datetime
    day: date  # New York
    kind: str = "trade"


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


@dataclass(slots=True)
class Position:
    """Signed quantity and signed cost: a short's cost is what its sale brought in, negative."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    number: int = 0
    opened_at: datetime | None = None

    def trade(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Add a signed quantity; returns the profit or loss realised by the part that reduced the position.

        `price`: money for one unit, the multiplier in it.
        """
        if self.quantity * quantity >= 0:
            self.quantity += quantity
            self.cost += quantity * price
            return ZERO
        closing = min(abs(quantity), abs(self.quantity)).copy_sign(self.quantity)
        released = self.cost if closing == self.quantity else self.cost * closing / self.quantity
        self.quantity -= closing
        self.cost -= released
        opening = quantity + closing
        self.quantity += opening
        self.cost += opening * price
        return closing * price - released


@dataclass(slots=True)
class Worth:
    """The value of many holdings, long and short apart."""

    long: Decimal = ZERO
    short: Decimal = ZERO  # negative or zero

    @property
    def net(self) -> Decimal:
        return self.long + self.short

    @property
    def gross(self) -> Decimal:
        return self.long - self.short

    def change(self, old: Decimal, new: Decimal) -> None:
        self.long += max(new, ZERO) - max(old, ZERO)
        self.short += min(new, ZERO) - min(old, ZERO)


class Account:
    """One account's money and positions. Market values are kept as sums, so that reading equity is cheap."""

    def __init__(self, spec: AccountSpec, account_id: str, created_at: datetime) -> None:
        self.spec = spec
        self.id = account_id
        self.created_at = created_at
        self.cash = spec.cash
        self.last_equity = spec.cash
        self.positions: dict[str, Position] = {}
        self.truth = Truth()
        self.reserved = ZERO  # what resting opening orders would cost
        self._reserved_for: dict[str, Decimal] = {}
        self.requirement = ZERO  # what short options may cost
        self.options: dict[str, None] = {}  # those held
        self._values: dict[str, Decimal] = {}
        self._worth = Worth()
        self._option_worth = Worth()
        self._opened = 0

    @property
    def equity(self) -> Decimal:
        return self.cash + self._worth.net + self._option_worth.net

    @property
    def buying_power(self) -> Decimal:
        """Multiplier times what is not bound, less the stock held and what resting openings would cost."""
        free = self.cash + self._worth.net - self.requirement
        return max(ZERO, free * self.spec.multiplier - self._worth.gross - self.reserved)

    @property
    def option_buying_power(self) -> Decimal:
        """What may be spent where nothing is lent."""
        return self.buying_power / self.spec.multiplier

    def net(self, instrument: str) -> Decimal:
        """Signed quantity held."""
        position = self.positions.get(instrument)
        return ZERO if position is None else position.quantity

    def trade(self, instrument: str, quantity: Decimal, price: Decimal, at: datetime | None = None) -> Decimal:
        """Book a signed execution; returns what it realised. `price`: money for one unit, the multiplier in it."""
        position = self.positions.get(instrument)
        if position is None:
            self._opened += 1
            position = self.positions[instrument] = Position(number=self._opened, opened_at=at)
        realised = position.trade(quantity, price)
        self.cash -= quantity * price
        if not position.quantity:
            del self.positions[instrument]
        return realised

    def put_back(self, instrument: str, quantity: Decimal, cost: Decimal, cash: Decimal, at: datetime) -> Decimal:
        """Move a holding, its cost and the money by hand; returns the cost that is left where nothing is held."""
        self.cash += cash
        position = self.positions.get(instrument)
        if position is None:
            self._opened += 1
            position = self.positions[instrument] = Position(number=self._opened, opened_at=at)
        position.quantity += quantity
        position.cost += cost
        if position.quantity:
            return ZERO
        return self.positions.pop(instrument).cost

    def revalue(self, instrument: str, price: Decimal, *, is_option: bool = False) -> None:
        """Value the holding at this price of one unit."""
        net = self.net(instrument)
        old, new = self._values.get(instrument, ZERO), net * price
        if is_option and net:
            self.options[instrument] = None
        elif is_option:
            self.options.pop(instrument, None)
        (self._option_worth if is_option else self._worth).change(old, new)
        self._values[instrument] = new

    def reserve(self, order_id: str, amount: Decimal) -> None:
        """Set what one order would cost; zero releases it."""
        self.reserved += amount - self._reserved_for.pop(order_id, ZERO)
        if amount:
            self._reserved_for[order_id] = amount

    def reserved_for(self, order_id: str) -> Decimal:
        return self._reserved_for.get(order_id, ZERO)

    def view(self) -> AccountView:
        exposure = self._worth.gross
        return AccountView(
            id=self.id,
            name=self.spec.name,
            key_id=self.spec.key_id,
            created_at=self.created_at,
            cash=self.cash,
            equity=self.equity,
            last_equity=self.last_equity,
            long_market_value=self._worth.long + self._option_worth.long,
            short_market_value=self._worth.short + self._option_worth.short,
            initial_margin=exposure / 2 + self.requirement,
            maintenance_margin=exposure * 3 / 10 + self.requirement,
            buying_power=self.buying_power,
            multiplier=self.spec.multiplier,
            shorting_enabled=self.spec.shorting_enabled and self.spec.multiplier > 1,
            fees=self.truth.fees,
            option_long_value=self._option_worth.long,
            option_short_value=self._option_worth.short,
            option_requirement=self.requirement,
            option_buying_power=self.option_buying_power,
        )
