"""The simulated exchange, as everybody outside sees it.

Synchronous, single-threaded, no I/O and no clock of its own: time moves only by `advance` (and by the `at` of a quote),
ids come from a seeded counter, every amount is a Decimal. The same seed and the same calls give the same events.

A write either takes effect or raises `Refused`; either way it is over when the call returns. What follows from it
(acceptance, fills, a sibling cancelled) is told to `listeners` in order. The order returned by `submit` is the
acknowledgement, not the result: its status is `pending_new`, or `accepted` outside the session.

Invariants, each a property test:

1. Money is conserved: cash changes by fills, fees and nothing else.
2. What resting exits hold never exceeds the position.
3. Of a pair of exits at most one fills; together they never fill more than their entry did.
4. Same seed, same calls: the same events, byte for byte.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from standfast.exchange.accounts import AccountSpec, AccountView, PositionView, Truth
from standfast.exchange.activities import Activity
from standfast.exchange.assets import Asset, Quote
from standfast.exchange.calendar import Calendar, ClockState
from standfast.exchange.events import Event
from standfast.exchange.fills import FillAll, FillPolicy
from standfast.exchange.orders import Change, Order, Ticket
from standfast.exchange.queries import ActivityQuery, Cancelled, Closed, OrderQuery, Portion
from standfast.exchange.rules import Rules

Listener = Callable[[Event], None]
DEFAULT_RULES = Rules()
ALL_OPEN = OrderQuery()
LATEST = ActivityQuery()
WHOLE = Portion(percentage=Decimal(100))


class Engine:
    """One exchange. Accounts are named by `AccountSpec.name` in every call."""

    def __init__(
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
        self.rules = rules
        self.fills: FillPolicy = fills or FillAll()
        self.listeners: list[Listener] = []
        raise NotImplementedError

    # Time and market

    @property
    def now(self) -> datetime:
        raise NotImplementedError

    def advance(self, to: datetime) -> None:
        """Let everything due until `to` happen in its order: acceptances, session changes, expiries, delayed fills.

        ValueError when `to` lies in the past.
        """
        raise NotImplementedError

    def quote(
        self, instrument: str, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal, at: datetime
    ) -> None:
        """Advance to `at` and let the new quote trigger and fill. Touches only this instrument's orders.

        KeyError for an unknown instrument, ValueError for a crossed or non-positive quote.
        """
        raise NotImplementedError

    def session(self, *, is_open: bool, at: datetime) -> None:
        """Open or close the regular session by hand. ValueError when a calendar steers it."""
        raise NotImplementedError

    def clock(self) -> ClockState:
        raise NotImplementedError

    def last_quote(self, instrument: str) -> Quote | None:
        raise NotImplementedError

    def asset(self, key: str) -> Asset:
        """By instrument or asset id; `Refused` 404 when there is none."""
        raise NotImplementedError

    def assets(self) -> Sequence[Asset]:
        raise NotImplementedError

    # Accounts

    def account_for_key(self, key_id: str, secret: str) -> str | None:
        """The account's name, or None when the pair is not one of ours."""
        raise NotImplementedError

    def account(self, account: str) -> AccountView:
        raise NotImplementedError

    def positions(self, account: str) -> list[PositionView]:
        """By instrument. A flat position is not in it."""
        raise NotImplementedError

    def position(self, account: str, key: str) -> PositionView:
        """By instrument or asset id; `Refused` 404 when flat."""
        raise NotImplementedError

    def truth(self, account: str) -> Truth:
        """The exchange's own books, which no client sees: realised profit and loss per fill, fees."""
        raise NotImplementedError

    # Orders

    def submit(self, account: str, ticket: Ticket) -> Order:
        """Take an order. Returns the acknowledgement; for a bracket, OCO or OTO, the parent (see `legs`)."""
        raise NotImplementedError

    def replace(self, account: str, order_id: str, change: Change) -> Order:
        """A new order in the place of the old one, asking for what the old one had left to do.

        No failure means only that it was tried: if the old order fills first, the new one ends `rejected`.
        `Change.quantity` counts what is filled already, as Alpaca's does; the new order asks for the rest.
        """
        raise NotImplementedError

    def cancel(self, account: str, order_id: str) -> None:
        """Ask for the end of an order; its whole group ends with it. `Refused` 404, or 422 when it cannot be."""
        raise NotImplementedError

    def cancel_all(self, account: str) -> list[Cancelled]:
        raise NotImplementedError

    def order(self, account: str, order_id: str) -> Order:
        """`Refused` 404 when there is none."""
        raise NotImplementedError

    def order_by_client_id(self, account: str, client_order_id: str) -> Order:
        """`Refused` 404 when there is none."""
        raise NotImplementedError

    def orders(self, account: str, query: OrderQuery = ALL_OPEN) -> list[Order]:
        raise NotImplementedError

    def legs(self, order: Order) -> list[Order]:
        """The children of a parent as they are now, take-profit first."""
        raise NotImplementedError

    def close_position(self, account: str, key: str, portion: Portion = WHOLE) -> Order:
        """A market order for the position or a part of it. Refused while resting exits hold the quantity."""
        raise NotImplementedError

    def close_all(self, account: str, *, cancel_orders: bool = False) -> list[Closed]:
        raise NotImplementedError

    def activities(self, account: str, query: ActivityQuery = LATEST) -> list[Activity]:
        raise NotImplementedError

    # What only the operator of the exchange can do

    def fill_now(self, order_id: str, quantity: Decimal, price: Decimal) -> Order:
        """Force a fill of a working order, whatever the market says. ValueError when it has less left to fill."""
        raise NotImplementedError

    def halt(self, instrument: str) -> None:
        """Stop all matching in the instrument; orders are still taken."""
        raise NotImplementedError

    def resume(self, instrument: str) -> None:
        raise NotImplementedError

    def liquidate(self, account: str, instrument: str, price: Decimal | None = None) -> Order:
        """The broker closes a position itself: cancels its orders and trades it out, at `price` or the far side."""
        raise NotImplementedError

    def split(self, instrument: str, ratio: Decimal) -> None:
        """`ratio` new units for one old: positions, average prices and the quote are rescaled, SPLIT rows booked."""
        raise NotImplementedError

    def reject_working(self, order_id: str, reason: str) -> Order:
        """Reject an order after it was accepted, as a market centre may."""
        raise NotImplementedError

    def move_cash(self, account: str, amount: Decimal, activity_type: str = "JNLC") -> None:
        """Deposit or withdraw; booked as a non-trade row."""
        raise NotImplementedError
