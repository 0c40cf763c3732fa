"""What is wrong with a structure as a whole: its ratio is lost, or its rules cannot be judged.

What is held of each contract is compared contract by contract, as everywhere; here are only the ties between them.
"""

from dataclasses import replace

from standfast.core.own_record import structure_record_findings
from standfast.core.policy import Policy
from standfast.core.reconcile import Report
from standfast.core.situation import Situation
from standfast.core.structures import phase_of, structure_of
from standfast.core.unwinding import is_half_made, lost_ratio
from standfast.core.worth import blindness
from standfast.model.breaks import BreakKind
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
    if lost is not None and not is_half_made(s, booked) and _agrees(s, booked):
        found.append(replace(lost.finding(), holding=booked.holding, subject=""))
    recorded = structure_record_findings(s, booked)
    judged = NOTHING.judged if recorded is not None else NOTHING.judged - {BreakKind.BOT_LOST}
    return Report((*found, *(recorded or ())), judged)


def _agrees(s: Situation, booked: BookedStructure) -> bool:
    """Whether reads that are late enough say of every leg what the books say: else its fills may be on their way."""
    at = [leg.holding for leg in booked.legs]
    return all(s.is_comparable(h) and s.is_settled(h) and s.reported_net(h) in s.book.net(h) for h in at)
