"""What is wrong with a structure as a whole: its ratio is lost, or its rules cannot be judged.

What is held of each contract is compared contract by contract, as everywhere; here are only the ties between them.
"""

from dataclasses import replace

from standfast.core.own_record import structure_record_findings
from standfast.core.policy import Policy
from standfast.core.reconcile import Report
from standfast.core.shapes import Broken
from standfast.core.situation import Situation
from standfast.core.structures import phase_of, structure_of
from standfast.core.unwinding import is_half_made, lost_ratio
from standfast.core.worth import blindness
from standfast.model.breaks import BreakKind
from standfast.model.ids import Holding
from standfast.model.order import Side
from standfast.model.position import Phase
from standfast.model.structure import BookedStructure

NOTHING = Report((), frozenset({BreakKind.STRUCTURE, BreakKind.BLIND, BreakKind.IN_DOUBT, BreakKind.BOT_LOST}))


def reconcile_structure(s: Situation, booked: BookedStructure, policy: Policy) -> Report:
    """Findings are about the structure: which contract it is stands in their evidence."""
    if phase_of(s.book, booked) is Phase.OPENING:
        return NOTHING
    found = []
    blind = blindness(s, structure_of(s.book, booked), policy)
    if blind is not None:
        found.append(replace(blind, holding=booked.holding, subject=""))
    lost = lost_ratio(s, booked)
    if lost is not None and not is_half_made(s, booked) and (_agrees(s, booked) or _is_bare(s, booked, lost)):
        found.append(replace(lost.finding(), holding=booked.holding, subject=""))
    recorded = structure_record_findings(s, booked)
    judged = NOTHING.judged if recorded is not None else NOTHING.judged - {BreakKind.BOT_LOST}
    return Report((*found, *(recorded or ())), judged)


def _agrees(s: Situation, booked: BookedStructure) -> bool:
    """Whether reads that are late enough say of every leg what the books say: else its fills may be on their way."""
    return all(s.is_settled(leg.holding) and _is_listed(s, leg.holding) for leg in booked.legs)


def _is_bare(s: Situation, booked: BookedStructure, lost: Broken) -> bool:
    """Whether fills prove that what bounded something sold is gone, and that is listed as it is booked. Not waited for
    until every list is late enough: what is sold alone may lose any amount meanwhile. A broker that checks what a close
    closes refuses it should it have just been bought back; an order that works and may do just that is waited for. What
    several structures hold of a contract that is gone may have been another's (`swapping.py`)."""
    bare = {leg.holding for leg, quantity in lost.excess if quantity < 0}
    others = [leg.holding for leg in booked.legs if leg.holding not in bare]
    is_shared = any(len(s.book.structures_at(holding)) > 1 for holding in (*bare, *others))
    is_held = all(_is_listed(s, holding) and not _is_bought_back(s, holding) for holding in bare)
    return lost.is_uncovered and s.contract.checks_closing and not is_shared and is_held


def _is_bought_back(s: Situation, holding: Holding) -> bool:
    """Whether somebody's order for it works, alone or as part of one for several legs."""
    known = any(order.side is Side.BUY and not order.is_finished for order in s.book.alive.at(holding))
    read = s.snapshot.orders
    listed = (part for report in (read.orders.values() if read is not None else ()) for part in (report, *report.legs))
    return known or any(
        part.holding == holding and part.side is Side.BUY and not part.is_finished and part.remaining for part in listed
    )


def _is_listed(s: Situation, holding: Holding) -> bool:
    return s.is_comparable(holding) and s.reported_net(holding) in s.book.net(holding)
