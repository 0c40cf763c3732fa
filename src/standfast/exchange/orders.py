"""What an order asks for, and what has become of it.

`Ticket` is a request, `Terms` the part of it a replace may change, `Order` the exchange's record. All three are values:
a change makes a new `Order`, so an event carries the order as it was then, and nobody outside can alter the book.

Invariants: `filled <= quantity` where a quantity is known; a finished order never changes again; every status change is
made by `lifecycle`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
ONE = Decimal(1)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"


class OrderClass(StrEnum):
    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"
    MULTILEG = "mleg"


class Status(StrEnum):
    """Alpaca's words [spec]; the ones the engine uses."""

    ACCEPTED = "accepted"  # received outside the session; waits for the open
    PENDING_NEW = "pending_new"
    NEW = "new"
    HELD = "held"  # a child whose parent is not yet wholly filled
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    DONE_FOR_DAY = "done_for_day"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"


class Intent(StrEnum):
    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"

    @property
    def opens(self) -> bool:
        return self in (Intent.BUY_TO_OPEN, Intent.SELL_TO_OPEN)

    @property
    def side(self) -> Side:
        return Side.BUY if self in (Intent.BUY_TO_OPEN, Intent.BUY_TO_CLOSE) else Side.SELL


FINISHED = frozenset({Status.FILLED, Status.CANCELED, Status.EXPIRED, Status.REJECTED, Status.REPLACED})
FILLABLE = frozenset({Status.NEW, Status.PARTIALLY_FILLED, Status.PENDING_CANCEL, Status.PENDING_REPLACE})
REPLACEABLE = frozenset({Status.NEW, Status.PARTIALLY_FILLED})  # Alpaca refuses the rest (brokers/README §1.7)
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may be traded, how much, at what price and for how long. Prices per unit in the account's currency."""

    instrument: str
    side: Side
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.DAY
    quantity: Decimal | None = None  # exactly one of quantity and notional
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None  # exactly one of the two trails, for a trailing stop only
    trail_percent: Decimal | None = None
    extended_hours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfit:
    limit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    stop_price: Decimal
    limit_price: Decimal | None = None  # None: a stop; else a stop-limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One instrument of a multi-leg order. `ratio`: units of it in one unit of the whole."""

    instrument: str
    intent: Intent
    ratio: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request to trade, as a client sends it.

    Of a multi-leg order the terms are those of the whole: the underlying, how many units, `buy`, and as limit price
    what one unit may cost at most per unit of the underlying; negative: what it must bring in at least.
    """

    terms: Terms
    client_order_id: str | None = None  # None: the exchange makes one
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    intent: Intent | None = None  # None: derived from the position
    legs: tuple[Leg, ...] = ()  # of a multi-leg order
    tag: str = ""  # the client's own words, kept and shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a replace alters; None leaves it as it is."""

    quantity: Decimal | None = None
    type: OrderType | None = None  # only where an order is changed in place
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None  # price or percent, whichever the order has
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The exchange's record of one order at one moment. Times are aware UTC."""

    id: str
    client_order_id: str
    account: str
    terms: Terms
    order_class: OrderClass
    intent: Intent
    status: Status
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime
    expires_at: datetime | None = None
    number: int = 0  # place in the sequence of all orders; orders sort by it
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO  # quantity times price over its fills, exact
    average_price: Decimal | None = None  # over its fills
    last_quantity: Decimal = ZERO  # of its last fill
    last_price: Decimal = ZERO
    high_water_mark: Decimal | None = None  # trailing stops: best price since it went live
    live_at: datetime | None = None  # when it could first trade
    triggered_at: datetime | None = None  # stops: when the stop price was reached
    collar_price: Decimal | None = None  # buy stops: the limit they turn into when triggered
    parent_id: str | None = None  # bracket, OCO, OTO children; legs
    leg_ids: tuple[str, ...] = ()  # the parent's children
    replaces: str | None = None
    replaced_by: str | None = None
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    ratio: Decimal = ONE  # a leg's units in one unit of its multi-leg order
    tag: str = ""
    reason: str = ""  # of a rejection

    @property
    def instrument(self) -> str:
        return self.terms.instrument

    @property
    def side(self) -> Side:
        return self.terms.side

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def is_live(self) -> bool:
        """Able to trade. A live stop leg may still be shown as `held` (`Rules.stop_leg_stays_held`)."""
        return self.live_at is not None and (self.status in FILLABLE or self.status is Status.HELD)

    @property
    def is_multileg(self) -> bool:
        """The whole of a multi-leg order: its legs trade, not it."""
        return self.order_class is OrderClass.MULTILEG and self.parent_id is None

    @property
    def is_leg(self) -> bool:
        return self.order_class is OrderClass.MULTILEG and self.parent_id is not None

    @property
    def remaining(self) -> Decimal:
        """Quantity still able to fill; zero for a notional order (its quantity is known only when it fills)."""
        return ZERO if self.terms.quantity is None or self.is_finished else self.terms.quantity - self.filled
