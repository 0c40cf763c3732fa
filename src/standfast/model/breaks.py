"""Differences between two records, named.

A break is a finding, not an error. Its id is derived from what it is about, so the same difference is
one break for as long as it lasts, whichever process sees it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.model.ids import BreakId, EntryNumber, Holding
from standfast.model.order import ZERO


class BreakKind(StrEnum):
    ORPHAN_POSITION = "orphan_position"
    ORPHAN_ORDER = "orphan_order"
    GHOST_POSITION = "ghost_position"
    GHOST_ORDER = "ghost_order"
    QUANTITY = "quantity"
    SIDE = "side"
    STRUCTURE = "structure"
    UNCOVERED = "uncovered"
    OVER_COVERED = "over_covered"
    STRAY_EXIT = "stray_exit"
    IN_DOUBT = "in_doubt"
    BLIND = "blind"
    BOT_LOST = "bot_lost"
    PNL = "pnl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference as one comparison saw it. `subject` is the order or position it is about, if not the holding."""

    kind: BreakKind
    holding: Holding | None
    subject: str = ""
    booked: str
    reported: str
    evidence: str = ""
    price: Decimal | None = None
    """What the broker says is held cost on average."""
    gap: Decimal = ZERO
    """How far apart the two are, where that is a quantity: a break whose gap grows is worse."""

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.holding or ''}/{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A finding with its history, as the book keeps it."""

    id: BreakId
    finding: Finding
    first_seen: datetime
    last_seen: datetime
    number: EntryNumber
    """The entry of its last change: only a read asked for after it can confirm it."""
    confirmed: bool = False
    action: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""
    alarmed_at: datetime | None = None
    worst: Decimal = ZERO
    """The largest gap it has had: beyond it, it alarms again."""
    told_at: datetime | None = None
    """Since when it reads as it does: nothing that was asked for later is in it."""
