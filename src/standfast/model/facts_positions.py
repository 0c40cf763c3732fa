"""Facts about positions: opened, adopted, closed, protected, settled."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standfast.model.ids import BrokerOrderId, Holding, PositionId, RequestId
from standfast.model.position import Answer, CloseReason, Standing, Trail
from standfast.model.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OpeningRequested(Recorded):
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
    stop_loss: Decimal | None = None
    """Its stop as a share of its entry, in place of its policy's."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OpeningRefused(Recorded):
    key: str
    holding: Holding
    reasons: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LotFound(Recorded):
    """A foreign order's fills begin a position of this standing; its quantity comes with the fills."""

    position: PositionId
    holding: Holding
    sign: int
    standing: Standing
    strategy: str
    order: BrokerOrderId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PositionAdopted(Recorded):
    """A bare quantity the broker holds, taken into the books from agreeing reads."""

    position: PositionId
    holding: Holding
    quantity: Decimal
    """Signed."""
    price: Decimal
    anchor: Decimal | None
    """Its stop is figured from here: the worse of entry and the price of that moment."""
    gain_anchor: Decimal | None = None
    """Its target is figured from here: the better of the two."""
    strategy: str
    by: str
    seen_at: datetime | None = None
    """By the broker's clock: fills up to then are counted in it already. Older entries: when it was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PositionDescribed(Recorded):
    """What the bot's own record says of an adopted position or structure: whose it is, since when, at what price."""

    position: PositionId
    key: str = ""
    """The record's entry: taken in again, it is the same position. A leg has none."""
    strategy: str
    price: Decimal | None = None
    """None: as it is."""
    opened_at: datetime | None = None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class StandingChanged(Recorded):
    position: PositionId
    standing: Standing
    by: str
    anchor: Decimal | None = None
    gain_anchor: Decimal | None = None
    """As in `PositionAdopted`."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CloseRequested(Recorded):
    position: PositionId
    reason: CloseReason
    by: str
    detail: str
    remain: Decimal = Decimal(0)
    request: RequestId | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CloseWithdrawn(Recorded):
    """A close that is no longer wanted (a partial one reached, an undo)."""

    position: PositionId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CloseStalled(Recorded):
    """A close that has freed its quantity and cannot be sent: its exits go back meanwhile, it is tried again later."""

    position: PositionId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PositionSettled(Recorded):
    """Flat, and proven so: `proof` names what proves it."""

    position: PositionId
    reason: CloseReason
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PositionWrittenOff(Recorded):
    """An operator's word that what the book still holds is gone; the quantity leaves without a price."""

    position: PositionId
    reason: CloseReason
    by: str
    detail: str
    acknowledged: bool = False
    """The same act acknowledged its quantity as somebody else's; an undo takes that back too."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PositionReinstated(Recorded):
    """A write-off taken back: the position is in the books again as it was."""

    position: PositionId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class TrailMoved(Recorded):
    position: PositionId
    trail: Trail


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ProtectionChosen(Recorded):
    position: PositionId
    stop: Decimal | None
    target: Decimal | None
    bare: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OpeningVerified(Recorded):
    """Whether what was asked for was opened: proved, refuted, or (for now) unknown; what each source says."""

    position: PositionId
    answer: Answer
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NakedBegan(Recorded):
    position: PositionId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NakedEnded(Recorded):
    position: PositionId
