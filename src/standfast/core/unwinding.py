"""Get out of a structure: the way that `core/way_out.py` names, taken from the book and put into facts and effects.

1. As one order for all legs where the broker takes such; leg by leg everywhere else, and where the one is refused.
2. Leg by leg, each leg's own position is asked to close: from there on it is closed like any position, for ever.
3. A structure is settled once every one of its legs is, each by its own fills.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from standfast.core.clearing import clearing
from standfast.core.closing import BY_PRICE
from standfast.core.cover import is_cancelling
from standfast.core.expiring import endings
from standfast.core.shapes import Broken, broken
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import open_legs, phase_of, position_of, structure_of
from standfast.core.tell import alarm_once
from standfast.core.way_out import (
    PATIENCE,
    RUNGS,
    UNHURRIED,
    UNHURRIED_FOR,
    AskNets,
    Attempt,
    Done,
    SendLegs,
    SendTogether,
    State,
    Step,
    Wait,
    WayOut,
    Withdraw,
    next_step,
    own_nets,
)
from standfast.core.worth import worth
from standfast.model.alert import Severity
from standfast.model.booked import BookedOrder, Stage
from standfast.model.effects import CancelOrder, ReadActivities, ReadPositions, SubmitTogether, Urgency, WakeAt
from standfast.model.ids import ClientOrderId, Holding, client_order_id
from standfast.model.journal import CloseRequested, CloseWithdrawn, LegIntended, PositionSettled, TogetherIntended
from standfast.model.order import CLOSING_ROLES, OrderState, Role
from standfast.model.position import CloseReason, Closing, Phase
from standfast.model.structure import BookedStructure, Structure

TICK = Decimal("0.01")
SOON = timedelta(seconds=1)
SHARE = 0.75
"""Of the orders a broker takes in a minute, for closing structures: the rest is for stops, and for the bot."""


def settle_structure(s: Situation, booked: BookedStructure) -> Outcomes:
    """End a structure none of whose legs is held, nor may come to be."""
    if any(True for _ in open_legs(s.book, booked)):
        return
    legs = [position for leg in booked.legs if (position := position_of(s.book, leg)) is not None]
    opened = [leg for leg in legs if leg.opened]
    reason = booked.closing.reason if booked.closing is not None else None
    if reason is None:
        last = max(opened, key=lambda leg: leg.closed_at or s.now, default=None)
        reason = last.close_reason if last is not None and last.close_reason is not None else CloseReason.ROLLBACK
    proof = "; ".join(f"{leg.holding} {leg.proof}" for leg in legs) or "its legs are closed"
    yield PositionSettled(position=booked.id, reason=reason, proof=proof)


def advance_unwinding(s: Situation, booked: BookedStructure) -> Outcomes:
    """The next step out, if this structure is to be closed."""
    closing = booked.closing
    if closing is None or not booked.is_guarded or phase_of(s.book, booked) is Phase.OPENING:
        return
    if s.may_act:
        yield from _get_out(s, booked, closing)
    else:
        yield from _judge_anew(s, booked, closing)


def _get_out(s: Situation, booked: BookedStructure, closing: Closing) -> Outcomes:
    structure = structure_of(s.book, booked)
    beyond = any(held.held > closing.remain * abs(held.leg.ratio) for held in structure.legs)
    if not beyond:
        if closing.remain > 0 and not _is_under_way(s, booked):
            yield CloseWithdrawn(position=booked.id, reason="what shall remain is all that is held")
        return
    if not s.trades(*(leg.holding for leg in booked.legs)):
        yield from _wait_for_open(s, structure, closing)
        return
    if not all(s.is_comparable(leg.holding) for leg in booked.legs):
        if not s.was_asked_lately("positions"):
            yield ReadPositions(reason=f"to size the close of {booked.id}", urgency=Urgency.CLOSE)
        yield WakeAt(at=s.now + SOON, holding=booked.holding)
        return
    cleared = list(clearing(s, booked, closing))
    yield from cleared
    if not any(isinstance(outcome, WakeAt) for outcome in cleared):
        yield from _take(s, booked, closing, next_step(_way(s, booked, structure, closing)))


def _judge_anew(s: Situation, booked: BookedStructure, closing: Closing) -> Outcomes:
    if closing.by == "guard" and closing.reason in BY_PRICE and not _is_under_way(s, booked):
        why = "orders may not be sent now: it is judged anew when they may"
        yield CloseWithdrawn(position=booked.id, reason=why)


def _way(s: Situation, booked: BookedStructure, structure: Structure, closing: Closing) -> WayOut:
    held = {leg.holding: s.book.net(leg.holding) for leg in booked.legs}
    rungs, patience = _pace(s, closing)
    nets = own_nets(
        structure,
        booked={holding: net.low for holding, net in held.items() if net.is_exact},
        reported={holding: s.reported_net(holding) for holding in held},
    )
    return WayOut(
        structure=structure,
        nets=nets,
        sides=worth(s, structure.shape).now,
        attempts=tuple(_attempts(s, booked, closing)),
        reason=closing.reason,
        remain=closing.remain,
        multileg=s.contract.multileg,
        tick=max((s.instrument(leg.holding).tick or TICK for leg in booked.legs), default=TICK),
        rungs=rungs,
        patience=patience,
        began=closing.at,
        ends=_stops_trading(s, structure),
        now=s.now,
    )


def _stops_trading(s: Situation, structure: Structure) -> datetime | None:
    """When the first of its options trades no more, if that is ahead, by our clock."""
    closes = [ending.close for ending in endings(s, structure) if s.broker_now < ending.close]
    return s.by_our_clock(min(closes)) if closes else None


def _pace(s: Situation, closing: Closing) -> tuple[int, timedelta]:
    """How many limits each of those that are closed now is given, and for how long each: at least the worst side.

    A limit costs an order and its cancel. Where a broker takes only so many of them in a minute, what ends a loss
    begins further down: in a falling market its last order must not wait for the budget. The rest takes more minutes.
    """
    budget = s.contract.orders_per_minute
    if budget is None:
        return len(RUNGS), PATIENCE
    many = s.once("closing", lambda: sum(1 for each in s.book.state.structures.values() if each.closing is not None))
    budget = int(budget * SHARE)
    if budget // max(many, 1) > 2 * len(RUNGS):
        return len(RUNGS), PATIENCE
    is_hurried = closing.reason not in UNHURRIED
    minutes = 1 if is_hurried else UNHURRIED_FOR // timedelta(minutes=1)
    rungs = max(1, min(len(RUNGS), (budget * minutes // many - 1) // 2))
    return rungs, PATIENCE if is_hurried else UNHURRIED_FOR / len(RUNGS)


def _attempts(s: Situation, booked: BookedStructure, closing: Closing) -> Iterator[Attempt]:
    """What was sent for this close, oldest first: for all legs, and then for single ones. What an earlier one has left
    working is under way too: beside it more would be closed than is held."""
    for order in s.book.orders_for(booked.id):
        if order.role in CLOSING_ROLES and (order.intended_at >= closing.at or not order.is_finished):
            yield _attempt(s, order)
    for leg, position in open_legs(s.book, booked):
        remain = closing.remain * abs(leg.ratio)
        if position.closing is not None and s.book.held(position) > remain:
            yield Attempt(state=State.UNDER_WAY, at=position.closing.at)
        for order in s.book.orders_for(position.id):
            if order.role not in CLOSING_ROLES or order.parent is not None:
                continue
            if order.intended_at >= closing.at or not order.is_finished:
                yield _attempt(s, order)


def _attempt(s: Situation, order: BookedOrder) -> Attempt:
    is_refused = order.state is OrderState.REJECTED or (order.report is None and bool(order.refusal))
    state = State.UNDER_WAY
    if order.stage is Stage.FINISHED:
        state = State.REFUSED if is_refused and not order.filled else State.OVER
    return Attempt(state=state, at=order.intended_at, rung=order.rung, withdrawn=is_cancelling(s, order))


def _is_under_way(s: Situation, booked: BookedStructure) -> bool:
    return any(not order.is_finished for order in s.book.orders_for(booked.id)) or any(
        position.closing is not None for _, position in open_legs(s.book, booked)
    )


def _take(s: Situation, booked: BookedStructure, closing: Closing, step: Step) -> Outcomes:
    match step:
        case SendTogether():
            yield SubmitTogether(intent=_intent(s, booked, closing, step), urgency=Urgency.CLOSE)
        case SendLegs():
            yield from _leg_by_leg(s, booked, closing, step)
        case Withdraw(reason=reason):
            yield from withdraw(s, booked, CLOSING_ROLES, reason)
        case Wait():
            yield from _wait(s, booked, closing, step)
        case AskNets(why=why):
            yield from _ask_nets(s, booked, why)
        case Done():
            pass


def _wait(s: Situation, booked: BookedStructure, closing: Closing, step: Wait) -> Outcomes:
    if step.until is None:
        return
    if step.is_blind:
        yield from _tell_blind(s, booked, closing, step.until)
    yield WakeAt(at=max(step.until, s.now + timedelta(milliseconds=50)), holding=booked.holding)


def _tell_blind(s: Situation, booked: BookedStructure, closing: Closing, until: datetime) -> Outcomes:
    structure = structure_of(s.book, booked)
    why = worth(s, structure.shape).why_blind
    yield from alarm_once(
        s,
        Severity.WARNING,
        f"{structure} is to be closed ({closing.reason}: {closing.detail}) and has no price: {why}. It waits for one, "
        f"and goes at the market from {until:%H:%M:%S} UTC on.",
        key=f"blind close/{booked.id}/{closing.at.isoformat()}",
    )


def _leg_by_leg(s: Situation, booked: BookedStructure, closing: Closing, step: SendLegs) -> Outcomes:
    detail = f"{closing.detail}; leg of {booked.id}"
    asked = Asking(closing.reason, closing.by, detail, closing.remain)
    for order in step.orders:
        yield from _close_leg(s, booked, order.leg.holding, asked)


def _ask_nets(s: Situation, booked: BookedStructure, why: str) -> Outcomes:
    if not s.was_asked_lately("activities"):
        yield ReadActivities(reason=f"{booked.id}: {why}")
    if not s.was_asked_lately("positions"):
        yield ReadPositions(reason=why, urgency=Urgency.CLOSE)
    yield WakeAt(at=s.now + SOON, holding=booked.holding)


def withdraw(s: Situation, booked: BookedStructure, roles: frozenset[Role], reason: str) -> Outcomes:
    """Cancel what works for all legs."""
    for order in s.book.orders_for(booked.id):
        is_alive = not order.is_finished and order.broker_id is not None and not is_cancelling(s, order)
        if order.role in roles and is_alive:
            assert order.broker_id is not None
            yield CancelOrder(broker_id=order.broker_id, holding=booked.holding, reason=reason)


def _intent(s: Situation, booked: BookedStructure, closing: Closing, step: SendTogether) -> TogetherIntended:
    role = Role.ROLLBACK if closing.reason is CloseReason.ROLLBACK else Role.CLOSE
    attempt = s.book.next_attempt(booked.id, role)
    id = client_order_id(s.book.account, booked.id, role, attempt)
    at = {leg.holding: leg.position for leg in booked.legs}
    return TogetherIntended(
        id=id,
        structure=booked.id,
        role=role,
        legs=tuple(
            LegIntended(
                id=ClientOrderId(f"{id}.{place}"),
                position=at[order.leg.holding],
                holding=order.leg.holding,
                terms=order.terms,
            )
            for place, order in enumerate(step.orders)
        ),
        units=step.units,
        net=step.net,
        attempt=attempt,
        rung=step.rung,
        reason=f"{closing.reason.value}: {closing.detail}",
    )


class Asking(NamedTuple):
    """What the legs of a structure are asked to close for."""

    reason: CloseReason
    by: str
    detail: str
    whole: Decimal
    """Units that shall be left."""


def _close_leg(s: Situation, booked: BookedStructure, holding: Holding, asked: Asking) -> Outcomes:
    """Ask for the close of one leg, down to what belongs to the units that shall be left."""
    reason, by, detail, whole = asked
    for leg, position in open_legs(s.book, booked):
        remain = whole * abs(leg.ratio)
        wanted = position.closing is None or position.closing.remain > remain
        if leg.holding == holding and wanted and s.book.held(position) > remain:
            yield CloseRequested(position=position.id, reason=reason, by=by, detail=detail, remain=remain)


def _wait_for_open(s: Situation, structure: Structure, closing: Closing) -> Outcomes:
    clock = s.snapshot.clock
    if clock is None:
        return
    opens = clock.next_open if not clock.is_open else s.now + timedelta(seconds=5)
    yield WakeAt(at=max(opens, s.now + SOON), holding=structure.shape[0].holding)
    yield from alarm_once(
        s,
        Severity.WARNING,
        f"{structure} is to be closed ({closing.reason}: {closing.detail}). The session is closed: it is due at the "
        f"open, {opens:%Y-%m-%d %H:%M} UTC.",
        key=f"due/{structure.id}/{closing.at.isoformat()}",
    )


# --- what has lost its ratio ------------------------------------------------------------------------


def is_at_rest(s: Situation, booked: BookedStructure) -> bool:
    """Whether nothing of it is under way: no order, no fills on their way, no close."""
    if booked.closing is not None or phase_of(s.book, booked) is Phase.OPENING or s.book.alive.of(booked.id):
        return False
    return not any(
        position.closing is not None or s.book.alive.of(position.id) for _, position in open_legs(s.book, booked)
    )


def lost_ratio(s: Situation, booked: BookedStructure) -> Broken | None:
    """What exceeds the whole units, once nothing of it is under way."""
    if not is_at_rest(s, booked):
        return None
    found = broken(structure_of(s.book, booked))
    return found if found is not None and any(True for _ in open_legs(s.book, booked)) else None


def mend(s: Situation, booked: BookedStructure, found: Broken) -> Outcomes:
    """Close what exceeds the whole units, what is sold first: the rest is a structure again, or nothing. Shares that
    were not opened by halves stay."""
    is_half = is_half_made(s, booked)
    reason = CloseReason.ROLLBACK if is_half else CloseReason.FOREIGN
    detail = f"{booked.id} is not held in its ratio: {found.whole} whole"
    excess = found.excess if is_half else [each for each in found.excess if each[0].contract is not None]
    sold = [(leg, quantity) for leg, quantity in excess if quantity < 0]
    options = [leg for leg, _ in sold if leg.contract is not None]
    for leg in options or [leg for leg, _ in sold or excess]:
        yield from _close_leg(s, booked, leg.holding, Asking(reason, "guard", detail, found.whole))


def is_half_made(s: Situation, booked: BookedStructure) -> bool:
    """Whether its opening is over and not every leg came to be held, and nothing was closed that was no roll-back."""
    legs = [position for leg in booked.legs if (position := position_of(s.book, leg)) is not None]
    is_rolled = all(not leg.closed or leg.close_reason is CloseReason.ROLLBACK for leg in legs)
    return booked.asked_at is not None and is_rolled and any(leg.opened < leg.asked for leg in legs)
