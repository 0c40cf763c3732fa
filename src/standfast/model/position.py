"""Positions: what one owner holds, from first fill to flat, and why it ended.

Quantities here are unsigned and the direction is `sign`; signed numbers are only made where a net is.
A position's numbers come from fills (or from adoption); nothing else may change them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from standfast.model.ids import Holding, PositionId, RequestId

ZERO = Decimal(0)
NO_FRACTION = "not_fractionable"
"""Kind of a refusal, as in `errors.Rejected`."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What the broker may hold, both ends included: exact when nothing is in doubt."""

    low: Decimal
    high: Decimal

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    def __contains__(self, quantity: Decimal) -> bool:
        return self.low <= quantity <= self.high

    def __str__(self) -> str:
        return f"{self.low}" if self.is_exact else f"{self.low}..{self.high}"


FLAT = Interval(ZERO, ZERO)


class Bare(NamedTuple):
    """Signed quantity that was read and that no booked fill explains, and until when its fills were, by the broker."""

    quantity: Decimal
    until: datetime


class Standing(StrEnum):
    """Whose it is. FOREIGN is recorded and never closed, protected or counted against a position."""

    OWNED = "owned"
    ADOPTED = "adopted"
    FOREIGN = "foreign"


class Phase(StrEnum):
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Answer(StrEnum):
    """What is known of an opening (`core/proven.py`)."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


class CloseReason(StrEnum):
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING = "trailing"
    EMERGENCY_STOP = "emergency_stop"
    FLAT_BY = "flat_by"
    MAXIMUM_HOLD = "maximum_hold"
    EXPIRY = "expiry"
    ASSIGNMENT = "assignment"
    USER_RULE = "user_rule"
    OPERATOR = "operator"
    BROKER_EXIT = "broker_exit"
    BOT_EXIT = "bot_exit"
    FOREIGN = "foreign"
    LIQUIDATION = "liquidation"
    ROLLBACK = "rollback"
    CORPORATE_ACTION = "corporate_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A decision to get out, in force until `remain` is all that is held."""

    reason: CloseReason
    by: str
    detail: str
    remain: Decimal
    """Unsigned quantity that shall be left: zero for a whole close."""
    at: datetime
    refusals: int = 0
    refused_at: datetime | None = None
    refusal: str = ""
    refusal_kind: str = ""
    whole_only: bool = False
    """The broker has said that it takes no order for a fraction."""
    request: RequestId | None = None

    def refused(self, reason: str, at: datetime, kind: str = "") -> "Closing":
        """After one more try that came to nothing."""
        told = replace(self, refusal=reason, refusal_kind=kind, whole_only=self.whole_only or kind == NO_FRACTION)
        return replace(told, refusals=self.refusals + 1, refused_at=at)

    @property
    def again_at(self) -> datetime | None:
        """When a refused close is tried again: after a second, doubling to half a minute. It is never dropped."""
        if self.refused_at is None:
            return None
        return self.refused_at + min(timedelta(seconds=2 ** min(self.refusals - 1, 5)), timedelta(seconds=30))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """How far a trailing ladder has come: the rung in force, the best result seen, where the stop now stands."""

    rung: int
    peak: Decimal
    stop: Decimal
    """All three results are fractions of entry (0.10 is ten per cent)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position of one strategy in one instrument."""

    id: PositionId
    strategy: str
    holding: Holding
    standing: Standing
    phase: Phase
    sign: int
    """+1 long, -1 short."""
    asked: Decimal
    """Quantity an opening asked for; zero for what was found."""
    opened: Decimal = ZERO
    closed: Decimal = ZERO
    entry_value: Decimal = ZERO
    """Sum of quantity x price over what opened."""
    exit_value: Decimal = ZERO
    pnl: Decimal = ZERO
    """Realised, average cost, fees apart; in account currency."""
    fees: Decimal = ZERO
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: CloseReason | None = None
    proof: str = ""
    anchor: Decimal | None = None
    """Price the stop is figured from, where that is not the entry (held before the account was guarded)."""
    gain_anchor: Decimal | None = None
    """Price the target is figured from, likewise."""
    stop: Decimal | None = None
    """Chosen for this position; the policy's otherwise. A price."""
    stop_loss: Decimal | None = None
    """Asked for with its opening, in place of the policy's: a share of its entry."""
    target: Decimal | None = None
    limit: Decimal | None = None
    """Limit price of its opening."""
    asked_at: datetime | None = None
    """When its opening was asked for."""
    adopted_at: datetime | None = None
    counted_until: datetime | None = None
    """By the broker's clock: fills of before that turn up later are in `bare_adopted` already."""
    bare_adopted: Decimal = ZERO
    """Quantity taken from a position read; fills that explain it later are matched, not added."""
    bare: bool = False
    """An operator's word that no protection shall be kept."""
    closing: Closing | None = None
    trail: Trail | None = None
    structure: PositionId | None = None
    """The structure it is a leg of: that is judged, protected and closed, and its legs as parts of it."""
    apart: bool = False
    """An operator's word that it is no leg of any structure."""
    key: str = ""
    """The opening's own key: the same key is the same opening."""
    verified: Answer | None = None
    """Of an opening through Standfast; None while there is nothing to say."""
    naked_since: datetime | None = None
    naked_seconds: Decimal = ZERO
    """Time without the cover its policy asks for, ended stretches only."""

    @property
    def held(self) -> Decimal:
        return self.opened - self.closed

    @property
    def net(self) -> Decimal:
        return self.held * self.sign

    def with_closed(self, quantity: Decimal, value: Decimal) -> "Position":
        """With so much more of it closed, for so much; below zero: with so much less."""
        return replace(self, closed=self.closed + quantity, exit_value=self.exit_value + value)

    @property
    def entry_price(self) -> Decimal | None:
        return self.entry_value / self.opened if self.opened else None

    @property
    def exit_price(self) -> Decimal | None:
        return self.exit_value / self.closed if self.closed else None

    @property
    def basis(self) -> Decimal | None:
        """The price stops are figured from."""
        return self.anchor if self.anchor is not None else self.entry_price

    @property
    def is_guarded(self) -> bool:
        """Ours to protect and close."""
        return self.standing is not Standing.FOREIGN

    @property
    def is_leaving(self) -> bool:
        """Whether all of it is being closed: of a part, its rules hold on."""
        return self.closing is not None and not self.closing.remain

    @property
    def direction(self) -> str:
        return "long" if self.sign > 0 else "short"


def split_off(position: Position, id: PositionId, quantity: Decimal) -> tuple[Position, Position]:
    """What is left of a position, and so much of what it holds as one of its own, at the same cost."""
    assert 0 < quantity < position.held, (position.id, quantity)
    value = position.entry_value * quantity / position.opened
    unexplained = min(quantity, max(position.bare_adopted, ZERO))
    part = replace(
        position,
        id=id,
        opened=quantity,
        closed=ZERO,
        entry_value=value,
        exit_value=ZERO,
        pnl=ZERO,
        fees=ZERO,
        bare_adopted=unexplained,
        naked_since=None,
        naked_seconds=ZERO,
    )
    rest = replace(
        position,
        opened=position.opened - quantity,
        entry_value=position.entry_value - value,
        bare_adopted=position.bare_adopted - unexplained,
    )
    return rest, part
