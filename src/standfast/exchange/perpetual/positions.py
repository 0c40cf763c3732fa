"""One side of one instrument in one account: what is held, what it cost, what it ties up and where it dies.

Invariants, each a property test: a position's value is average cost, released in proportion when it is reduced and
wholly when it is flat, so what is realised over a round trip is exact; equity at the liquidation price is what the
position has to maintain.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.orders import Side
from standfast.exchange.perpetual.contract import Perpetual
from standfast.exchange.perpetual.orders import ZERO


class State(StrEnum):
    NORMAL = "normal"
    LIQUIDATING = "liquidating"
    DELEVERAGING = "deleveraging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """`quantity` and `value` are signed, short negative; `value` is what it cost, in money."""

    account: str
    instrument: str
    index: int
    leverage: Decimal
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    margin: Decimal | None = None  # set aside for it alone; None: it draws on the whole account
    realised: Decimal = ZERO  # since it was opened, fees and funding in it
    realised_ever: Decimal = ZERO
    opened_at: datetime | None = None  # of the position there is, or was last
    updated_at: datetime | None = None
    state: State = State.NORMAL
    seq: int = 0

    @property
    def direction(self) -> int:
        return (self.quantity > 0) - (self.quantity < 0)

    @property
    def side(self) -> Side | None:
        """The side of the order that opens it; None when flat."""
        return None if not self.quantity else Side.BUY if self.quantity > 0 else Side.SELL

    def average(self, contract: Perpetual) -> Decimal:
        return self.value / self.quantity / contract.contract_size if self.quantity else ZERO

    def unrealised(self, contract: Perpetual, mark: Decimal) -> Decimal:
        return contract.value(self.quantity, mark) - self.value

    def initial_margin(self, contract: Perpetual, mark: Decimal) -> Decimal:
        return abs(contract.value(self.quantity, mark)) / self.leverage

    def maintenance(self, contract: Perpetual, mark: Decimal) -> Decimal:
        return abs(contract.value(self.quantity, mark)) * contract.maintenance_rate

    def traded(
        self, contract: Perpetual, quantity: Decimal, price: Decimal, at: datetime
    ) -> tuple["Position", Decimal]:
        """After a signed execution, and what that realised, fees apart. It may cross to the other side."""
        value = contract.value(quantity, price)
        if self.quantity * quantity >= 0:
            opened = self if self.quantity else replace(self, opened_at=at, realised=ZERO)
            return replace(opened, quantity=self.quantity + quantity, value=self.value + value, updated_at=at), ZERO
        closing = min(abs(quantity), abs(self.quantity)).copy_sign(quantity)
        released = self.value if closing == -self.quantity else self.value * -closing / self.quantity
        earned = contract.value(-closing, price) - released
        left = replace(self, quantity=self.quantity + closing, value=self.value - released, updated_at=at)
        if closing == quantity:
            return left, earned
        crossed, _ = left.traded(contract, quantity - closing, price, at)
        return crossed, earned

    def dies_at(self, contract: Perpetual, mark: Decimal, equity: Decimal, *, rate: Decimal) -> Decimal | None:
        """The mark at which `equity`, moving with this position alone, is `rate` of its value; None when there is none.

        `equity`: what stands behind the position now, less what other positions have to maintain.
        """
        if not self.quantity:
            return None
        at_zero = equity - contract.value(self.quantity, mark)
        price = -at_zero / (contract.value(self.quantity, Decimal(1)) * (1 - rate * self.direction))
        return price if price > 0 else None
