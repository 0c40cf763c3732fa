"""What the exchange tells its listeners, in the order it happened.

Invariant: the events of one order, replayed, give the order. `Event.order` is the order just after the event.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.orders import Change, Order, Ticket


class EventKind(StrEnum):
    """Alpaca's trade_updates words (brokers/README §1.5)."""

    ACCEPTED = "accepted"
    PENDING_NEW = "pending_new"
    NEW = "new"
    HELD = "held"
    FILL = "fill"
    PARTIAL_FILL = "partial_fill"
    CANCELED = "canceled"
    EXPIRED = "expired"
    DONE_FOR_DAY = "done_for_day"
    REPLACED = "replaced"
    REJECTED = "rejected"
    RESTATED = "restated"  # changed by the exchange itself: a shrunk stop, a split
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    ORDER_CANCEL_REJECTED = "order_cancel_rejected"
    ORDER_REPLACE_REJECTED = "order_replace_rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    number: int  # 1, 2, 3 ... over the whole exchange
    kind: EventKind
    account: str
    order: Order
    at: datetime
    execution_id: str | None = None  # the last four: fills only
    price: Decimal | None = None
    quantity: Decimal | None = None
    position_quantity: Decimal | None = None  # signed, after this fill

    @property
    def instrument(self) -> str:
        return self.order.instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A client's request as it arrives, before it is judged: a ticket, or an order and its change (None: cancel)."""

    account: str
    at: datetime
    ticket: Ticket | None = None
    order_id: str = ""
    change: Change | None = None
