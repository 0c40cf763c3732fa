"""Facts about the guard itself: when it came and went, what session it saw."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standfast.model.ids import BrokerOrderId, EntryNumber, Holding
from standfast.model.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GuardStarted(Recorded):
    version: str
    mode: str
    host: str = ""
    process: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class HeldThen(Recorded):
    """What was held of one holding, and at which average price, where a list tells it. `quantity` is signed."""

    holding: Holding
    quantity: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GuardingBegan(Recorded):
    """Once per journal: fills before `at_broker` (broker's time) are not ours to book, but those of `orders` since
    `held_at`; `watermark` starts the activities."""

    broker: str
    at_broker: datetime
    watermark: str
    held: tuple[HeldThen, ...] = ()
    """What was held when guarding began, or at `held_at`: no fill explains it."""
    held_at: datetime | None = None
    """By the broker's clock, where trades were so fresh that a list might have lacked them; `held` is of then."""
    orders: tuple[BrokerOrderId, ...] = ()
    """Whose trades those were."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AccountSeen(Recorded):
    """Once per journal: which account of the broker it is of, as the broker numbers it."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GuardStopped(Recorded):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class WatermarkMoved(Recorded):
    watermark: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class SessionSeen(Recorded):
    is_open: bool
    next_open: datetime
    next_close: datetime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GuardFailed(Recorded):
    """A bug of ours ended the loop; `entry` is the last one that was not about the guard itself."""

    error: str
    entry: EntryNumber
