"""The state of the exchange, and the few ways to change it that everything else is made of.

Rooms above it: `admission` judges a request, `lifecycle` moves orders, `stops` keeps a position's own, `forced` does
what nobody asked for.

Invariants: every change of an order goes through `record`; every event goes through `tell`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.ids import Ids
from standfast.exchange.perpetual.books import Books, Execution
from standfast.exchange.perpetual.contract import Perpetual, Standing
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.orders import ZERO, Order, PriceBy
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.perpetual.prices import Prices
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.perpetual.rules import FillPolicy, PerpetualRules
from standfast.exchange.timeline import Timeline


class Floor(Timeline[Event]):
    def __init__(
        self,
        contracts: Iterable[Perpetual],
        accounts: Iterable[AccountSpec],
        *,
        start: datetime,
        seed: int,
        rules: PerpetualRules,
        fills: FillPolicy,
    ) -> None:
        super().__init__(start)
        self.opened_at = start
        self.rules = rules
        self.fills = fills
        self.ids = Ids(seed)
        self.halted: set[str] = set()
        self.prices = {contract.symbol: Prices(contract) for contract in contracts}
        self.accounts = {spec.name: Books(spec, spec.cash, start) for spec in accounts}
        self.orders: dict[str, Order] = {}  # in the order they came
        self._links: dict[tuple[str, str], str] = {}
        self._unfinished: dict[str, dict[str, None]] = {}  # by instrument
        self._working: dict[str, dict[str, None]] = {name: {} for name in self.accounts}
        self._of_account: dict[str, list[str]] = {name: [] for name in self.accounts}
        self._numbered: list[str] = []
        self._events = 0
        self._seq = 0
        self._executions = 0

    # Contracts and prices

    def contract(self, instrument: str) -> Perpetual:
        """Refused when there is none."""
        prices = self.prices.get(instrument)
        if prices is None:
            raise PerpetualRefused(No.UNKNOWN_INSTRUMENT, f"symbol invalid: {instrument}")
        return prices.contract

    def list_contract(self, contract: Perpetual) -> None:
        """A new one, or one in the place of the one of its name."""
        known = self.prices.get(contract.symbol)
        if known is None:
            self.prices[contract.symbol] = Prices(contract)
        else:
            known.contract = contract

    def price(self, instrument: str, by: PriceBy) -> Decimal | None:
        return self.prices[instrument].get(by)

    def mark(self, instrument: str) -> Decimal:
        return self.prices[instrument].mark or ZERO

    def is_trading(self, instrument: str) -> bool:
        return instrument not in self.halted and self.prices[instrument].contract.standing is Standing.TRADING

    # Orders

    def record(self, order: Order) -> Order:
        if order.id not in self.orders:
            self._numbered.append(order.id)
            self._of_account[order.account].append(order.id)
            if order.ticket.link_id:
                self._links[order.account, order.ticket.link_id] = order.id
        self._seq += 1
        order = replace(order, seq=self._seq)
        self.orders[order.id] = order
        for waiting in (self._unfinished.setdefault(order.instrument, {}), self._working[order.account]):
            if order.is_finished:
                waiting.pop(order.id, None)
            else:
                waiting[order.id] = None
        return order

    def next_number(self) -> int:
        return len(self._numbered) + 1

    def by_number(self, number: int) -> Order | None:
        return self.orders[self._numbered[number - 1]] if 0 < number <= len(self._numbered) else None

    def by_link(self, account: str, link_id: str) -> Order | None:
        order_id = self._links.get((account, link_id))
        return None if order_id is None else self.orders[order_id]

    def unfinished(self, instrument: str) -> list[Order]:
        """Of every account, oldest first."""
        return [self.orders[order_id] for order_id in self._unfinished.get(instrument, ())]

    def unfinished_of(self, account: str, instrument: str | None = None) -> list[Order]:
        """Of one account, by instrument and oldest first."""
        orders = (self.orders[order_id] for order_id in self._working[account])
        found = [order for order in orders if instrument in (None, order.instrument)]
        return sorted(found, key=lambda order: (order.instrument, order.number))

    def orders_of(self, account: str) -> list[Order]:
        """Every one there ever was, oldest first."""
        return [self.orders[order_id] for order_id in self._of_account[account]]

    # Money

    def equity(self, books: Books) -> Decimal:
        """Wallet and what is not realised, what is set aside for single positions not in it."""
        total = books.wallet
        for position in books.held():
            if position.margin is not None:
                total -= position.margin
            else:
                total += position.unrealised(self.contract(position.instrument), self.mark(position.instrument))
        return total

    def maintenance(self, books: Books) -> Decimal:
        return sum(
            (
                position.maintenance(self.contract(position.instrument), self.mark(position.instrument))
                for position in books.held()
                if position.margin is None
            ),
            ZERO,
        )

    def bound(self, books: Books) -> Decimal:
        """What positions and working orders tie up of the equity."""
        held = sum(
            (
                position.initial_margin(self.contract(position.instrument), self.mark(position.instrument))
                for position in books.held()
                if position.margin is None
            ),
            ZERO,
        )
        return held + sum((self.order_margin(books, order) for order in self.unfinished_of(books.spec.name)), ZERO)

    def order_margin(self, books: Books, order: Order) -> Decimal:
        """What a working order would tie up with what it may open. A conditional one ties up nothing."""
        if not order.is_working or is_reducing(order):
            return ZERO
        return self.margin_of(books, order, order.remaining)

    def margin_of(self, books: Books, order: Order, quantity: Decimal) -> Decimal:
        contract = self.contract(order.instrument)
        position = books.position(contract, order.index)
        opens = quantity - abs(position.quantity) if position.direction == -order.side.sign else quantity
        price = order.ticket.price or self.mark(order.instrument)
        return max(ZERO, contract.value(opens, price)) / position.leverage

    def liquidation_price(self, position: Position, *, bust: bool = False) -> Decimal | None:
        """The mark at which the account, or the margin of this one, is no longer enough; `bust`: is nothing."""
        books, contract = self.accounts[position.account], self.contract(position.instrument)
        mark = self.mark(position.instrument)
        rate = ZERO if bust else contract.maintenance_rate
        if position.margin is not None:
            behind = position.margin + position.unrealised(contract, mark)
        else:
            others = ZERO if bust else self.maintenance(books) - position.maintenance(contract, mark)
            behind = self.equity(books) - others
        return position.dies_at(contract, mark, behind, rate=rate)

    # Events

    def execution_number(self) -> int:
        self._executions += 1
        return self._executions

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def tell_order(self, kind: EventKind, order: Order) -> None:
        self._tell(kind, order.account, order.instrument, order=order)

    def tell_execution(self, execution: Execution, order: Order | None = None) -> None:
        self._tell(EventKind.EXECUTION, execution.account, execution.instrument, execution=execution, order=order)

    def tell_position(self, account: str, instrument: str, index: int, reason: str = "") -> None:
        position = self.accounts[account].position(self.contract(instrument), index)
        self._tell(EventKind.POSITION, account, instrument, position=position, reason=reason)

    def tell_wallet(self, account: str, amount: Decimal, reason: str) -> None:
        self._tell(EventKind.WALLET, account, "", amount=amount, reason=reason)

    def tell_settings(self, account: str, instrument: str) -> None:
        self._tell(EventKind.SETTINGS, account, instrument)

    def _tell(self, kind: EventKind, account: str, instrument: str, **values: object) -> None:
        self._events += 1
        plain = Event(number=self._events, kind=kind, account=account, instrument=instrument, at=self.now)
        self._untold.append(replace(plain, **values))  # type: ignore[arg-type]  # fields of an event


def is_reducing(order: Order) -> bool:
    """Whether it may only ever make its position smaller: asked to, or by the side of the position it names."""
    ticket = order.ticket
    if ticket.reduce_only or ticket.close_on_trigger or ticket.quantity is None:
        return True
    return ticket.index != 0 and (ticket.index == 1) != (ticket.side.sign > 0)
