"""Open a structure: as one order where the broker takes such, else leg by leg, what is bought first.

1. Nothing is sold before what is bought with it is held whole.
2. An opening that ends with less than every leg is rolled back: what exceeds the whole units is closed.
"""

from datetime import timedelta

from standfast.core.cover import is_cancelling
from standfast.core.opening import SEND_WITHIN
from standfast.core.orders import intent, opening
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import open_legs, position_of
from standfast.core.unwinding import is_half_made, lost_ratio, mend, withdraw
from standfast.model.effects import CancelOrder, SubmitOrder, SubmitTogether, Urgency, WakeAt
from standfast.model.ids import ClientOrderId, client_order_id
from standfast.model.journal import LegIntended, PositionSettled, TogetherIntended
from standfast.model.order import Role
from standfast.model.position import CloseReason, Phase, Position
from standfast.model.structure import BookedStructure, TiedLeg

LEG_PATIENCE = timedelta(seconds=15)
"""How long one leg may take to open where legs go alone; then the opening is rolled back."""


def advance_structure_opening(s: Situation, booked: BookedStructure) -> Outcomes:
    """The next step of an opening: send it, withdraw it, or put right what it left half made."""
    if not s.may_act:
        return
    found = lost_ratio(s, booked)
    if found is not None and is_half_made(s, booked):
        yield from mend(s, booked, found)
        return
    waiting = [(leg, position) for leg, position in open_legs(s.book, booked) if position.phase is Phase.OPENING]
    if not waiting:
        return
    unsent = [(leg, position) for leg, position in waiting if not _orders(s, position)]
    reason = why_not_open_structure(s, booked, is_begun=len(unsent) < len(booked.legs))
    if reason:
        yield from _give_up(s, booked, waiting, reason)
    elif s.contract.multileg:
        if unsent:
            yield SubmitTogether(intent=_together(s, booked, unsent), urgency=Urgency.OPEN)
    else:
        yield from _leg_by_leg(s, booked, waiting, unsent)


def why_not_open_structure(s: Situation, booked: BookedStructure, *, is_begun: bool = False) -> str:
    """Why an opening shall not be sent (any more); what has begun is not given up for its age."""
    if booked.closing is not None:
        return "its close was asked for"
    if s.book.state.flattening:
        return "the account is being flattened"
    if is_begun:
        return ""
    scopes = ("", *(leg.holding.instrument for leg in booked.legs))
    frozen = next((scope for scope in scopes if scope in s.book.state.frozen), None)
    if frozen is not None:
        return f"{frozen or 'the account'} was frozen first"
    if booked.asked_at is not None and s.now - booked.asked_at > SEND_WITHIN:
        return f"it was asked for more than {int(SEND_WITHIN.total_seconds())} s ago"
    return ""


def _orders(s: Situation, position: Position) -> bool:
    return any(order.role is Role.OPEN for order in s.book.orders_for(position.id))


def _give_up(s: Situation, booked: BookedStructure, waiting: list[tuple[TiedLeg, Position]], reason: str) -> Outcomes:
    yield from withdraw(s, booked, frozenset({Role.OPEN}), reason)
    for _, position in waiting:
        if not _orders(s, position):
            yield PositionSettled(position=position.id, reason=CloseReason.ROLLBACK, proof=f"never sent: {reason}")
        else:
            yield from _withdraw_leg(s, position, reason)


def _withdraw_leg(s: Situation, position: Position, reason: str) -> Outcomes:
    for order in s.book.orders_for(position.id):
        if order.parent is not None or order.is_finished or order.broker_id is None or is_cancelling(s, order):
            continue
        yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason=reason)


# --- as one order -----------------------------------------------------------------------------------


def _together(s: Situation, booked: BookedStructure, unsent: list[tuple[TiedLeg, Position]]) -> TogetherIntended:
    attempt = s.book.next_attempt(booked.id, Role.OPEN)
    id = client_order_id(s.book.account, booked.id, Role.OPEN, attempt)
    return TogetherIntended(
        id=id,
        structure=booked.id,
        role=Role.OPEN,
        legs=tuple(
            LegIntended(
                id=ClientOrderId(f"{id}.{place}"),
                position=position.id,
                holding=leg.holding,
                terms=opening(position.asked * position.sign, None),
            )
            for place, (leg, position) in enumerate(unsent)
        ),
        units=booked.units,
        net=booked.limit,
        attempt=attempt,
        reason=f"opening {booked.key}",
    )


# --- leg by leg -------------------------------------------------------------------------------------


def _leg_by_leg(
    s: Situation,
    booked: BookedStructure,
    waiting: list[tuple[TiedLeg, Position]],
    unsent: list[tuple[TiedLeg, Position]],
) -> Outcomes:
    under_way = [(leg, position) for leg, position in waiting if _orders(s, position)]
    for _, position in under_way:
        yield from _hurry(s, booked, position)
    bought = [(leg, position) for leg, position in unsent if leg.sign > 0]
    if not bought and any(leg.sign > 0 for leg, _ in under_way):
        return  # what is sold waits for what is bought with it
    if not bought and not _is_covered(s, booked):
        for _, position in unsent:
            proof = "never sent: what is bought with it is not held whole"
            yield PositionSettled(position=position.id, reason=CloseReason.ROLLBACK, proof=proof)
        return
    for leg, position in bought or unsent:
        if leg.holding not in s.busy:
            terms = opening(position.asked * position.sign, position.limit)
            made = intent(s.book, position, Role.OPEN, terms, reason=f"opening {booked.key}, leg of {booked.id}")
            yield SubmitOrder(intent=made, urgency=Urgency.OPEN)


def _is_covered(s: Situation, booked: BookedStructure) -> bool:
    bought = [position_of(s.book, leg) for leg in booked.legs if leg.sign > 0]
    return all(position is not None and position.held == position.asked for position in bought)


def _hurry(s: Situation, booked: BookedStructure, position: Position) -> Outcomes:
    """A leg that does not fill keeps the others waiting, or bare."""
    for order in s.book.orders_for(position.id):
        ends = order.intended_at + LEG_PATIENCE
        if order.is_finished:
            continue
        if s.now >= ends:
            yield from _withdraw_leg(s, position, f"not filled within {LEG_PATIENCE.total_seconds():g} s")
        else:
            yield WakeAt(at=ends, holding=booked.holding)
