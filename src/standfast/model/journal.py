"""Entry: one fact, appended, never edited. The union of every fact we keep.

The book is a fold of these (`core/book.py`), so whatever a decision must remember is one of them. A fact
is written the way it happened; it is never changed in place, and old versions are read for ever: a new
field needs a default, a changed meaning needs a new type.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, TypeAlias

from standfast.model.facts_fills import (
    Allocation,
    Correction,
    EndRestated,
    EndsCompared,
    FillBooked,
    FillBusted,
    FillMatched,
    MovedOut,
    MovementBooked,
    PricesResumed,
    PricesSuspended,
    ProfitRestated,
    Rescaled,
)
from standfast.model.facts_guard import (
    AccountSeen,
    GuardFailed,
    GuardingBegan,
    GuardStarted,
    GuardStopped,
    HeldThen,
    SessionSeen,
    WatermarkMoved,
)
from standfast.model.facts_orders import (
    CancelAnswered,
    CancelIntended,
    CopyRefused,
    OrderAccepted,
    OrderInDoubt,
    OrderIntended,
    OrderMissing,
    OrderNeverArrived,
    OrderNotSent,
    OrderObserved,
    OrderRejected,
)
from standfast.model.facts_positions import (
    CloseRequested,
    CloseStalled,
    CloseWithdrawn,
    LotFound,
    NakedBegan,
    NakedEnded,
    OpeningRefused,
    OpeningRequested,
    OpeningVerified,
    PositionAdopted,
    PositionDescribed,
    PositionReinstated,
    PositionSettled,
    PositionWrittenOff,
    ProtectionChosen,
    StandingChanged,
    TrailMoved,
)
from standfast.model.facts_structures import (
    CloseMoved,
    LegAsked,
    LegFormed,
    LegIntended,
    LegsSwapped,
    LotSplit,
    StructureDissolved,
    StructureFormed,
    StructureRequested,
    TogetherIntended,
)
from standfast.model.facts_watch import (
    AlertAcknowledged,
    AlertDelivered,
    AlertFailed,
    AlertRaised,
    BreakActed,
    BreakConfirmed,
    BreakEnded,
    BreakSeen,
    CashCompared,
    FlattenEnded,
    FlattenRequested,
    ForeignAcknowledged,
    Frozen,
    RequestDone,
    RequestTaken,
    Thawed,
    Undone,
)
from standfast.model.ids import EntryNumber

Fact: TypeAlias = (
    GuardStarted
    | GuardingBegan
    | GuardStopped
    | GuardFailed
    | WatermarkMoved
    | SessionSeen
    | AccountSeen
    | OrderIntended
    | OrderAccepted
    | OrderRejected
    | CopyRefused
    | OrderNotSent
    | OrderInDoubt
    | OrderMissing
    | OrderNeverArrived
    | OrderObserved
    | CancelIntended
    | CancelAnswered
    | FillBooked
    | FillMatched
    | ProfitRestated
    | FillBusted
    | MovedOut
    | MovementBooked
    | EndsCompared
    | EndRestated
    | Rescaled
    | PricesSuspended
    | PricesResumed
    | OpeningRequested
    | OpeningVerified
    | OpeningRefused
    | StructureRequested
    | LotSplit
    | LegsSwapped
    | CloseMoved
    | StructureFormed
    | StructureDissolved
    | TogetherIntended
    | LotFound
    | PositionAdopted
    | PositionDescribed
    | StandingChanged
    | CloseRequested
    | CloseStalled
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
    | CashCompared
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


class Entry(NamedTuple):
    """One fact in its place: number without gaps, the lease's epoch, when, and the chain."""

    number: EntryNumber
    epoch: int
    at: datetime
    fact: Fact
    hash: str = ""


__all__ = [
    "FACTS",
    "AccountSeen",
    "AlertAcknowledged",
    "AlertDelivered",
    "AlertFailed",
    "AlertRaised",
    "Allocation",
    "BreakActed",
    "BreakConfirmed",
    "BreakEnded",
    "BreakSeen",
    "CancelAnswered",
    "CancelIntended",
    "CashCompared",
    "CloseMoved",
    "CloseRequested",
    "CloseStalled",
    "CloseWithdrawn",
    "CopyRefused",
    "Correction",
    "EndRestated",
    "EndsCompared",
    "Entry",
    "Fact",
    "FillBooked",
    "FillBusted",
    "FillMatched",
    "FlattenEnded",
    "FlattenRequested",
    "ForeignAcknowledged",
    "Frozen",
    "GuardFailed",
    "GuardStarted",
    "GuardStopped",
    "GuardingBegan",
    "HeldThen",
    "LegAsked",
    "LegFormed",
    "LegIntended",
    "LegsSwapped",
    "LotFound",
    "LotSplit",
    "MovedOut",
    "MovementBooked",
    "NakedBegan",
    "NakedEnded",
    "OpeningRefused",
    "OpeningRequested",
    "OpeningVerified",
    "OrderAccepted",
    "OrderInDoubt",
    "OrderIntended",
    "OrderMissing",
    "OrderNeverArrived",
    "OrderNotSent",
    "OrderObserved",
    "OrderRejected",
    "PositionAdopted",
    "PositionDescribed",
    "PositionReinstated",
    "PositionSettled",
    "PositionWrittenOff",
    "PricesResumed",
    "PricesSuspended",
    "ProfitRestated",
    "ProtectionChosen",
    "RequestDone",
    "RequestTaken",
    "Rescaled",
    "SessionSeen",
    "StandingChanged",
    "StructureDissolved",
    "StructureFormed",
    "StructureRequested",
    "Thawed",
    "TogetherIntended",
    "TrailMoved",
    "Undone",
    "WatermarkMoved",
]
