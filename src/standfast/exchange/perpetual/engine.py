"""The simulated exchange for perpetual futures, as everybody outside sees it.

Synchronous, single-threaded, no I/O and no clock of its own: time moves only by `advance` (and by the `at` of a quote),
ids come from a seeded counter, every amount is a Decimal. The same seed and the same calls give the same events.

A write either takes effect or raises `PerpetualRefused`; either way it is over when the call returns, and what follows
from it is told to `listeners` in order. Clients trade with the quote, not with each other. There are no sessions.

Invariants, each a property test:

1. A wallet changes by fills, fees, funding and what the operator moves, and by nothing else.
2. An order that may only reduce never opens, never turns a position round and never fills more than is held.
3. In hedge mode the long side is never short, nor the short side long.
4. No stop of a position's own outlives it.
5. Same seed, same calls: the same events, byte for byte.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Quote
from standfast.exchange.perpetual.admission import Admission
from standfast.exchange.perpetual.books import Books, ExecutionKind, Settings
from standfast.exchange.perpetual.contract import Perpetual
from standfast.exchange.perpetual.events import Asked, Event
from standfast.exchange.perpetual.floor import Floor
from standfast.exchange.perpetual.forced import Forced
from standfast.exchange.perpetual.lifecycle import Lifecycle
from standfast.exchange.perpetual.orders import Change, Ended, Order, PriceBy, Role, Ticket
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.perpetual.prices import Prices
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.perpetual.rules import FillAll, FillPolicy, PerpetualRules
from standfast.exchange.perpetual.stops import Stops, Wish

DEFAULT_RULES = PerpetualRules()


class PerpetualEngine:
    """One exchange. Accounts are named by `AccountSpec.name` in every call."""

    def __init__(
        self,
        contracts: Iterable[Perpetual],
        accounts: Iterable[AccountSpec],
        *,
        start: datetime,
        seed: int = 0,
        rules: PerpetualRules = DEFAULT_RULES,
        fills: FillPolicy | None = None,
    ) -> None:
        """`start` is aware UTC."""
        self._floor = Floor(contracts, accounts, start=start, seed=seed, rules=rules, fills=fills or FillAll())
        self._admission = Admission(self._floor)
        self._lifecycle = Lifecycle(self._floor, self._admission)
        self._stops = Stops(self._floor, self._lifecycle)
        self._forced = Forced(self._floor, self._lifecycle)
        self.listeners: list[Callable[[Event], None]] = self._floor.listeners
        self.overhearers: list[Callable[[Asked], None]] = []
        """Told of every submit, amendment and cancel as it arrives, those that will be refused too."""

    # Time and market

    @property
    def now(self) -> datetime:
        return self._floor.now

    @property
    def opened_at(self) -> datetime:
        return self._floor.opened_at

    @property
    def rules(self) -> PerpetualRules:
        return self._floor.rules

    @rules.setter
    def rules(self, rules: PerpetualRules) -> None:
        self._floor.rules = rules

    @property
    def fills(self) -> FillPolicy:
        return self._floor.fills

    @fills.setter
    def fills(self, policy: FillPolicy) -> None:
        self._floor.fills = policy

    def advance(self, to: datetime) -> None:
        """Let everything due until `to` happen in its order. ValueError when `to` lies in the past."""
        self._floor.advance(to)

    def quote(
        self, instrument: str, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal, at: datetime
    ) -> None:
        """Advance to `at` and let the new prices trigger, fill and liquidate. KeyError for an unknown instrument,
        ValueError for a quote that is no market."""
        if not self.is_market(instrument, bid, ask):
            raise ValueError(f"{instrument}: bid {bid} and ask {ask} are no market")
        self.advance(at)
        self._floor.prices[instrument].take(Quote(instrument, bid, ask, bid_size, ask_size, at))
        self._look_again(instrument)

    def is_market(self, instrument: str, bid: Decimal, ask: Decimal) -> bool:
        """Whether one can trade on it: two sides, not crossed. KeyError for an unknown one."""
        self._floor.prices[instrument]
        return 0 < bid <= ask

    def pin(self, instrument: str, by: PriceBy, price: Decimal | None) -> None:
        """Hold the last, mark or index price there whatever the quote; None lets it follow again."""
        self._floor.prices[instrument].pin(by, price)
        self._look_again(instrument)

    def _look_again(self, instrument: str) -> None:
        for order in self._floor.unfinished(instrument):
            self._lifecycle.watch(order.id)
            self._lifecycle.look(order.id)
        self._forced.check(instrument)
        self._floor.deliver()

    def prices(self, instrument: str) -> Prices:
        """`PerpetualRefused` for an unknown one."""
        self._floor.contract(instrument)
        return self._floor.prices[instrument]

    def last_quote(self, instrument: str) -> Quote | None:
        prices = self._floor.prices.get(instrument)
        return None if prices is None else prices.quote

    def contract(self, instrument: str) -> Perpetual:
        """`PerpetualRefused` for an unknown one."""
        return self._floor.contract(instrument)

    def contracts(self) -> Sequence[Perpetual]:
        return tuple(prices.contract for prices in self._floor.prices.values())

    def open_interest(self, instrument: str) -> Decimal:
        """Everything that the accounts hold of it, whichever way."""
        held = (held for books in self._floor.accounts.values() for held in books.held())
        return sum((abs(position.quantity) for position in held if position.instrument == instrument), Decimal(0))

    def list_contract(self, contract: Perpetual) -> None:
        """Add one, or change one."""
        is_new = contract.symbol not in self._floor.prices
        self._floor.list_contract(contract)
        if is_new:
            self._forced.plan_funding(contract)

    # Accounts

    def account_names(self) -> Sequence[str]:
        return tuple(self._floor.accounts)

    def account_of_key(self, key_id: str) -> AccountSpec | None:
        """Whose key it is."""
        specs = (books.spec for books in self._floor.accounts.values())
        return next((spec for spec in specs if spec.key_id == key_id), None)

    def spec(self, account: str) -> AccountSpec:
        return self._floor.accounts[account].spec

    def books(self, account: str) -> Books:
        """Everything the exchange has booked for it. To be read."""
        return self._floor.accounts[account]

    def equity(self, account: str) -> Decimal:
        return self._floor.equity(self._floor.accounts[account])

    def maintenance(self, account: str) -> Decimal:
        return self._floor.maintenance(self._floor.accounts[account])

    def bound(self, account: str) -> Decimal:
        """Margin that positions and working orders tie up."""
        return self._floor.bound(self._floor.accounts[account])

    def order_margin(self, order: Order) -> Decimal:
        """What one working order ties up."""
        return self._floor.order_margin(self._floor.accounts[order.account], order)

    def settings(self, account: str, instrument: str) -> Settings:
        return self._floor.accounts[account].setting(self.contract(instrument))

    def set_mode(self, account: str, instrument: str, *, is_hedged: bool) -> None:
        """One position or two. Refused while there are positions or orders."""
        books, contract = self._floor.accounts[account], self.contract(instrument)
        if books.setting(contract).is_hedged == is_hedged:
            raise PerpetualRefused(No.MODE_UNCHANGED, "Position mode is not modified")
        self._check_idle(account, instrument)
        books.setting(contract).is_hedged = is_hedged
        self._settings_changed(account, instrument)

    def set_account_mode(self, account: str, *, is_hedged: bool) -> None:
        """As `set_mode`, for every instrument at once."""
        books = self._floor.accounts[account]
        if books.is_hedged == is_hedged:
            raise PerpetualRefused(No.MODE_UNCHANGED)
        self._check_idle(account)
        books.is_hedged = is_hedged
        for settings in books.settings.values():
            settings.is_hedged = is_hedged
        self._settings_changed(account, "")

    def _check_idle(self, account: str, instrument: str | None = None) -> None:
        """Modes change only where nothing is held and nothing works."""
        held = [position.instrument for position in self._floor.accounts[account].held()]
        if held and instrument in (None, *held):
            raise PerpetualRefused(No.HAS_POSITION)
        if any(self._floor.unfinished_of(account, instrument)):
            raise PerpetualRefused(No.HAS_ORDERS)

    def set_leverage(self, account: str, instrument: str, leverage: Decimal) -> None:
        books, contract = self._floor.accounts[account], self.contract(instrument)
        if books.setting(contract).leverage == leverage:
            raise PerpetualRefused(No.LEVERAGE_UNCHANGED, "leverage not modified")
        if not 1 <= leverage <= contract.leverage_max:
            raise PerpetualRefused(No.LEVERAGE, "cannot set leverage gt maxLeverage by risk limit")
        before = books.setting(contract).leverage
        books.set_leverage(contract, leverage)
        if self._floor.equity(books) < self._floor.bound(books):
            books.set_leverage(contract, before)
            raise PerpetualRefused(No.NO_MONEY)
        self._settings_changed(account, instrument)

    def set_margin_mode(self, account: str, instrument: str, *, is_isolated: bool) -> None:
        """Whether a position has margin of its own. Refused while there are positions or orders."""
        books, contract = self._floor.accounts[account], self.contract(instrument)
        if books.setting(contract).is_isolated == is_isolated:
            raise PerpetualRefused(No.MARGIN_MODE_UNCHANGED)
        self._check_idle(account, instrument)
        books.setting(contract).is_isolated = is_isolated
        self._settings_changed(account, instrument)

    def set_account_margin_mode(self, account: str, *, is_isolated: bool) -> None:
        """As `set_margin_mode`, for every instrument at once."""
        books = self._floor.accounts[account]
        if books.is_isolated == is_isolated:
            raise PerpetualRefused(No.MARGIN_MODE_UNCHANGED, "Margin mode is not modified")
        self._check_idle(account)
        books.is_isolated = is_isolated
        for settings in books.settings.values():
            settings.is_isolated = is_isolated
        self._settings_changed(account, "")

    def _settings_changed(self, account: str, instrument: str) -> None:
        self._floor.tell_settings(account, instrument)
        self._floor.deliver()

    def positions(self, account: str) -> list[Position]:
        """By instrument and index; a flat one is not in it."""
        return list(self._floor.accounts[account].held())

    def position(self, account: str, instrument: str, index: int = 0) -> Position:
        """Flat where nothing is held."""
        return self._floor.accounts[account].position(self.contract(instrument), index)

    def liquidation_price(self, position: Position, *, bust: bool = False) -> Decimal | None:
        return self._floor.liquidation_price(position, bust=bust)

    def stops(self, account: str, instrument: str, index: int = 0) -> dict[Role, Order]:
        """The position's own stops for all of it, by role."""
        return self._stops.of(account, instrument, index)

    def set_stops(self, account: str, instrument: str, index: int, wish: Wish) -> None:
        self._stops.set(account, instrument, index, wish)
        self._floor.deliver()

    # Orders

    def submit(self, account: str, ticket: Ticket) -> Order:
        """Take an order. What it becomes at once it has become when this returns; an exchange's reply says less."""
        self._overhear(Asked(account=account, at=self.now, ticket=ticket))
        self._admission.judge(account, ticket)
        order = self._lifecycle.place(account, ticket)
        self._floor.deliver()
        return order

    def judge(self, account: str, ticket: Ticket) -> None:
        """`PerpetualRefused` if the ticket could not be taken now; nothing happens either way."""
        self._admission.judge(account, ticket)

    def amend(self, account: str, order_id: str, change: Change) -> Order:
        self._overhear(Asked(account=account, at=self.now, order_id=order_id, change=change))
        order = self._unfinished(account, order_id)
        self._admission.judge_change(order, change)
        ticket = change.of(order.ticket)
        if ticket == order.ticket:
            raise PerpetualRefused(No.ORDER_UNCHANGED, "The order remains unchanged")
        order = self._lifecycle.amended(order, ticket)
        self._floor.deliver()
        return order

    def cancel(self, account: str, order_id: str, ended: Ended = Ended.BY_CLIENT) -> Order:
        """Refused when there is none, or too late."""
        self._overhear(Asked(account=account, at=self.now, order_id=order_id))
        order = self._lifecycle.finish(self._unfinished(account, order_id), ended)
        self._floor.deliver()
        return order

    def order(self, account: str, order_id: str) -> Order | None:
        order = self._floor.orders.get(order_id)
        return order if order is not None and order.account == account else None

    def order_by_link(self, account: str, link_id: str) -> Order | None:
        return self._floor.by_link(account, link_id)

    def order_by_number(self, account: str, number: int) -> Order | None:
        order = self._floor.by_number(number)
        return order if order is not None and order.account == account else None

    def orders(self, account: str) -> list[Order]:
        """Every order there ever was, oldest first, those of the exchange's own making too."""
        return self._floor.orders_of(account)

    def working(self, account: str, instrument: str | None = None) -> list[Order]:
        """Unfinished orders, conditional ones too, by instrument and oldest first."""
        return self._floor.unfinished_of(account, instrument)

    def _unfinished(self, account: str, order_id: str) -> Order:
        order = self.order(account, order_id)
        if order is None or order.is_finished:
            raise PerpetualRefused(No.NOT_FOUND, "order not exists or too late to cancel")
        return order

    def _overhear(self, asked: Asked) -> None:
        for overhearer in self.overhearers:
            overhearer(asked)

    # What only the operator of the exchange can do

    def fill_now(self, order_id: str, quantity: Decimal, price: Decimal) -> Order:
        """Force a fill of a working order, whatever the market says. ValueError when it has less left to fill."""
        order = self._floor.orders[order_id]
        if not order.is_working or not 0 < quantity <= order.remaining:
            raise ValueError(f"{order_id} is {order.status.value} with {order.remaining} left")
        order = self._lifecycle.fill(order, quantity, price)
        self._floor.deliver()
        return order

    def liquidate(self, account: str, instrument: str, index: int = 0, price: Decimal | None = None) -> Order:
        """Whatever the margin says, at the mark unless told otherwise. LookupError when there is no position."""
        position = self._held(account, instrument, index)
        order = self._forced.liquidate(position, price or self._floor.mark(instrument))
        self._floor.deliver()
        return order

    def deleverage(self, account: str, instrument: str, index: int, quantity: Decimal, price: Decimal) -> Order:
        """LookupError when there is no position, ValueError when it is smaller."""
        order = self._forced.deleverage(self._held(account, instrument, index), quantity, price)
        self._floor.deliver()
        return order

    def settle(self, instrument: str, price: Decimal, kind: ExecutionKind = ExecutionKind.SETTLEMENT) -> None:
        """End the instrument, every position in it closed at this price."""
        self._forced.settle(instrument, price, kind)
        self._floor.deliver()

    def fund(self, instrument: str, rate: Decimal | None = None) -> None:
        """Pay funding now, at this rate from now on or at the one there is."""
        if rate is not None:
            self._floor.list_contract(replace(self.contract(instrument), funding_rate=rate))
        self._forced.fund(instrument)
        self._floor.deliver()

    def halt(self, instrument: str) -> None:
        """Stop all matching in the instrument; orders are still taken."""
        self._floor.halted.add(instrument)

    def resume(self, instrument: str) -> None:
        self._floor.halted.discard(instrument)
        self._look_again(instrument)

    def move_cash(self, account: str, amount: Decimal) -> None:
        """Deposit or withdraw."""
        books = self._floor.accounts[account]
        books.move(amount, self._floor.ids.uuid(), self.now)
        self._floor.tell_wallet(account, amount, "transfer")
        self._forced.check_account(books)
        self._floor.deliver()

    def _held(self, account: str, instrument: str, index: int) -> Position:
        position = self.position(account, instrument, index)
        if not position.quantity:
            raise LookupError(f"{account} holds no {instrument}")
        return position
