"""What happens to a position without its owner: liquidation, auto-deleveraging, settlement, funding.

Each is booked as an execution with its own kind, under an order that nobody placed and no list of orders shows.

Invariant: an account is liquidated as soon as its equity is no more than what it has to maintain, and never before.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import Books, Execution, ExecutionKind
from standfast.exchange.perpetual.contract import Perpetual, Standing, money
from standfast.exchange.perpetual.cushions import Cushions
from standfast.exchange.perpetual.floor import Floor
from standfast.exchange.perpetual.lifecycle import Lifecycle
from standfast.exchange.perpetual.orders import ZERO, Ended, Order, PriceBy, Role, Status, Ticket
from standfast.exchange.perpetual.positions import Position, State

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROLES = {
    ExecutionKind.LIQUIDATION: Role.LIQUIDATION,
    ExecutionKind.ADL: Role.ADL,
    ExecutionKind.SETTLEMENT: Role.SETTLEMENT,
    ExecutionKind.DELIVERY: Role.SETTLEMENT,
    ExecutionKind.FUNDING: Role.FUNDING,
}


class Forced:
    def __init__(self, floor: Floor, lifecycle: Lifecycle) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        self._cushions = Cushions(floor)
        for contract in [prices.contract for prices in floor.prices.values()]:
            self.plan_funding(contract)

    # Liquidation

    def check(self, instrument: str) -> None:
        """After a change of its mark: liquidate whoever can no longer keep what is held."""
        for books in self._floor.accounts.values():
            if books.is_held(instrument) and not self._cushions.is_safe(books, instrument):
                self.check_account(books)

    def check_account(self, books: Books) -> None:
        floor = self._floor
        for position in list(books.held()):
            if position.margin is not None and self._is_lost(position):
                self.liquidate(position)
        crossed = [position for position in books.held() if position.margin is None]
        if crossed and floor.equity(books) <= floor.maintenance(books):
            for order in floor.unfinished_of(books.spec.name):
                self._lifecycle.finish(order, Ended.BEFORE_LIQUIDATION)
            for position in crossed:
                self.liquidate(position)

    def _is_lost(self, position: Position) -> bool:
        contract, mark = self._floor.contract(position.instrument), self._floor.mark(position.instrument)
        behind = (position.margin or ZERO) + position.unrealised(contract, mark)
        return behind <= position.maintenance(contract, mark)

    def liquidate(self, position: Position, price: Decimal | None = None) -> Order:
        """Taken over at the price at which nothing is left behind it, or at the one given."""
        floor, contract = self._floor, self._floor.contract(position.instrument)
        for order in floor.unfinished_of(position.account, position.instrument):
            if order.index == position.index:
                self._lifecycle.finish(order, Ended.BEFORE_LIQUIDATION)
        self._show(position, State.LIQUIDATING)
        bust = floor.liquidation_price(position, bust=True) or contract.tick
        down = ROUND_CEILING if position.quantity > 0 else ROUND_FLOOR
        on_tick = (bust / contract.tick).to_integral_value(down) * contract.tick
        return self._close(position, abs(position.quantity), price or on_tick, ExecutionKind.LIQUIDATION)

    # Auto-deleveraging and settlement

    def deleverage(self, position: Position, quantity: Decimal, price: Decimal) -> Order:
        """ValueError for more than is held."""
        if not ZERO < quantity <= abs(position.quantity):
            raise ValueError(f"{quantity} of {position.quantity} held cannot be deleveraged")
        floor = self._floor
        for order in floor.unfinished_of(position.account, position.instrument):
            if order.index == position.index and order.is_working:
                self._lifecycle.finish(order, Ended.BEFORE_ADL)
        self._show(position, State.DELEVERAGING)
        return self._close(position, quantity, price, ExecutionKind.ADL)

    def settle(self, instrument: str, price: Decimal, kind: ExecutionKind) -> None:
        """The instrument ends: every order is cancelled, every position closed at this price."""
        floor = self._floor
        contract = floor.contract(instrument)
        floor.list_contract(replace(contract, standing=Standing.SETTLING))
        for order in floor.unfinished(instrument):
            if not floor.orders[order.id].is_finished:
                self._lifecycle.finish(floor.orders[order.id], Ended.SETTLEMENT)
        for books in floor.accounts.values():
            for position in [held for held in books.held() if held.instrument == instrument]:
                self._close(position, abs(position.quantity), price, kind)
        floor.list_contract(replace(contract, standing=Standing.CLOSED))

    def _close(self, position: Position, quantity: Decimal, price: Decimal, kind: ExecutionKind) -> Order:
        floor = self._floor
        side = Side.SELL if position.quantity > 0 else Side.BUY
        ticket = Ticket(
            instrument=position.instrument, side=side, quantity=quantity, index=position.index, reduce_only=True
        )
        order = Order(
            id=floor.ids.uuid(),
            number=floor.next_number(),
            account=position.account,
            ticket=ticket,
            role=ROLES[kind],
            status=Status.NEW,
            created_at=floor.now,
            updated_at=floor.now,
            price_then=floor.price(position.instrument, PriceBy.LAST) or price,
        )
        filled = self._lifecycle.fill(floor.record(order), quantity, price, kind=kind)
        books = floor.accounts[position.account]
        self._show(books.position(floor.contract(position.instrument), position.index), State.NORMAL)
        return filled

    def _show(self, position: Position, state: State) -> None:
        """What a client is told of the position while this goes on."""
        books = self._floor.accounts[position.account]
        books.put(replace(position, state=state))
        self._floor.tell_position(position.account, position.instrument, position.index)

    # Funding

    def plan_funding(self, contract: Perpetual) -> None:
        """At each whole multiple of its period since the epoch, as long as it trades."""
        floor = self._floor
        due = next_funding(contract, floor.now)
        symbol = contract.symbol

        def fund() -> None:
            now = floor.contract(symbol)
            if now.standing is Standing.TRADING:
                self.fund(symbol)
                self.plan_funding(now)

        floor.agenda.put(due, fund)

    def fund(self, instrument: str) -> None:
        """A positive rate is paid by those who are long, of the value at mark."""
        floor, contract, mark = self._floor, self._floor.contract(instrument), self._floor.mark(instrument)
        if not mark:
            return
        for books in floor.accounts.values():
            for position in [held for held in books.held() if held.instrument == instrument]:
                self._pay(books, contract, position, mark)
            self.check_account(books)

    def _pay(self, books: Books, contract: Perpetual, position: Position, mark: Decimal) -> None:
        floor = self._floor
        value = contract.value(position.quantity, mark)
        assert position.side is not None, "only what is held is funded"
        execution = Execution(
            id=floor.ids.uuid(),
            number=floor.execution_number(),
            account=books.spec.name,
            instrument=contract.symbol,
            index=position.index,
            side=position.side,
            kind=ExecutionKind.FUNDING,
            quantity=abs(position.quantity),
            price=mark,
            value=abs(value),
            fee=money(value * contract.funding_rate),
            fee_rate=contract.funding_rate * position.direction,
            order_id=floor.ids.uuid(),
            role=Role.FUNDING,
            mark=mark,
            at=floor.now,
            seq=floor.next_seq(),
        )
        amount = books.book(execution, floor.ids.uuid())
        floor.tell_execution(execution)
        floor.tell_wallet(books.spec.name, amount, "funding")


def next_funding(contract: Perpetual, now: datetime) -> datetime:
    """The first after `now`."""
    periods = (now - EPOCH) // contract.funding_every + 1
    return EPOCH + periods * contract.funding_every


def last_funding(contract: Perpetual, now: datetime) -> datetime:
    return next_funding(contract, now) - contract.funding_every
