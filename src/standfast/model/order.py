"""Orders and fills, ours and theirs.

`Terms` is what an order asks for; `OrderReport` is what the broker says became of it. A report is a
statement about the whole order (cumulative), never an increment: two of them can be compared, not added.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from standfast.model.ids import BrokerOrderId, ClientOrderId, ExecutionId, Holding

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


def side_towards_zero(net: Decimal) -> Side:
    """The only side that reduces a signed net. Raises ValueError for a flat one: nothing reduces zero."""
    if net == 0:
        raise ValueError("a flat net has no closing side")
    return Side.SELL if net > 0 else Side.BUY


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    UNKNOWN = "unknown"
    """A type this adapter has never seen: on the closing side it could protect, so nothing is added beside it."""


STOP_TYPES = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"
    OTHER = "other"


class Role(StrEnum):
    """Why an order exists. Every role but OPEN and FOREIGN may only reduce exposure."""

    OPEN = "open"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"
    ROLLBACK = "rollback"
    FOREIGN = "foreign"


CLOSING_ROLES = frozenset({Role.CLOSE, Role.ROLLBACK})
"""Orders that get out now; stops and targets wait for their price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an order asks for. A stop with `target_price` is an OCO pair: two exits, one quantity."""

    side: Side
    quantity: Decimal
    type: OrderType
    time_in_force: TimeInForce
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    attached_stop: Decimal | None = None
    """Of an opening: a protective stop that comes to life with the fill, sent with it as one order."""
    reduces: bool
    """True for every order that may only reduce: sent as reduce-only or closing intent where the broker has them."""


@dataclass(frozen=True, slots=True)
class LegTerms:
    """What an order for several legs asks of one of them: side, quantity, and whether it may only reduce."""

    holding: Holding
    terms: Terms


class OrderState(StrEnum):
    """The broker's states, grouped by what may still happen. Anything not known to be finished is alive."""

    PENDING = "pending"
    """Received, not yet able to fill (or a change of it is pending)."""
    HELD = "held"
    """An exit that waits for its parent to fill."""
    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    UNKNOWN = "unknown"
    """A state this adapter has never seen: treated as alive, and said aloud."""


FINISHED_STATES = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.REPLACED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """One order as the broker reported it. Finished states are absorbing; any other may be stale."""

    broker_id: BrokerOrderId
    client_id: ClientOrderId
    holding: Holding
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    filled: Decimal
    state: OrderState
    average_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    parent_id: BrokerOrderId | None = None
    replaced_by: BrokerOrderId | None = None
    replaces: BrokerOrderId | None = None
    order_class: str = ""
    """"" | bracket | oco | oto | mleg, as the broker calls it."""
    closes: bool | None = None
    """Whether the broker takes it for an order that closes what is held; None where it does not say."""
    triggered: bool = False
    """A stop that has fired and is now trying to fill."""
    reason: str = ""
    """The broker's own words for a rejection or cancel, where it gives any."""
    legs: "tuple[OrderReport, ...]" = ()

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED_STATES

    @property
    def remaining(self) -> Decimal:
        """Quantity that may still fill: none once finished."""
        return ZERO if self.is_finished else self.quantity - self.filled


def says_more(known: OrderReport | None, report: OrderReport) -> bool:
    """Whether a report changes what we know; prices of the day and time stamps do not."""
    return known is None or _essence(known) != _essence(report)


def _essence(report: OrderReport) -> tuple[Any, ...]:
    return (
        report.broker_id,
        report.state,
        report.filled,
        report.quantity,
        report.limit_price,
        report.stop_price,
        report.triggered,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. Its id is the key: a fill counts once, whoever reports it and how often."""

    execution_id: ExecutionId
    broker_order_id: BrokerOrderId
    holding: Holding
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal = ZERO
    at: datetime
    filled_after: Decimal | None = None
    """What its order has filled in all with it, where the broker tells nothing but that: the next counts from here."""

    @property
    def signed(self) -> Decimal:
        return self.quantity * self.side.sign


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledTotal:
    """What an order (or one leg) has filled in all: the word of a broker that tells no single executions."""

    broker_order_id: BrokerOrderId
    holding: Holding
    side: Side
    quantity: Decimal
    average_price: Decimal
    at: datetime
    """When it last changed."""


class MovementKind(StrEnum):
    SPLIT = "split"
    EXPIRY = "expiry"
    ASSIGNMENT = "assignment"
    EXERCISE = "exercise"
    TRANSFER = "transfer"
    RENAMED = "renamed"
    FEE = "fee"
    CASH = "cash"
    OTHER = "other"


INFERRED = "inferred"
"""The kind of a movement by the broker, where it was not the broker who told it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change that no order made: split, expiry, transfer, fee. Reversible, so keyed on id and status."""

    id: str
    kind: MovementKind
    broker_kind: str
    holding: Holding | None
    quantity: Decimal
    """Signed change of the holding; zero for cash."""
    price: Decimal | None = None
    amount: Decimal | None = None
    status: str = "executed"
    at: datetime
    told_at: datetime | None = None
    """When the broker booked it, which is when its money moved; None: it does not say."""
