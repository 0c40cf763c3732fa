"""Entry: one fact, appended, never edited. The union of every fact we keep.

The book is a fold of these (`core/book.py`), so whatever a decision must remember is one of them. A fact
is written the way it happened; it is never changed in place, and old versions are read for ever: a new
field needs a default, a changed meaning needs a new type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from standfast.model.alert import Severity
from standfast.model.breaks import Finding
from standfast.model.ids import (
    AlertId,
    BreakId,
    BrokerOrderId,
    ClientOrderId,
    EntryNumber,
    Holding,
    PositionId,
    RequestId,
)
from standfast.model.order import Fill, Movement, OrderReport, Role, Terms
from standfast.model.position import CloseReason, Standing, Trail

# --- the guard itself ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardStarted:
    version: str
    mode: str
    host: str = ""
    process: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardingBegan:
    """Once per journal: fills before `at` (broker's time) are not ours to book; `watermark` starts the activities."""

    broker: str
    at_broker: datetime
    watermark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardStopped:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkMoved:
    watermark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSeen:
    is_open: bool
    next_open: datetime
    next_close: datetime


# --- orders -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntended:
    """Committed before anything leaves. `replaces` names the order a replace takes the place of."""

    id: ClientOrderId
    position: PositionId
    role: Role
    holding: Holding
    terms: Terms
    attempt: int
    reason: str
    replaces: ClientOrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    id: ClientOrderId
    broker_id: BrokerOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    id: ClientOrderId
    reason: str
    kind: str = "other"
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNotSent:
    id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInDoubt:
    id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMissing:
    """Asked for by id and not known to the broker. A question answered once; no proof alone."""

    id: ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNeverArrived:
    """Settled as never: looked up after its flight and staleness had passed, with no copy seen."""

    id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderObserved:
    """Read by id (or whole from a list): the broker's word on an order of ours, or one tied to a position."""

    report: OrderReport
    position: PositionId | None = None
    role: Role = Role.FOREIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIntended:
    broker_id: BrokerOrderId
    holding: Holding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswered:
    """The broker's answer to a cancel: received, refused or unknown. Never proof that the order is gone."""

    broker_id: BrokerOrderId
    holding: Holding
    outcome: str
    reason: str = ""


# --- fills and movements ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The part of a fill that belongs to a position, or (position None) to acknowledged foreign quantity."""

    position: PositionId | None
    quantity: Decimal
    opens: bool
    realised: Decimal = Decimal(0)
    """Profit at average cost, for a closing part; in account currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBooked:
    fill: Fill
    allocations: tuple[Allocation, ...]
    reason: CloseReason | None = None
    """Why the closing parts closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMatched:
    """A fill that turned up after its quantity had been adopted from a position read: known, and not added."""

    fill: Fill
    position: PositionId


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementBooked:
    movement: Movement


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaled:
    """A split: every quantity of the holding times `ratio`, every price divided by it."""

    holding: Holding
    ratio: Decimal
    movement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesSuspended:
    """No price rule fires on this holding until it is resumed."""

    holding: Holding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesResumed:
    holding: Holding
    reason: str


# --- positions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRequested:
    position: PositionId
    key: str
    holding: Holding
    quantity: Decimal
    """Signed: negative sells short."""
    strategy: str
    limit: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRefused:
    key: str
    holding: Holding
    reasons: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFound:
    """A foreign order's fills begin a position of this standing; its quantity comes with the fills."""

    position: PositionId
    holding: Holding
    sign: int
    standing: Standing
    strategy: str
    order: BrokerOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionAdopted:
    """A bare quantity the broker holds, taken into the books from agreeing reads."""

    position: PositionId
    holding: Holding
    quantity: Decimal
    """Signed."""
    price: Decimal
    anchor: Decimal | None
    strategy: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChanged:
    position: PositionId
    standing: Standing
    by: str
    anchor: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequested:
    position: PositionId
    reason: CloseReason
    by: str
    detail: str
    remain: Decimal = Decimal(0)
    request: RequestId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWithdrawn:
    """A close that is no longer wanted (a partial one reached, an undo)."""

    position: PositionId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSettled:
    """Flat, and proven so: `proof` names what proves it."""

    position: PositionId
    reason: CloseReason
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionWrittenOff:
    """An operator's word that what the book still holds is gone; the quantity leaves without a price."""

    position: PositionId
    reason: CloseReason
    by: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReinstated:
    """A write-off taken back: the position is in the books again as it was."""

    position: PositionId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailMoved:
    position: PositionId
    trail: Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionChosen:
    position: PositionId
    stop: Decimal | None
    target: Decimal | None
    bare: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NakedBegan:
    position: PositionId


@dataclass(frozen=True, slots=True, kw_only=True)
class NakedEnded:
    position: PositionId


# --- breaks, foreign quantity, alerts, operators --------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAcknowledged:
    """The holding's foreign quantity that is known and left alone, as a whole (signed)."""

    holding: Holding
    quantity: Decimal
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakSeen:
    """First sight, or a changed reading of the same break (which then must be confirmed anew)."""

    id: BreakId
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakConfirmed:
    id: BreakId


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakActed:
    id: BreakId
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEnded:
    id: BreakId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    id: AlertId
    severity: Severity
    text: str
    break_id: BreakId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivered:
    id: AlertId
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFailed:
    id: AlertId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcknowledged:
    id: AlertId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTaken:
    request: RequestId
    verb: str
    arguments: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDone:
    request: RequestId
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """No openings on this instrument, or on the account (empty scope)."""

    scope: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thawed:
    scope: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenRequested:
    request: RequestId
    everything: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenEnded:
    request: RequestId
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A later entry that takes back an earlier repair of the books; `detail` says what was restored."""

    entry: EntryNumber
    by: str
    detail: str


Fact: TypeAlias = (
    GuardStarted
    | GuardingBegan
    | GuardStopped
    | WatermarkMoved
    | SessionSeen
    | OrderIntended
    | OrderAccepted
    | OrderRejected
    | OrderNotSent
    | OrderInDoubt
    | OrderMissing
    | OrderNeverArrived
    | OrderObserved
    | CancelIntended
    | CancelAnswered
    | FillBooked
    | FillMatched
    | MovementBooked
    | Rescaled
    | PricesSuspended
    | PricesResumed
    | OpeningRequested
    | OpeningRefused
    | LotFound
    | PositionAdopted
    | StandingChanged
    | CloseRequested
    | CloseWithdrawn
    | PositionSettled
    | PositionWrittenOff
    | PositionReinstated
    | TrailMoved
    | ProtectionChosen
    | NakedBegan
    | NakedEnded
    | ForeignAcknowledged
    | BreakSeen
    | BreakConfirmed
    | BreakActed
    | BreakEnded
    | AlertRaised
    | AlertDelivered
    | AlertFailed
    | AlertAcknowledged
    | RequestTaken
    | RequestDone
    | Frozen
    | Thawed
    | FlattenRequested
    | FlattenEnded
    | Undone
)

FACTS: Mapping[str, type[Fact]] = {cls.__name__: cls for cls in Fact.__args__}
"""Every kind of fact by the name it is stored under."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact in its place: number without gaps, the lease's epoch, when, and the chain."""

    number: EntryNumber
    epoch: int
    at: datetime
    fact: Fact
    hash: str = ""
