"""One account: its money, its positions, how they are margined, and every row that ever changed them.

Invariant, a property test: the wallet is what was put in, and what the movements say since; nothing else moves it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.contract import Perpetual, money
from standfast.exchange.perpetual.orders import ZERO, Kind, Role
from standfast.exchange.perpetual.positions import Position

LEVERAGE = Decimal(10)
ONE_POSITION, LONG_SIDE, SHORT_SIDE = 0, 1, 2


class ExecutionKind(StrEnum):
    TRADE = "trade"
    FUNDING = "funding"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    SETTLEMENT = "settlement"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One row of the account's executions. Of funding, the quantity is what was held and the fee what it cost."""

    id: str
    number: int
    account: str
    instrument: str
    index: int
    side: Side
    kind: ExecutionKind
    quantity: Decimal
    price: Decimal
    value: Decimal
    fee: Decimal  # negative: received
    fee_rate: Decimal
    realised: Decimal = ZERO  # fees apart
    closed: Decimal = ZERO  # how much of the quantity reduced the position
    is_maker: bool = False
    order_id: str
    link_id: str = ""
    order_number: int = 0
    order_kind: Kind | None = None
    order_quantity: Decimal = ZERO
    order_price: Decimal = ZERO
    remaining: Decimal = ZERO
    role: Role = Role.PLAIN
    mark: Decimal
    at: datetime
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one order earned by reducing a position, fees in it."""

    account: str
    instrument: str
    order_id: str
    side: Side
    quantity: Decimal
    entry_value: Decimal
    exit_value: Decimal
    earned: Decimal
    fills: int
    leverage: Decimal
    kind: ExecutionKind
    order_kind: Kind | None
    order_price: Decimal
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change of the wallet: an execution's, or money that came or went."""

    id: str
    number: int
    at: datetime
    amount: Decimal
    balance: Decimal  # after it
    execution: Execution | None = None


@dataclass(slots=True)
class Settings:
    """How one instrument is held in an account."""

    is_hedged: bool = False
    is_isolated: bool = False
    leverage: Decimal = LEVERAGE

    @property
    def indices(self) -> tuple[int, ...]:
        return (LONG_SIDE, SHORT_SIDE) if self.is_hedged else (ONE_POSITION,)


@dataclass(slots=True)
class Books:
    spec: AccountSpec
    wallet: Decimal
    created_at: datetime
    is_hedged: bool = False  # for instruments not set themselves
    is_isolated: bool = False
    positions: dict[tuple[str, int], Position] = field(default_factory=dict)  # flat ones too, once they were held
    settings: dict[str, Settings] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    version: int = 0  # of the positions: another with each change of one

    def put(self, position: Position) -> None:
        """The only way a position changes."""
        self.positions[position.instrument, position.index] = position
        self.version += 1

    def setting(self, contract: Perpetual) -> Settings:
        found = self.settings.get(contract.symbol)
        if found is None:
            leverage = min(LEVERAGE, contract.leverage_max)
            found = Settings(is_hedged=self.is_hedged, is_isolated=self.is_isolated, leverage=leverage)
            self.settings[contract.symbol] = found
        return found

    def position(self, contract: Perpetual, index: int) -> Position:
        """Flat where nothing is held."""
        found = self.positions.get((contract.symbol, index))
        leverage = self.setting(contract).leverage
        if found is None:
            return Position(account=self.spec.name, instrument=contract.symbol, index=index, leverage=leverage)
        return replace(found, leverage=leverage) if found.leverage != leverage else found

    def held(self) -> Iterator[Position]:
        """Positions that are not flat, in the order of instrument and index."""
        return (position for _, position in sorted(self.positions.items()) if position.quantity)

    def sides(self, instrument: str) -> list[Position]:
        """Those of one instrument that are not flat."""
        found = (self.positions.get((instrument, index)) for index in (ONE_POSITION, LONG_SIDE, SHORT_SIDE))
        return [position for position in found if position is not None and position.quantity]

    def is_held(self, instrument: str) -> bool:
        return bool(self.sides(instrument))

    def trade(
        self, contract: Perpetual, index: int, quantity: Decimal, price: Decimal, at: datetime
    ) -> tuple[Position, Position, Decimal]:
        """Move a holding; returns it before and after, and what that realised, fees apart."""
        before = self.position(contract, index)
        after, earned = before.traded(contract, quantity, price, at)
        after = replace(after, margin=self._margin(contract, after), seq=before.seq + 1)
        self.put(after)
        return before, after, earned

    def _margin(self, contract: Perpetual, position: Position) -> Decimal | None:
        if not self.setting(contract).is_isolated or not position.quantity:
            return None
        return abs(position.value) / position.leverage

    def set_leverage(self, contract: Perpetual, leverage: Decimal) -> None:
        self.setting(contract).leverage = leverage
        for index in (ONE_POSITION, LONG_SIDE, SHORT_SIDE):
            position = self.positions.get((contract.symbol, index))
            if position is not None:
                moved = replace(position, leverage=leverage)
                self.put(replace(moved, margin=self._margin(contract, moved)))

    def book(self, execution: Execution, movement_id: str) -> Decimal:
        """Keep the execution and move the wallet by it; returns by how much."""
        amount = execution.realised - execution.fee
        self.executions.append(execution)
        position = self.positions[execution.instrument, execution.index]
        earned, ever = position.realised + amount, position.realised_ever + amount
        self.put(replace(position, realised=earned, realised_ever=ever))
        self.move(amount, movement_id, execution.at, execution)
        if execution.closed:
            self._outcome(execution)
        return amount

    def move(self, amount: Decimal, movement_id: str, at: datetime, execution: Execution | None = None) -> None:
        self.wallet += amount
        number = len(self.movements) + 1
        self.movements.append(
            Movement(id=movement_id, number=number, at=at, amount=amount, balance=self.wallet, execution=execution)
        )

    def _outcome(self, execution: Execution) -> None:
        """One row for an order, grown with each fill of it that reduces."""
        share = execution.closed / execution.quantity
        exit_value = execution.value * share
        earned = execution.realised - money(execution.fee * share)
        direction = -1 if execution.side is Side.BUY else 1
        last = self.outcomes[-1] if self.outcomes else None
        if last is not None and last.order_id == execution.order_id:
            self.outcomes[-1] = replace(
                last,
                quantity=last.quantity + execution.closed,
                entry_value=last.entry_value + exit_value - direction * execution.realised,
                exit_value=last.exit_value + exit_value,
                earned=last.earned + earned,
                fills=last.fills + 1,
                updated_at=execution.at,
            )
            return
        self.outcomes.append(
            Outcome(
                account=self.spec.name,
                instrument=execution.instrument,
                order_id=execution.order_id,
                side=execution.side,
                quantity=execution.closed,
                entry_value=exit_value - direction * execution.realised,
                exit_value=exit_value,
                earned=earned,
                fills=1,
                leverage=self.positions[execution.instrument, execution.index].leverage,
                kind=execution.kind,
                order_kind=execution.order_kind,
                order_price=execution.order_price,
                created_at=execution.at,
                updated_at=execution.at,
            )
        )
