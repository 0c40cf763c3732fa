"""Time without cover, measured per position: it begins and ends by entries, so it can be shown and added up."""

from standfast.core.reconcile import COVER_GRACE, cover_gap
from standfast.core.situation import Outcomes, Situation
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding
from standfast.model.journal import NakedBegan, NakedEnded
from standfast.model.position import Position


def naked_time(s: Situation, holding: Holding) -> Outcomes:
    """Begin or end the stretch during which a position lacks the resting cover its policy asks for."""
    for position in s.book.guarded_at(holding):
        gap = cover_gap(s, position)
        is_naked = gap is not None and not gap[2] and gap[1] < gap[0]
        if is_naked and position.naked_since is None:
            yield NakedBegan(position=position.id)
            yield WakeAt(at=s.now + COVER_GRACE, holding=holding)
        elif not is_naked and position.naked_since is not None and not _is_to_go(s, position):
            yield NakedEnded(position=position.id)


def _is_to_go(s: Situation, position: Position) -> bool:
    """Whether an exit was to be cancelled and nobody has read it since: asked once more, it is no cover in between."""
    return any(
        order.cancel_at is not None and order.changed_at <= order.cancel_at and not order.is_finished
        for order in s.book.orders_for(position.id)
    )
