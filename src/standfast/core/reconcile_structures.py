"""What is wrong with a structure as a whole: its ratio is lost, or its rules cannot be judged.

What is held of each contract is compared contract by contract, as everywhere; here are only the ties between them.
"""

from dataclasses import replace
from datetime import timedelta

from standfast.core.own_record import structure_record_findings
from standfast.core.policy import Policy
from standfast.core.reconcile import Report
from standfast.core.shapes import Broken
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import phase_of, structure_of
from standfast.core.unwinding import is_half_made, lost_ratio
from standfast.core.worth import blindness
from standfast.model.breaks import BreakKind
from standfast.model.effects import ReadOrders, ReadPositions, Urgency, WakeAt
from standfast.model.ids import Holding
from standfast.model.position import Phase
from standfast.model.structure import BookedStructure

NOTHING = Report((), frozenset({BreakKind.STRUCTURE, BreakKind.BLIND, BreakKind.IN_DOUBT, BreakKind.BOT_LOST}))

SHOWN = timedelta(seconds=3)
"""How long after fills of one leg those of the others are in the broker's lists: a second at most was seen."""


def reconcile_structure(s: Situation, booked: BookedStructure, policy: Policy) -> Report:
    """Findings are about the structure: which contract it is stands in their evidence."""
    if phase_of(s.book, booked) is Phase.OPENING:
        return NOTHING
    found = []
    blind = blindness(s, structure_of(s.book, booked), policy)
    if blind is not None:
        found.append(replace(blind, holding=booked.holding, subject=""))
    lost = lost_ratio(s, booked)
    if lost is not None and not is_half_made(s, booked) and _is_so(s, booked, lost):
        finding = lost.finding()
        evidence = finding.evidence + _shared(s, booked)
        found.append(replace(finding, holding=booked.holding, subject="", evidence=evidence))
    recorded = structure_record_findings(s, booked)
    judged = NOTHING.judged if recorded is not None else NOTHING.judged - {BreakKind.BOT_LOST}
    return Report((*found, *(recorded or ())), judged)


def _is_so(s: Situation, booked: BookedStructure, lost: Broken) -> bool:
    """Whether the broker's list says of every leg what the books say, and cannot be of before its last fills."""
    if not all(s.is_comparable(leg.holding) and _is_listed(s, leg.holding) for leg in booked.legs):
        return False
    return all(s.is_settled(leg.holding) for leg in booked.legs) or _is_bare(s, booked, lost)


def _shared(s: Situation, booked: BookedStructure) -> str:
    """Contracts are alike: where no whole units say whose close it was, a person may know."""
    others = {each.instrument for leg in booked.legs for each in s.book.structures_at(leg.holding)} - {booked.id}
    return f"; contracts of it are legs of {', '.join(sorted(others))} too: was that meant?" if others else ""


def _is_listed(s: Situation, holding: Holding) -> bool:
    return s.reported_net(holding) in s.book.net(holding)


def _is_bare(s: Situation, booked: BookedStructure, lost: Broken) -> bool:
    """Whether what bounded something sold is surely gone, though a list might be older than that by what the broker
    promises: what is sold alone may lose any amount meanwhile.

    The list shows what is gone as gone, so it is of after that; what one order closed together it shows together. So
    what it shows as sold was sold then, and nobody is about to buy it back: no order works at any leg, by a list of
    orders of after that too. What others hold of a contract could be what is gone, and is waited for. Should it all be
    wrong, a broker that checks what a close closes refuses it.
    """
    if not lost.is_uncovered or not s.contract.checks_closing:
        return False
    return all(_is_known_alone(s, leg.holding) for leg in booked.legs)


def ask_for_bare(s: Situation, booked: BookedStructure) -> Outcomes:
    """The lists that would show it, as soon as they can."""
    lost = lost_ratio(s, booked)
    if lost is None or not lost.is_uncovered or not s.contract.checks_closing or is_half_made(s, booked):
        return
    moved = [at for leg in booked.legs if (at := s.book.state.moved_at.get(leg.holding)) is not None]
    since = s.surely(max(moved)) + SHOWN if moved else s.now
    if s.now < since:
        yield WakeAt(at=since, holding=booked.holding)
        return
    why = f"what bounds something sold in {booked.id} may be gone"
    positions, orders = s.snapshot.positions, s.snapshot.orders
    if (positions is None or positions.began < since) and not s.was_asked_lately("positions"):
        yield ReadPositions(reason=why, urgency=Urgency.CLOSE)
    if (orders is None or orders.began < since) and not s.was_asked_lately("orders"):
        yield ReadOrders(reason=why, urgency=Urgency.CLOSE)


def _is_known_alone(s: Situation, holding: Holding) -> bool:
    lists, moved = (s.snapshot.positions, s.snapshot.orders), s.book.state.moved_at.get(holding)
    since = s.surely(moved) + SHOWN if moved is not None else None
    is_late = since is None or all(read is not None and since <= read.began <= s.now for read in lists)
    is_alone = len([each for each in s.book.positions_at(holding) if s.book.held(each)]) <= 1
    is_shared = len(s.book.structures_at(holding)) > 1 or holding in s.book.state.acknowledged
    return is_late and is_alone and not is_shared and not _is_traded(s, holding)


def _is_traded(s: Situation, holding: Holding) -> bool:
    """Whether somebody's order for it works, alone or as part of one for several legs."""
    if any(not order.is_finished for order in s.book.alive.at(holding)):
        return True
    read = s.snapshot.orders
    listed = (part for report in (read.orders.values() if read is not None else ()) for part in (report, *report.legs))
    return any(part.holding == holding and not part.is_finished and part.remaining for part in listed)
