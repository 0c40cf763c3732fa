"""What a book keeps beside positions and orders: average costs, late profit, refusals in a row."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from standfast.model.facts_watch import CashCompared
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


class Flow(NamedTuple):
    """Money that came (or went, below zero) at some moment between the two, and the profit booked with it."""

    since: datetime
    until: datetime
    amount: Decimal
    profit: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CashKept:
    """The reading that cash is counted from, and what has been booked since (`core/cash.py`)."""

    base: CashCompared | None = None
    amount: Decimal = ZERO
    profit: Decimal = ZERO
    rows: int = 0
    """Sums of what is older than `recent`."""
    recent: tuple[Flow, ...] = ()
    doubt: str = ""
    """Why nothing can be said beyond this point; empty while something can."""
    doubted: EntryNumber = EntryNumber(0)
    doubted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Protection refused in a row: how often, when last, in whose words; `unheard`: the last so many nobody judged."""

    count: int
    at: datetime
    kind: str
    reason: str
    unheard: int = 0
