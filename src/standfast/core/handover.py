"""What a guard leaves behind when it stops: nothing that only it was protecting goes unnamed.

Positions whose exits the loop holds get their emergency stop rested at the broker where that is possible, and a
critical alarm names them all. The next start takes those stops away again, because its policy does not want them.
"""

from decimal import ROUND_FLOOR, Decimal

from standfast.core.cover import cover_of, is_cancelling, may_go_alone
from standfast.core.orders import intent, reducing
from standfast.core.results import levels
from standfast.core.situation import Outcomes, Situation
from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.effects import SubmitOrder, Urgency
from standfast.model.order import CLOSING_ROLES, Role
from standfast.model.position import Position


def handing_over(s: Situation) -> Outcomes:
    """Emergency stops for what only the guard protects, and the alarm that names it."""
    named: list[str] = []
    for position in s.book.state.positions.values():
        if not position.is_guarded or s.book.held(position) <= 0 or position.bare:
            continue
        cover = cover_of(s, position)
        if cover.stopped >= s.book.held(position):
            continue
        left = _rest(s, position, beside=cover.foreign) if s.may_act and not cover.own else []
        yield from left
        how = f"stop {left[0].intent.terms.stop_price} is being rested" if left else "nothing rests for it"
        named.append(f"{position.id} {position.net:+} {position.holding} ({how})")
    if named:
        text = (
            f"The guard of {s.book.account} stops. Only it was protecting: {'; '.join(named)}. "
            "Needed: start it again or look after them."
        )
        yield alarm(s, Severity.CRITICAL, text, key=f"handover/{s.book.head}")


def _rest(s: Situation, position: Position, *, beside: Decimal) -> list[SubmitOrder]:
    """A stop for what the stops of others leave."""
    at = levels(s.book, position, s.policy(position))
    held = s.book.held(position) - beside
    size = held if s.contract.fractional_stops else held.to_integral_value(rounding=ROUND_FLOOR)
    closes = (o for o in s.book.orders_for(position.id) if o.role in CLOSING_ROLES and not o.is_finished)
    if not s.contract.native_stops or at.outermost is None or size <= 0 or any(closes) or not may_go_alone(s, position):
        return []
    instrument = s.instrument(position.holding)
    stop = instrument.round_up(at.outermost) if position.sign > 0 else instrument.round_down(at.outermost)
    terms = reducing(position.sign * size, size, stop_price=stop, resting=True)
    made = intent(s.book, position, Role.STOP, terms, reason="the guard stops", closes_as=at.outermost_reason)
    return [SubmitOrder(intent=made, urgency=Urgency.PROTECT)]


def is_still(s: Situation) -> bool:
    """Whether nothing of ours is on its way or being cancelled: only then can it be said what will be left."""
    orders = s.book.state.orders.values()
    return not any(order.is_own and (not order.is_settled or is_cancelling(s, order)) for order in orders)
