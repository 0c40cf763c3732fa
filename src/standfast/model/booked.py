"""Orders as our book knows them: what we meant, what we were told, what has been booked.

`report` is the broker's last word (by id, or whole from a list); `executed` is what fills have been booked
for. The difference, `excess`, is quantity that is beyond doubt filled and whose fills are still on their way.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from standfast.model.ids import STRUCTURE, BrokerOrderId, ClientOrderId, EntryNumber, Holding, PositionId
from standfast.model.order import STOP_TYPES, ZERO, OrderReport, OrderState, OrderType, Role, Side, Terms
from standfast.model.position import CloseReason

TOGETHER = "mleg"
"""The class of an order for several legs, ours or anybody's."""


class Stage(StrEnum):
    """What may still happen to an order of ours. See `core/order_states.py` for the legal moves."""

    INTENDED = "intended"
    IN_DOUBT = "in_doubt"
    WORKING = "working"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOrder:
    id: ClientOrderId
    position: PositionId | None
    role: Role
    holding: Holding
    stage: Stage
    terms: Terms | None = None
    """What we asked for; None for an order that is not ours."""
    broker_id: BrokerOrderId | None = None
    report: OrderReport | None = None
    executed: Decimal = ZERO
    attempt: int = 0
    reason: str = ""
    refusal: str = ""
    intended_at: datetime
    changed_at: datetime
    """When our knowledge of it last changed."""
    number: EntryNumber
    missed: int = 0
    """How often a lookup by id found nothing since it was last sent."""
    missed_at: datetime | None = None
    copy_refused: bool = False
    """It was sent again and that copy was refused: it is not sent any more, and waited for."""
    cancels: int = 0
    cancel_at: datetime | None = None
    parent: ClientOrderId | None = None
    replaces: ClientOrderId | None = None
    closes_as: CloseReason | None = None
    also: tuple[PositionId, ...] = ()
    """Positions beside its own that it bounds: a stop for several where the exchange takes no more of them."""
    rung: int | None = None
    """Of an order that closes all legs of a structure: its place on the ladder of limits."""

    @property
    def bounds(self) -> tuple[PositionId, ...]:
        """Of a stop for several positions: all of them, in the order in which it closes them."""
        return (self.position, *self.also) if self.also and self.position is not None else ()

    @property
    def is_own(self) -> bool:
        return self.terms is not None

    @property
    def is_together(self) -> bool:
        """Whether it is one order for all legs of a structure: what it fills, its legs fill."""
        return self.holding.hedge == STRUCTURE or (self.report is not None and self.report.order_class == TOGETHER)

    @property
    def is_finished(self) -> bool:
        return self.stage is Stage.FINISHED

    @property
    def is_settled(self) -> bool:
        """Its outcome is known: it works or it is over."""
        return self.stage in (Stage.WORKING, Stage.FINISHED)

    @property
    def side(self) -> Side:
        if self.report is not None:
            return self.report.side
        assert self.terms is not None, self.id
        return self.terms.side

    @property
    def type(self) -> OrderType:
        if self.report is not None:
            return self.report.type
        assert self.terms is not None, self.id
        return self.terms.type

    @property
    def quantity(self) -> Decimal:
        if self.report is not None:
            return self.report.quantity
        assert self.terms is not None, self.id
        return self.terms.quantity

    @property
    def filled(self) -> Decimal:
        """Cumulative, by the broker's word or by booked fills, whichever knows more."""
        reported = self.report.filled if self.report is not None else ZERO
        return max(reported, self.executed)

    @property
    def excess(self) -> Decimal:
        """Filled beyond doubt and not booked yet. Nobody waits for the fills of an order that is not ours."""
        return ZERO if self.role is Role.FOREIGN or self.is_together else self.filled - self.executed

    @property
    def may_fill_any_moment(self) -> bool:
        """Whether it could be filling while we look: anything in doubt, and what works and does not rest."""
        return self.stage is not Stage.WORKING or self.role in (Role.OPEN, Role.CLOSE, Role.ROLLBACK)

    @property
    def widens(self) -> bool:
        """Whether more or less may be held than is booked for it: one of ours that could be filling."""
        return self.is_own and not self.is_finished and self.may_fill_any_moment

    @property
    def remaining(self) -> Decimal:
        """Quantity that may still fill."""
        return ZERO if self.is_finished else max(self.quantity - self.filled, ZERO)

    @property
    def state(self) -> OrderState:
        return self.report.state if self.report is not None else OrderState.PENDING

    @property
    def is_stop(self) -> bool:
        return self.type in STOP_TYPES

    @property
    def stop_price(self) -> Decimal | None:
        if self.report is not None:
            return self.report.stop_price
        return self.terms.stop_price if self.terms is not None else None

    @property
    def reduces(self) -> bool:
        """Whether it may only take exposure away (by its role, not by a flag at the broker)."""
        return self.role not in (Role.OPEN, Role.FOREIGN)
