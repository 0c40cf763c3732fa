"""What an order asks for, and what has become of it; values all, so that an event carries the order as it was then.

A conditional order is one order throughout: `untriggered` until its price comes, then `new` like any other. What it
may do is judged when it triggers, not when it is placed, as the exchanges do.

Invariants: `filled <= quantity` where a quantity is fixed; a finished order never changes again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.orders import Side

ZERO = Decimal(0)


class Kind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class InForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class PriceBy(StrEnum):
    """Which price a trigger looks at."""

    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class Status(StrEnum):
    UNTRIGGERED = "untriggered"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


FINISHED = frozenset({Status.FILLED, Status.CANCELLED, Status.REJECTED})


class Role(StrEnum):
    """What an order is for, and so who made it: the client, the position's own stops, or the exchange."""

    PLAIN = "plain"
    STOP = "stop"  # a conditional order of the client's
    STOP_LOSS = "stop_loss"  # the rest but the last four belong to a position and go with it
    TAKE_PROFIT = "take_profit"
    PARTIAL_STOP_LOSS = "partial_stop_loss"
    PARTIAL_TAKE_PROFIT = "partial_take_profit"
    TRAILING_STOP = "trailing_stop"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    SETTLEMENT = "settlement"
    FUNDING = "funding"


OF_POSITION = frozenset(
    {Role.STOP_LOSS, Role.TAKE_PROFIT, Role.PARTIAL_STOP_LOSS, Role.PARTIAL_TAKE_PROFIT, Role.TRAILING_STOP}
)
WHOLE_POSITION = frozenset({Role.STOP_LOSS, Role.TAKE_PROFIT, Role.TRAILING_STOP})


class Ended(StrEnum):
    """Why an order was cancelled or rejected."""

    NOT = ""
    BY_CLIENT = "by client"
    REDUCE_ONLY = "nothing left to reduce"
    NO_MARKET = "nobody to trade with at once"
    NOT_WHOLE = "not wholly at once"
    WOULD_TAKE = "post only and would have taken"
    POSITION_GONE = "its position is gone"
    BEFORE_LIQUIDATION = "before a liquidation"
    BEFORE_ADL = "before auto-deleveraging"
    SETTLEMENT = "the instrument is settled"
    DISCONNECTED = "the client's stream was gone too long"
    NO_MONEY = "not enough margin when triggered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    price: Decimal
    rises: bool  # fires when the price has risen to it, else when it has fallen to it
    by: PriceBy = PriceBy.LAST

    def is_reached(self, price: Decimal) -> bool:
        return price >= self.price if self.rises else price <= self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A trigger that follows the price from `activates_at` on (None: at once). Exactly one of the distances."""

    distance: Decimal | None = None
    percent: Decimal | None = None
    activates_at: Decimal | None = None
    best: Decimal | None = None  # since it became active; None: not active yet

    def behind(self, best: Decimal, *, rises: bool) -> Decimal:
        """Where the trigger lies when this was the best price."""
        distance = self.distance if self.distance is not None else best * (self.percent or ZERO) / 100
        return best + distance if rises else best - distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A stop loss or take profit of a position, by itself or asked for with the order that opens it."""

    price: Decimal
    by: PriceBy = PriceBy.LAST
    limit_price: Decimal | None = None  # None: a market order
    quantity: Decimal | None = None  # None: the whole position, whatever it is then


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request to trade. `index`: 0 the one position, 1 the long one of two, 2 the short one."""

    instrument: str
    side: Side
    quantity: Decimal | None  # None: whatever is held when it trades
    kind: Kind = Kind.MARKET
    price: Decimal | None = None
    in_force: InForce = InForce.GTC
    index: int = 0
    reduce_only: bool = False
    close_on_trigger: bool = False
    trigger: Trigger | None = None
    trail: Trail | None = None
    stop_loss: Attached | None = None
    take_profit: Attached | None = None
    link_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an amendment alters; None leaves it as it is."""

    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: PriceBy | None = None
    stop_loss: Attached | None = None
    take_profit: Attached | None = None

    def of(self, ticket: Ticket) -> Ticket:
        """The ticket with what this alters."""
        trigger = ticket.trigger
        if trigger is not None:
            price, by = self.trigger_price or trigger.price, self.trigger_by or trigger.by
            trigger = replace(trigger, price=price, by=by)
        return replace(
            ticket,
            quantity=self.quantity or ticket.quantity,
            price=self.price or ticket.price,
            trigger=trigger,
            stop_loss=self.stop_loss or ticket.stop_loss,
            take_profit=self.take_profit or ticket.take_profit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The exchange's record of one order at one moment."""

    id: str
    number: int  # place in the sequence of all orders
    account: str
    ticket: Ticket
    role: Role
    status: Status
    created_at: datetime
    updated_at: datetime
    price_then: Decimal  # the last price when it was placed
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO
    fees: Decimal = ZERO
    realised: Decimal = ZERO  # what its fills earned, fees apart
    ended: Ended = Ended.NOT
    triggered_at: datetime | None = None
    is_resting: bool = False  # has stood in the book: it makes, and no longer takes
    seq: int = 0

    @property
    def instrument(self) -> str:
        return self.ticket.instrument

    @property
    def side(self) -> Side:
        return self.ticket.side

    @property
    def index(self) -> int:
        return self.ticket.index

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def is_conditional(self) -> bool:
        """Waits for a price and holds no margin."""
        return self.status is Status.UNTRIGGERED

    @property
    def is_working(self) -> bool:
        return self.status in (Status.NEW, Status.PARTIALLY_FILLED)

    @property
    def remaining(self) -> Decimal:
        """What may still fill; zero of a finished one, and of one without a fixed quantity."""
        return ZERO if self.is_finished or self.ticket.quantity is None else self.ticket.quantity - self.filled

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_value / self.filled if self.filled else None
