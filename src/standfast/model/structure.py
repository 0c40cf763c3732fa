"""Spreads: legs that belong together, opened, judged and closed as one.

A leg's ratio is signed and counts contracts (or shares) of one unit; a structure holds so many units. A price of a
structure is the net of one unit in points, as brokers quote it: what is received for selling it, so that a structure
that was sold for a credit is worth less than nothing while it lasts.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from standfast.model.ids import Holding, PositionId, structure_holding
from standfast.model.instrument import Instrument, money_of_a_point
from standfast.model.option import OptionContract, option_contract
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Closing, Standing, Trail

LEGS_MAX = 4
"""Of one structure at most: no broker takes an order for more."""


class StructureKind(StrEnum):
    SINGLE = "single"
    VERTICAL = "vertical"
    RATIO = "ratio"
    BUTTERFLY = "butterfly"
    CONDOR = "condor"
    IRON_BUTTERFLY = "iron_butterfly"
    IRON_CONDOR = "iron_condor"
    CALENDAR = "calendar"
    DIAGONAL = "diagonal"
    STRADDLE = "straddle"
    STRANGLE = "strangle"
    COVERED_STOCK = "covered_stock"
    """Shares and an option sold against them."""
    PROTECTED_STOCK = "protected_stock"
    """Shares and an option bought against their loss."""
    COLLAR = "collar"
    OTHER = "other"
    """Legs that were opened as one and have no name together."""


class Series(NamedTuple):
    """Contracts that expire together: one root, one day. SPX and SPXW of one day settle at different hours."""

    expiry: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One contract of a structure, or the shares under it."""

    holding: Holding
    ratio: int
    """Signed, in one unit: -1 is one contract sold."""
    multiplier: Decimal = Decimal(1)
    contract: OptionContract | None = None
    """None: the shares."""

    def __post_init__(self) -> None:
        assert self.ratio != 0, self.holding

    @classmethod
    def of(cls, instrument: Instrument, ratio: int, hedge: str = "") -> "Leg":
        """A leg of this instrument; its name says whether it is an option."""
        return cls(
            holding=Holding(instrument.id, hedge),
            ratio=ratio,
            multiplier=instrument.multiplier,
            contract=option_contract(instrument.id),
        )

    @property
    def sign(self) -> int:
        return 1 if self.ratio > 0 else -1

    @property
    def series(self) -> Series | None:
        if self.contract is None:
            return None
        return Series(self.contract.expiry.isoformat(), self.contract.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLeg:
    """A leg and what its fills made of it: unsigned quantities, values as quantity times price."""

    leg: Leg
    opened: Decimal = ZERO
    closed: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_value: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def held(self) -> Decimal:
        return self.opened - self.closed

    @property
    def net(self) -> Decimal:
        return self.held * self.leg.sign + ZERO  # never a negative nothing

    @property
    def entry_price(self) -> Decimal | None:
        return self.entry_value / self.opened if self.opened else None

    @property
    def exit_price(self) -> Decimal | None:
        return self.exit_value / self.closed if self.closed else None

    def after(self, *, signed: Decimal, price: Decimal, fee: Decimal = ZERO) -> "HeldLeg":
        """With one more fill. What is closed beyond what is held is nobody's leg: the caller splits such a fill."""
        quantity, value = abs(signed), abs(signed) * price
        if signed * self.leg.sign > 0:
            return replace(
                self, opened=self.opened + quantity, entry_value=self.entry_value + value, fees=self.fees + fee
            )
        assert quantity <= self.held, (self.leg.holding, signed, self.held)
        return replace(self, closed=self.closed + quantity, exit_value=self.exit_value + value, fees=self.fees + fee)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One position of several legs, as decisions see it."""

    id: PositionId
    strategy: str
    legs: tuple[HeldLeg, ...]
    units: Decimal
    """How many were asked for, or found."""
    standing: Standing = Standing.OWNED
    anchor: Decimal | None = None
    """Net price its stops are figured from, where that is not the entry."""
    gain_anchor: Decimal | None = None
    stop: Decimal | None = None
    """Net price chosen for this one; the policy's otherwise."""
    stop_loss: Decimal | None = None
    """Asked for with its opening, in place of the policy's: a share of its entry."""
    target: Decimal | None = None
    opened_at: datetime | None = None
    adopted_at: datetime | None = None
    trail: Trail | None = None
    closing: Closing | None = None

    def __post_init__(self) -> None:
        assert len({held.leg.holding for held in self.legs}) == len(self.legs) > 0, self.id

    @property
    def shape(self) -> tuple[Leg, ...]:
        return tuple(held.leg for held in self.legs)

    @property
    def multiplier(self) -> Decimal:
        """Money of one point of one unit."""
        return multiplier_of(self.shape)

    @property
    def is_guarded(self) -> bool:
        return self.standing is not Standing.FOREIGN

    @property
    def is_leaving(self) -> bool:
        """Whether all of it is being closed: of a part, its rules hold on."""
        return self.closing is not None and not self.closing.remain

    @property
    def is_flat(self) -> bool:
        return all(held.held == 0 for held in self.legs)

    def __str__(self) -> str:
        return f"{self.id} {self.units} x {legs_text(self.shape)}"


def multiplier_of(legs: tuple[Leg, ...]) -> Decimal:
    """Prices of a structure are those of its options; shares beside them count by what one contract stands for."""
    return next((leg.multiplier for leg in legs if leg.contract is not None), legs[0].multiplier)


def weight(leg: Leg, multiplier: Decimal) -> Decimal:
    """Points of the structure for one point of this leg, signed."""
    return leg.ratio * leg.multiplier / multiplier


def legs_text(legs: tuple[Leg, ...]) -> str:
    """`SPXW210106P03800000:-1 SPXW210106P03700000:+1`, as an opening is written."""
    return " ".join(f"{leg.holding}:{leg.ratio:+}" for leg in legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedLeg:
    """A position as a leg of a structure."""

    position: PositionId
    holding: Holding
    ratio: int

    @property
    def sign(self) -> int:
        return 1 if self.ratio > 0 else -1

    @property
    def leg(self) -> Leg:
        return Leg(
            holding=self.holding,
            ratio=self.ratio,
            multiplier=money_of_a_point(self.holding.instrument),
            contract=option_contract(self.holding.instrument),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedStructure:
    """What the book keeps of a structure beside its legs, which are positions: what they share."""

    id: PositionId
    strategy: str
    standing: Standing
    legs: tuple[TiedLeg, ...]
    units: Decimal
    key: str = ""
    limit: Decimal | None = None
    """What one unit shall bring at least when it is opened; negative for what it may cost at most."""
    asked_at: datetime | None = None
    opened_at: datetime | None = None
    adopted_at: datetime | None = None
    anchor: Decimal | None = None
    gain_anchor: Decimal | None = None
    stop: Decimal | None = None
    stop_loss: Decimal | None = None
    target: Decimal | None = None
    closing: Closing | None = None
    trail: Trail | None = None
    closed_at: datetime | None = None
    close_reason: CloseReason | None = None
    proof: str = ""

    @property
    def holding(self) -> Holding:
        return structure_holding(self.id)

    @property
    def is_guarded(self) -> bool:
        return self.standing is not Standing.FOREIGN
