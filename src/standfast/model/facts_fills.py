"""Facts about fills and movements: what changed a quantity."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standfast.model.ids import ExecutionId, Holding, PositionId
from standfast.model.order import Fill, Movement
from standfast.model.position import CloseReason
from standfast.model.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Allocation(Recorded):
    """The part of a fill that belongs to a position, or (position None) to acknowledged foreign quantity."""

    position: PositionId | None
    quantity: Decimal
    opens: bool
    realised: Decimal = Decimal(0)
    """Profit at average cost, for a closing part; in account currency."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FillBooked(Recorded):
    fill: Fill
    allocations: tuple[Allocation, ...]
    reason: CloseReason | None = None
    """Why the closing parts closed."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Correction(Recorded):
    """By how much the profit booked for one part of a fill changes."""

    execution: ExecutionId
    position: PositionId
    at: datetime
    """When the fill was: its trading day is where the profit belongs."""
    realised: Decimal
    """To be added, in account currency."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ProfitRestated(Recorded):
    """A fill came later than others that happened after it: the average cost in their true order."""

    holding: Holding
    late: ExecutionId
    corrections: tuple[Correction, ...]
    quantity: Decimal
    value: Decimal
    """What is held (signed) and was paid for it, as of now."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FillBusted(Recorded):
    """The broker has taken a trade back: its parts leave the positions they belonged to."""

    execution: ExecutionId
    holding: Holding
    price: Decimal
    at: datetime
    """When the trade was."""
    parts: tuple[Allocation, ...]
    """As they were booked."""
    corrections: tuple[Correction, ...]
    """What the fills that stay have earned without it."""
    quantity: Decimal
    value: Decimal
    """What is held (signed) and was paid for it, as of now."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MovedOut(Recorded):
    """Quantity that left by no trade: a transfer, a merger, another name, expiry, assignment."""

    holding: Holding
    movements: tuple[str, ...]
    """The activities that prove it."""
    parts: tuple[Allocation, ...]
    sign: int
    """+1: it was held long."""
    reason: CloseReason
    price: Decimal | None = None
    """What it left at; None: at what it cost, without any profit."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FillMatched(Recorded):
    """A fill that turned up after its quantity had been taken in from a position read: known, and not added."""

    fill: Fill
    position: PositionId | None
    """The adopted position that has it, or (None) acknowledged foreign quantity."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MovementBooked(Recorded):
    movement: Movement


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class EndsCompared(Recorded):
    """How options ended that day by the broker's own account of it, beside what was inferred and booked."""

    day: str
    movements: tuple[str, ...]
    """The inferred movements that were compared."""
    agrees: bool
    told: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class EndRestated(Recorded):
    """What an option was worth at its end by the broker's account of that day, where it had been inferred otherwise."""

    holding: Holding
    movement: str
    """As it was inferred."""
    price: Decimal
    was: Decimal
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Rescaled(Recorded):
    """A split: every quantity of the holding times `ratio`, every price divided by it."""

    holding: Holding
    ratio: Decimal
    movement: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PricesSuspended(Recorded):
    """No price rule fires on this holding until it is resumed."""

    holding: Holding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PricesResumed(Recorded):
    holding: Holding
    reason: str
