"""Effect: everything the core may ask the shell to do.

Facts to record are returned beside effects, and committed first. Effects on one holding run one at a
time; urgency orders what waits for the broker's rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, structure_holding
from standfast.model.journal import Fact, OrderIntended, TogetherIntended


class Urgency(IntEnum):
    """Lower goes first. Closing and protecting never wait behind reading or opening."""

    CLOSE = 0
    PROTECT = 1
    VERIFY = 2
    READ = 3
    OPEN = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """When a write may leave, among all that wait for the broker's rate, and whether it still shall when it may."""

    urgency: Urgency
    rank: float = 0.0
    """Among equals: smaller first."""
    is_wanted: Callable[[], bool] | None = None
    """Asked when its turn has come, with nothing between that and its leaving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder:
    """Send a journaled intent, for the first time or again under the same id."""

    intent: OrderIntended
    urgency: Urgency
    again: bool = False
    """The intent is in the journal already: the same order once more, under the same id."""
    rank: float = 0.0
    """Among equals: smaller first (how far beyond its stop, negated)."""

    @property
    def holding(self) -> Holding:
        return self.intent.holding


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitTogether:
    """Send one order for all legs of a structure; asked for only where the contract says `multileg`."""

    intent: TogetherIntended
    urgency: Urgency
    rank: float = 0.0

    @property
    def holding(self) -> Holding:
        return structure_holding(self.intent.structure)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceOrder:
    """Change a working order's terms in place; the intent's `replaces` names it."""

    intent: OrderIntended
    broker_id: BrokerOrderId
    urgency: Urgency = Urgency.PROTECT

    @property
    def holding(self) -> Holding:
        return self.intent.holding


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    broker_id: BrokerOrderId
    holding: Holding
    reason: str
    urgency: Urgency = Urgency.CLOSE
    rank: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOrder:
    """Ask the broker about one order, by its own id where known, by ours otherwise."""

    holding: Holding
    broker_id: BrokerOrderId | None = None
    client_id: ClientOrderId | None = None
    reason: str
    urgency: Urgency = Urgency.VERIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPositions:
    """The positions list is needed now, not at its next turn."""

    reason: str
    urgency: Urgency = Urgency.VERIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPosition:
    """One holding by its own name, where the list is in doubt."""

    holding: Holding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadActivities:
    """Fills and movements are needed now."""

    reason: str
    urgency: Urgency = Urgency.VERIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrders:
    reason: str
    urgency: Urgency = Urgency.VERIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadQuotes:
    """A quote of a holding that may not be watched yet."""

    holding: Holding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Look at this holding again at that time (None: the whole account)."""

    at: datetime
    holding: Holding | None


Effect: TypeAlias = (
    SubmitOrder
    | SubmitTogether
    | ReplaceOrder
    | CancelOrder
    | QueryOrder
    | ReadPositions
    | ReadPosition
    | ReadActivities
    | ReadOrders
    | ReadQuotes
    | WakeAt
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one look decided: facts first (one commit), then effects, most urgent first."""

    facts: tuple[Fact, ...] = ()
    effects: tuple[Effect, ...] = ()
