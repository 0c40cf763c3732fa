"""What this exchange tells its listeners, in the order it happened. A value is as it was just after the event."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.perpetual.books import Execution
from standfast.exchange.perpetual.orders import Change, Order, Ticket
from standfast.exchange.perpetual.positions import Position


class EventKind(StrEnum):
    PLACED = "placed"
    TRIGGERED = "triggered"
    AMENDED = "amended"  # by the client, or a trigger that follows the price
    FILLED = "filled"  # wholly or in part
    CANCELLED = "cancelled"
    REJECTED = "rejected"  # after it was accepted
    EXECUTION = "execution"
    POSITION = "position"
    WALLET = "wallet"
    SETTINGS = "settings"  # leverage or mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What it is about: an order, an execution with its order after it (funding has none), a position; or a wallet,
    whose change is in `amount`."""

    number: int  # 1, 2, 3 ... over the whole exchange
    kind: EventKind
    account: str
    instrument: str  # "" where it is about none
    at: datetime
    order: Order | None = None
    execution: Execution | None = None
    position: Position | None = None
    amount: Decimal = Decimal(0)
    reason: str = ""  # what moved a wallet or position; "" where nothing did


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A client's request as it arrives, before it is judged: a ticket, or an order and its change (None: cancel)."""

    account: str
    at: datetime
    ticket: Ticket | None = None
    order_id: str = ""
    change: Change | None = None
