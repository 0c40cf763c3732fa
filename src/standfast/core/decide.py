"""One cycle's decisions, most urgent first: the table of contents of the core.

Level-triggered: each look asks what is so and what next, holding by holding. Facts are recorded and folded
before the next look, and a look that changed the book is followed by another, so that no two procedures
ever decide on the same stale state: per holding the first procedure that wants to act has this look.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from standfast.core.answers import finish_acts
from standfast.core.beside_shares import options_end
from standfast.core.book import Book
from standfast.core.closing import advance_closing, settle
from standfast.core.compared_cash import JUDGED, cash_facts, cash_findings
from standfast.core.ended import offset
from standfast.core.exits import exits
from standfast.core.flatten import flattening
from standfast.core.forming import forming
from standfast.core.naked import naked_time
from standfast.core.opening import advance_opening
from standfast.core.opening_structure import advance_structure_opening
from standfast.core.protect import protect
from standfast.core.proven import verify_opening
from standfast.core.reconcile import Report, reconcile, reconcile_account
from standfast.core.reconcile_structures import NOTHING, ask_for_bare, reconcile_structure
from standfast.core.reforming import reforming
from standfast.core.repair import repairs
from standfast.core.situation import Outcome, Outcomes, Situation
from standfast.core.structure_exits import structure_exits
from standfast.core.structures import structure_at, structure_of
from standfast.core.suspend import suspensions
from standfast.core.swapping import swaps
from standfast.core.tell import SKEW_MAX, clock_skew
from standfast.core.ties import ties
from standfast.core.too_late import too_late
from standfast.core.turning import may_turn
from standfast.core.unexplained import unexplained_legs
from standfast.core.unwinding import advance_unwinding, settle_structure
from standfast.core.verify import doubts
from standfast.model.effects import (
    CancelOrder,
    Decision,
    Effect,
    QueryOrder,
    ReadActivities,
    ReadOrders,
    ReadPosition,
    ReadPositions,
    ReadQuotes,
    ReplaceOrder,
    SubmitOrder,
    SubmitTogether,
    WakeAt,
)
from standfast.model.ids import STRUCTURE, Holding
from standfast.model.journal import CancelIntended, Fact, PricesSuspended, StructureDissolved, StructureFormed

ORDER_EFFECTS = (SubmitOrder, SubmitTogether, ReplaceOrder, CancelOrder)


def decide(s: Situation, holdings: Iterable[Holding]) -> Decision:
    """Decide about these holdings, and about what concerns the whole account."""
    whole = [holding for holding in holdings if holding not in s.booking]
    moved = list(swaps(s, whole))
    if moved:
        return sort_out(moved)  # they are other structures now: the next look follows at once
    formed = [*forming(s, whole), *reforming(s, whole)]
    if any(isinstance(outcome, StructureFormed | StructureDissolved) for outcome in formed):
        return sort_out(formed)  # no rule of a single position is judged of a leg: the next look follows at once
    return sort_out(chain(formed, _account(s), *(_look(s, holding) for holding in sorted(whole))))


def _look(s: Situation, holding: Holding) -> Iterator[Outcome]:
    return look_at_structure(s, holding) if holding.hedge == STRUCTURE else look_at(s, holding)


def is_silent(book: Book, clock_ahead: timedelta, *since: datetime | None) -> bool:
    """Whether `decide` about no holding has nothing to say: then nobody need ask it.

    `since`: moments from which on reads fail, or cash is there to be compared.
    """
    state = book.state
    is_asked = state.flattening or state.requests or book.breaks_at(None)
    return not is_asked and not any(since) and abs(clock_ahead) <= SKEW_MAX


def sort_out(outcomes: Iterable[Outcome]) -> Decision:
    """Facts apart from effects; every order effect brings the fact that must be committed before it leaves."""
    facts: list[Fact] = []
    effects: list[Effect] = []
    for outcome in outcomes:
        _sort_in(outcome, facts, effects)
    return Decision(tuple(facts), tuple(effects))


def _account(s: Situation) -> Outcomes:
    yield from flattening(s)
    yield from finish_acts(s)
    yield from clock_skew(s)
    yield from repairs(s, None, reconcile_account(s))
    yield from _cash(s)


def _cash(s: Situation) -> Outcomes:
    """Profit beside the broker's cash."""
    written = list(cash_facts(s))
    yield from written
    found = cash_findings(s) if not written else None  # what was written is another base: the next look compares
    if found is not None:
        yield from repairs(s, None, Report(found, JUDGED))


def look_at(s: Situation, holding: Holding) -> Iterator[Outcome]:
    """One look at one holding."""
    suspended = list(suspensions(s, holding))  # a split must not look like a crash
    yield from suspended
    if any(isinstance(outcome, PricesSuspended) for outcome in suspended):
        return  # the rules below do not know it yet: the next look follows at once
    yield from ties(s, holding)  # whose exits are whose
    yield from doubts(s, holding)  # learn what is in doubt
    acted = holding in s.busy  # one order effect at a time
    for position in s.book.positions_at(holding):
        for procedure in (
            verify_opening,  # say what came of what was asked for
            settle,  # what is proven flat leaves the books
            advance_closing,  # finish getting out
            protect,  # bound every loss
            exits,  # start getting out
            advance_opening,  # risk is added last
        ):
            for outcome in procedure(s, position):
                is_order = isinstance(outcome, ORDER_EFFECTS)
                if is_order and acted:
                    continue
                yield outcome
                acted = acted or (is_order and not isinstance(outcome, CancelOrder))
    yield from naked_time(s, holding)
    yield from offset(s, holding)  # what ended without a trace in any list
    yield from too_late(s, holding)
    yield from may_turn(s, holding)
    yield from repairs(s, holding, unexplained_legs(s, holding))
    for outcome in repairs(s, holding, reconcile(s, holding)):
        if not (acted and isinstance(outcome, ORDER_EFFECTS)):
            yield outcome


def look_at_structure(s: Situation, holding: Holding) -> Iterator[Outcome]:
    """One look at a structure: what its legs are together. Each leg is looked at where it is held."""
    booked = structure_at(s.book, holding)
    yield from doubts(s, holding)
    if booked is None:
        yield from repairs(s, holding, NOTHING)
        return
    if any(leg.holding in s.booking for leg in booked.legs):
        return
    policy = s.structure_policy(booked)
    acted = holding in s.busy
    for procedure in (
        settle_structure,
        advance_unwinding,
        lambda s, booked: structure_exits(s, structure_of(s.book, booked), policy),
        lambda s, booked: options_end(s, booked, structure_of(s.book, booked), policy),
        advance_structure_opening,
    ):
        for outcome in procedure(s, booked):
            is_order = isinstance(outcome, ORDER_EFFECTS)
            if is_order and acted:
                continue
            yield outcome
            acted = acted or (is_order and not isinstance(outcome, CancelOrder))
    yield from ask_for_bare(s, booked)
    yield from repairs(s, holding, reconcile_structure(s, booked, policy))


def _sort_in(outcome: Outcome, facts: list[Fact], effects: list[Effect]) -> None:
    match outcome:
        case SubmitOrder(intent=intent, again=again):
            if not again:
                facts.append(intent)
            effects.append(outcome)
        case SubmitTogether(intent=whole):
            facts.append(whole)
            effects.append(outcome)
        case ReplaceOrder(intent=intent):
            facts.append(intent)
            effects.append(outcome)
        case CancelOrder():
            facts.append(CancelIntended(broker_id=outcome.broker_id, holding=outcome.holding, reason=outcome.reason))
            effects.append(outcome)
        case QueryOrder() | WakeAt():
            effects.append(outcome)
        case ReadPositions() | ReadPosition() | ReadOrders() | ReadActivities() | ReadQuotes():
            effects.append(outcome)
        case _:
            facts.append(outcome)
