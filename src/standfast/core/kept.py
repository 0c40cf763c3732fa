"""What a book keeps beside positions and orders: average costs, late profit, refusals in a row."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from standfast.model.ids import EntryNumber, ExecutionId, PositionId
from standfast.model.order import ZERO


@dataclass(frozen=True, slots=True)
class Cost:
    """Average cost of one holding: signed quantity and the value paid (negative: received) for it."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO

    @property
    def average(self) -> Decimal:
        return self.value / self.quantity if self.quantity else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """The part of a fill that belongs to one position, and the profit booked for it."""

    execution: ExecutionId
    position: PositionId
    at: datetime
    signed: Decimal
    price: Decimal
    realised: Decimal


class LastFill(NamedTuple):
    """Which entry booked the last fill of a holding, and when."""

    number: EntryNumber
    at: datetime


class Said(NamedTuple):
    """What the books said of one holding, signed, and until when, by our clock."""

    quantity: Decimal
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """Fills of one holding, so that one heard of late can take its place among them: what was held before, and they."""

    base: Cost
    fills: tuple[Earned, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Protection refused in a row: how often, when last, in whose words; `unheard`: the last so many nobody judged."""

    count: int
    at: datetime
    kind: str
    reason: str
    unheard: int = 0
