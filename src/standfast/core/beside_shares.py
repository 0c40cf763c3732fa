"""Options beside shares, of one structure: they may end, or be bought back, and the shares go on.

1. What an option's last day asks for is asked of the options alone: nobody sells shares because a call expires.
2. Shares are never closed for having lost what was sold against them. They go on as the position they were, with the
   stop that is theirs; what of a collar was bought goes on beside them.
3. What was sold is bought back where the shares no longer suffice for it: it is naked.
"""

from standfast.core.expiring import becomes, is_due
from standfast.core.policy import Policy
from standfast.core.shapes import Broken, shares_among
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import open_legs
from standfast.model.journal import CloseRequested
from standfast.model.position import CloseReason
from standfast.model.structure import BookedStructure, Structure


def options_end(s: Situation, booked: BookedStructure, structure: Structure, policy: Policy) -> Outcomes:
    """Closes of the options whose last day is nearly over, what is sold first."""
    if shares_among(structure.shape) is None or not booked.is_guarded or booked.closing is not None or not s.may_act:
        return
    ending = is_due(s, structure, policy)
    if ending is None:
        return
    options = [(leg, held) for leg, held in open_legs(s.book, booked) if leg.leg.contract is not None]
    sold = [(leg, held) for leg, held in options if leg.sign < 0]
    for _, position in sold or options:
        if position.closing is None and s.book.held(position) > 0:
            yield CloseRequested(
                position=position.id,
                reason=CloseReason.FLAT_BY,
                by="guard",
                detail=f"{ending.holding} is traded for the last time today; what is left becomes {becomes(ending)}. "
                "The shares beside it stay",
            )


def lets_go(found: Broken) -> bool:
    """Whether what exceeds the whole units of a structure with shares goes on by itself: nothing sold is among it."""
    is_beside = shares_among(found.structure.shape) is not None
    return is_beside and not any(leg.contract is not None and quantity < 0 for leg, quantity in found.excess)
