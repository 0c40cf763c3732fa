"""Facts about structures: asked for, formed of what is held, taken apart, and orders for all their legs."""

from dataclasses import dataclass
from decimal import Decimal

from standfast.model.facts_fills import Correction
from standfast.model.ids import ClientOrderId, Holding, PositionId
from standfast.model.order import Role, Terms
from standfast.model.position import Standing
from standfast.model.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LegAsked(Recorded):
    position: PositionId
    holding: Holding
    ratio: int
    """Signed, of one unit: -1 is one contract sold."""
    limit: Decimal | None = None
    """Price of its opening where it is opened alone; None: at the market."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class StructureRequested(Recorded):
    """An opening of several legs as one position; each leg is a position of its own in the books, tied to it."""

    structure: PositionId
    key: str
    legs: tuple[LegAsked, ...]
    units: Decimal
    strategy: str
    limit: Decimal | None = None
    """What one unit shall bring at least, in points; negative for what it may cost at most."""
    stop: Decimal | None = None
    """Net price, as the target: what one unit brings when it is closed, negative for what closing costs."""
    target: Decimal | None = None
    by: str = ""
    stop_loss: Decimal | None = None
    """As of an opening of one instrument."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LotSplit(Recorded):
    """Part of what an adopted position holds goes on as a position of its own, at the same cost: several structures
    have a leg in one contract."""

    position: PositionId
    part: PositionId
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LegFormed(Recorded):
    position: PositionId
    ratio: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class StructureFormed(Recorded):
    """Positions that are in the books already are one structure from here on."""

    structure: PositionId
    legs: tuple[LegFormed, ...]
    units: Decimal
    strategy: str
    standing: Standing
    anchor: Decimal | None = None
    gain_anchor: Decimal | None = None
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LegsSwapped(Recorded):
    """Two structures change their legs in one contract: a close by somebody else was booked to the wrong one. Written
    by earlier versions; now only what was closed goes from one to the other (`CloseMoved`)."""

    structure: PositionId
    other: PositionId
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CloseMoved(Recorded):
    """What somebody else closed of a contract was booked to a leg of the wrong structure: it is another's."""

    holding: Holding
    booked: PositionId
    """The leg it was booked to, which has it again."""
    belongs: PositionId
    """The leg it was closed of."""
    quantity: Decimal
    value: Decimal
    """What it closed at: quantity times price."""
    corrections: tuple[Correction, ...]
    """What each has earned by it, against what it cost itself."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class StructureDissolved(Recorded):
    """Its legs go on as positions of their own."""

    structure: PositionId
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LegIntended(Recorded):
    id: ClientOrderId
    """Its name in the books: the broker is sent one order, under the id of the whole."""
    position: PositionId
    holding: Holding
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class TogetherIntended(Recorded):
    """One order for all legs of a structure, committed before it leaves."""

    id: ClientOrderId
    structure: PositionId
    role: Role
    legs: tuple[LegIntended, ...]
    units: Decimal
    """Smallest wholes the quantities of its legs are multiples of, as the broker prices it."""
    net: Decimal | None
    """What one of these shall bring at least, negative for what it may cost; None: at the market."""
    attempt: int
    rung: int | None = None
    """Of a close: its place on the ladder of limits."""
    reason: str
