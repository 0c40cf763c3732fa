"""The simulated exchange, as everybody outside sees it.

Synchronous, single-threaded, no I/O and no clock of its own: time moves only by `advance` (and by the `at` of a quote),
ids come from a seeded counter, every amount is a Decimal. The same seed and the same calls give the same events.

A write either takes effect or raises `Refused`; either way it is over when the call returns. What follows from it
(acceptance, fills, a sibling cancelled) is told to `listeners` in order. The order returned by `submit` is the
acknowledgement, not the result: its status is `pending_new`, or `accepted` outside the session.

Invariants, each a property test:

1. Money is conserved: cash changes by fills, what is undone of them, fees and nothing else.
2. What resting exits hold never exceeds the position.
3. Of a pair of exits at most one fills; together they never fill more than their entry did.
4. Same seed, same calls: the same events, byte for byte.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from standfast.exchange.accounts import AccountSpec, AccountView, PositionView, Truth
from standfast.exchange.activities import Activity
from standfast.exchange.admission_options import cost_of
from standfast.exchange.assets import Asset, Quote
from standfast.exchange.calendar import Calendar, ClockState
from standfast.exchange.clearing import Clearing
from standfast.exchange.corporate import Corporate
from standfast.exchange.events import Asked, Event
from standfast.exchange.expiry import Expiry
from standfast.exchange.fills import FillAll, FillPolicy
from standfast.exchange.floor import Floor
from standfast.exchange.hours import Hours
from standfast.exchange.lifecycle import Lifecycle
from standfast.exchange.orders import Change, Order, Ticket
from standfast.exchange.queries import ActivityQuery, Cancelled, Closed, OrderQuery, Portion, select
from standfast.exchange.refusal import not_found
from standfast.exchange.requests import Requests
from standfast.exchange.rules import Rules

Listener = Callable[[Event], None]
Overhearer = Callable[[Asked], None]
DEFAULT_RULES = Rules()
ALL_OPEN = OrderQuery()
LATEST = ActivityQuery()
WHOLE = Portion(percentage=Decimal(100))


class Engine:
    """One exchange. Accounts are named by `AccountSpec.name` in every call."""

    def __init__(  # noqa: PLR0913 - everything the exchange is made of, all but three with a default
        self,
        assets: Iterable[Asset],
        accounts: Iterable[AccountSpec],
        *,
        start: datetime,
        calendar: Calendar | None = None,
        seed: int = 0,
        rules: Rules = DEFAULT_RULES,
        fills: FillPolicy | None = None,
    ) -> None:
        """`start` is aware UTC. Without a calendar the session is open until `session` says otherwise."""
        self._floor = Floor(assets, accounts, start=start, seed=seed, rules=rules, fills=fills or FillAll())
        self._lifecycle = Lifecycle(self._floor)
        self._hours = Hours(self._floor, self._lifecycle, calendar)
        self._requests = Requests(self._floor, self._lifecycle, self._hours)
        self._corporate = Corporate(self._floor, self._lifecycle, self._requests)
        self._clearing = Clearing(self._floor)
        self._expiry = Expiry(self._floor, self._lifecycle)
        self._hours.at_open += [self._expiry.session_opens, self._corporate.plan_liquidation]
        self._hours.at_close.append(self._expiry.session_closes)
        if self._floor.is_open:
            self._corporate.plan_liquidation()
        self.listeners: list[Listener] = self._floor.listeners
        self.movers = self._floor.movers
        """Told of account and instrument when a holding changes without an order: expiry, assignment, split."""
        self.overhearers: list[Overhearer] = []
        """Told of every submit, replace and cancel as it arrives, those that will be refused too."""

    # Time and market

    @property
    def now(self) -> datetime:
        return self._floor.now

    @property
    def rules(self) -> Rules:
        return self._floor.rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._floor.rules = rules
        if self._floor.is_open:
            self._corporate.plan_liquidation()

    @property
    def fills(self) -> FillPolicy:
        return self._floor.fills

    @fills.setter
    def fills(self, policy: FillPolicy) -> None:
        self._floor.fills = policy

    def advance(self, to: datetime) -> None:
        """Let everything due until `to` happen in its order: acceptances, session changes, expiries, delayed fills.

        ValueError when `to` lies in the past.
        """
        self._floor.advance(to)

    def quote(
        self, instrument: str, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal, at: datetime
    ) -> None:
        """Advance to `at` and let the new quote trigger and fill. Touches only this instrument's orders.

        KeyError for an unknown instrument, ValueError for a quote that is no market.
        """
        if not self.is_market(instrument, bid, ask):
            raise ValueError(f"{instrument}: bid {bid} and ask {ask} are no market")
        self.advance(at)
        self._floor.take_quote(Quote(instrument, bid, ask, bid_size, ask_size, at))
        self._look_again(instrument)

    def is_market(self, instrument: str, bid: Decimal, ask: Decimal) -> bool:
        """Whether one can trade on it: two sides, not crossed; an option needs one. KeyError for an unknown one."""
        if self._floor.assets[instrument].contract is None:
            return 0 < bid <= ask
        return min(bid, ask) >= 0 and max(bid, ask) > 0 and (not ask or bid <= ask)

    def _look_again(self, instrument: str) -> None:
        for order in self._floor.book.unfinished(instrument):
            self._lifecycle.look(order.id)
        self._floor.deliver()

    def session(self, *, is_open: bool, at: datetime) -> None:
        """Open or close the regular session by hand. ValueError when a calendar steers it."""
        if self._hours.calendar is not None:
            raise ValueError("a calendar steers the session")
        self.advance(at)
        self._hours.turn(is_open=is_open)
        self._floor.deliver()

    def clock(self) -> ClockState:
        return self._hours.clock()

    def spot(self, underlying: str, expiry: date) -> Decimal | None:
        """What an underlying stands at: by its own quote, else by its options' quotes of that expiry."""
        return self._floor.spot(underlying, expiry)

    def level(self, underlying: str) -> Decimal | None:
        """As `spot`, today; after the close, what its options of the day settle at, where that was announced."""
        return self._expiry.level(underlying)

    def last_quote(self, instrument: str) -> Quote | None:
        return self._floor.quotes.get(instrument)

    def asset(self, key: str) -> Asset:
        """By instrument or asset id; `Refused` 404 when there is none."""
        asset = self._floor.find_asset(key)
        if asset is None:
            raise not_found(f"asset not found for {key}")
        return asset

    def assets(self) -> Sequence[Asset]:
        return tuple(self._floor.assets.values())

    def list_asset(self, asset: Asset) -> None:
        """Add an asset or change the flags of one (an empty id is derived)."""
        self._floor.list_asset(asset)

    # Accounts

    def account_names(self) -> Sequence[str]:
        return tuple(self._floor.accounts)

    def account_for_key(self, key_id: str, secret: str) -> str | None:
        """The account's name, or None when the pair is not one of ours."""
        for name, account in self._floor.accounts.items():
            if (account.spec.key_id, account.spec.secret) == (key_id, secret):
                return name
        return None

    def accounts_of(self, secret: str) -> Sequence[AccountSpec]:
        """Every account that a secret alone opens, as a bearer's token does."""
        return [account.spec for account in self._floor.accounts.values() if account.spec.secret == secret]

    def spec(self, account: str) -> AccountSpec:
        return self._floor.accounts[account].spec

    def cost(self, account: str, ticket: Ticket) -> tuple[Decimal, Decimal]:
        """What an order costs in money at its limit or the market, and what it adds to what is set aside."""
        return cost_of(self._floor, account, ticket)

    def account(self, account: str) -> AccountView:
        return self._floor.accounts[account].view()

    def positions(self, account: str) -> list[PositionView]:
        """By instrument. A flat position is not in it."""
        return [self._floor.position_view(account, name) for name in sorted(self._floor.accounts[account].positions)]

    def position(self, account: str, key: str) -> PositionView:
        """By instrument or asset id; `Refused` 404 when flat."""
        return self._floor.position_view(account, self.asset(key).instrument)

    def net(self, account: str, instrument: str) -> Decimal:
        """What an account holds, signed; zero when flat."""
        return self._floor.accounts[account].net(instrument)

    def working(self, account: str, instrument: str) -> list[Order]:
        """Every unfinished order of an account in an instrument, children too, oldest first."""
        return self._floor.book.unfinished_of(account, instrument)

    def is_tradable(self, instrument: str) -> bool:
        """Whether its regular session is open and it is not halted."""
        return self._floor.trades(instrument) and instrument not in self._floor.halted

    def truth(self, account: str) -> Truth:
        """The exchange's own books, which no client sees: realised profit and loss per fill, fees."""
        return self._floor.accounts[account].truth

    # Orders

    def submit(self, account: str, ticket: Ticket) -> Order:
        """Take an order. Returns the acknowledgement; for a bracket, OCO or OTO, the parent (see `legs`)."""
        self._overhear(Asked(account=account, at=self.now, ticket=ticket))
        order = self._requests.submit(account, ticket)
        self._floor.deliver()
        return order

    def replace(self, account: str, order_id: str, change: Change) -> Order:
        """A new order in the place of the old one, asking for what the old one had left to do.

        No failure means only that it was tried: if the old order fills first, the new one ends `rejected`.
        `Change.quantity` counts what is filled already, as Alpaca's does; the new order asks for the rest.
        """
        self._overhear(Asked(account=account, at=self.now, order_id=order_id, change=change))
        order = self._requests.replace(account, order_id, change)
        self._floor.deliver()
        return order

    def cancel(self, account: str, order_id: str) -> None:
        """Ask for the end of an order; its whole group ends with it. `Refused` 404, or 422 when it cannot be."""
        self._overhear(Asked(account=account, at=self.now, order_id=order_id))
        self._requests.cancel(account, order_id)
        self._floor.deliver()

    def _overhear(self, asked: Asked) -> None:
        for overhearer in self.overhearers:
            overhearer(asked)

    def cancel_all(self, account: str) -> list[Cancelled]:
        rows = self._requests.cancel_all(account)
        self._floor.deliver()
        return rows

    def amend(self, account: str, order_id: str, change: Change) -> Order:
        """Change a working order where it stands: the id stays, the quantity too. `Refused` as `replace`."""
        self._overhear(Asked(account=account, at=self.now, order_id=order_id, change=change))
        order = self._requests.amend(account, order_id, change)
        self._floor.deliver()
        return order

    def judge(self, account: str, ticket: Ticket) -> None:
        """`Refused` if the ticket could not be taken now; nothing happens either way."""
        self._requests.judge(account, ticket)

    def record_rejected(self, account: str, ticket: Ticket, reason: str) -> Order:
        """Keep a ticket as an order that was accepted and rejected at once, for brokers that judge afterwards."""
        order = self._requests.reject(account, ticket, reason)
        self._floor.deliver()
        return order

    def order_by_number(self, account: str, number: int) -> Order | None:
        """By its place in the sequence of all orders."""
        order = self._floor.book.by_number(number)
        return order if order is not None and order.account == account else None

    def order(self, account: str, order_id: str) -> Order:
        """`Refused` 404 when there is none."""
        return self._requests.find(account, order_id)

    def order_by_client_id(self, account: str, client_order_id: str) -> Order:
        """`Refused` 404 when there is none."""
        order = self._floor.book.by_client_id(account, client_order_id)
        if order is None:
            raise not_found(f"order not found for {client_order_id}")
        return order

    def find(self, account: str, client_order_id: str) -> Order | None:
        """As `order_by_client_id`, None when there is none."""
        return self._floor.book.by_client_id(account, client_order_id)

    def orders(self, account: str, query: OrderQuery = ALL_OPEN) -> list[Order]:
        return select(self._floor.book, account, query)

    def legs(self, order: Order) -> list[Order]:
        """The children of a parent as they are now, take-profit first."""
        return [self._floor.book[leg_id] for leg_id in self._floor.book[order.id].leg_ids]

    def close_position(self, account: str, key: str, portion: Portion = WHOLE) -> Order:
        """A market order for the position or a part of it. Refused while resting exits hold the quantity."""
        order = self._requests.close(account, self.asset(key).instrument, portion)
        self._floor.deliver()
        return order

    def close_all(self, account: str, *, cancel_orders: bool = False) -> list[Closed]:
        rows = self._requests.close_all(account, cancel_orders=cancel_orders)
        self._floor.deliver()
        return rows

    def activities(self, account: str, query: ActivityQuery = LATEST) -> list[Activity]:
        return self._floor.logs[account].page(query)

    # What only the operator of the exchange can do

    def fill_now(self, order_id: str, quantity: Decimal, price: Decimal) -> Order:
        """Force a fill of a working order, whatever the market says. ValueError when it has less left to fill."""
        order = self._corporate.fill_now(order_id, quantity, price)
        self._floor.deliver()
        return order

    def halt(self, instrument: str) -> None:
        """Stop all matching in the instrument; orders are still taken."""
        self._floor.halted.add(instrument)

    def resume(self, instrument: str) -> None:
        """Matching goes on, at the last quote."""
        self._floor.halted.discard(instrument)
        self._look_again(instrument)

    def liquidate(self, account: str, instrument: str, price: Decimal | None = None) -> Order:
        """The broker closes a position itself: cancels its orders and trades it out, at `price` or the far side.

        LookupError when there is no position, or no price.
        """
        order = self._corporate.liquidate(account, instrument, price)
        self._floor.deliver()
        return order

    def announce_settlement(self, underlying: str, day: date, price: Decimal) -> None:
        """Set the price at which that day's options settle; else it is what the underlying stands at."""
        self._expiry.announce(underlying, day, price)

    def assign(self, account: str, instrument: str, quantity: Decimal | None = None) -> None:
        """Somebody exercises against a short option, early. ValueError where that cannot be."""
        self._expiry.assign(account, instrument, quantity)
        self._floor.deliver()

    def exercise(self, account: str, instrument: str, quantity: Decimal | None = None) -> None:
        """The account exercises a long option. ValueError where that cannot be."""
        self._expiry.exercise(account, instrument, quantity)
        self._floor.deliver()

    def split(self, instrument: str, ratio: Decimal) -> None:
        """`ratio` new units for one old: positions, average prices and the quote are rescaled, SPLIT rows booked."""
        self._corporate.split(instrument, ratio)
        self._floor.deliver()

    def bust(self, account: str, execution_id: str) -> None:
        """Take a trade back: holding, cost and money as if it had not been, told as a row of its id.

        LookupError when there is none; ValueError when it is taken back already, or its instrument has split since.
        """
        self._clearing.bust(account, execution_id)

    def correct(self, account: str, execution_id: str, price: Decimal) -> None:
        """Give a trade another price. Errors as of `bust`."""
        self._clearing.correct(account, execution_id, price)

    def reject_working(self, order_id: str) -> Order:
        """Reject an order after it was accepted, as a market centre may. ValueError when it is finished."""
        order = self._corporate.reject(order_id)
        self._floor.deliver()
        return order

    def expire_working(self, order_id: str) -> Order:
        """End an order that has grown too old, whatever its own date says. ValueError when it is finished."""
        order = self._corporate.expire(order_id)
        self._floor.deliver()
        return order

    def move_cash(self, account: str, amount: Decimal, activity_type: str = "JNLC") -> None:
        """Deposit or withdraw; booked as a non-trade row."""
        self._corporate.move_cash(account, amount, activity_type)
