"""Open what was asked for, and prove it: record, submit, verify, protect.

The gate has already spoken when an opening is in the book. What is opened is protected by `protect` as it
fills, entry by entry; what cannot be protected is closed again there.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from standfast.core.at_stake import unit_price
from standfast.core.cover import wanted_resting
from standfast.core.orders import intent, opening
from standfast.core.results import levels
from standfast.core.situation import Outcomes, Situation
from standfast.model.effects import CancelOrder, SubmitOrder, Urgency
from standfast.model.journal import PositionSettled
from standfast.model.order import Role
from standfast.model.position import CloseReason, Phase, Position

SEND_WITHIN = timedelta(seconds=30)
"""An opening that could not be sent for this long is not sent any more: the market it was meant for is gone."""


def advance_opening(s: Situation, position: Position) -> Outcomes:
    """Send the order of an opening that has none; withdraw one whose close was asked for."""
    if position.phase is not Phase.OPENING or not s.may_act or position.structure is not None:
        return  # a leg is opened with its structure
    orders = [order for order in s.book.orders_for(position.id) if order.role is Role.OPEN]
    if orders:
        reason = "its opening was withdrawn" if position.closing is not None else _why_against(s, position)
        if reason:
            yield from (
                CancelOrder(broker_id=order.broker_id, holding=order.holding, reason=reason)
                for order in orders
                if not order.is_finished and order.broker_id is not None and order.cancel_at is None
            )
        return
    reason = why_not_open(s, position)
    if reason:
        yield PositionSettled(position=position.id, reason=CloseReason.ROLLBACK, proof=f"never sent: {reason}")
        return
    made = intent(
        s.book,
        position,
        Role.OPEN,
        opening(position.asked * position.sign, position.limit, _attached_stop(s, position)),
        reason=f"opening {position.key}",
    )
    yield SubmitOrder(intent=made, urgency=Urgency.OPEN)


def _why_against(s: Situation, position: Position) -> str:
    """An entry that rests against what has come to be held could only take it off, and holds what its exits need.

    One at the market does not rest: what it meets is netted.
    """
    if position.limit is None:
        return ""
    held = [p for p in s.book.guarded_at(position.holding) if p.sign != position.sign and s.book.held(p) > 0]
    return f"it is against what {held[0].id} holds" if held else ""


def why_not_open(s: Situation, position: Position) -> str:
    """Why an opening whose order has not left shall not get one any more. Without an order nothing can have filled."""
    if position.closing is not None:
        return "its close was asked for first"
    if s.book.state.flattening:
        return "the account is being flattened"
    frozen = next((scope for scope in ("", position.holding.instrument) if scope in s.book.state.frozen), None)
    if frozen is not None:
        return f"{frozen or 'the account'} was frozen first"
    if position.asked_at is not None and s.now - position.asked_at > SEND_WITHIN:
        return f"it was asked for more than {int(SEND_WITHIN.total_seconds())} s ago"
    return ""


def _attached_stop(s: Situation, position: Position) -> Decimal | None:
    """Where a stop of ours rests on the other side already, brokers that watch for wash trades refuse a plain order.

    They take one that brings its own stop. Its price is where one shall rest once it is held, figured from what the
    entry will cost at most, and moved to the exact one once it has filled. One that rests nearer could fire at once.
    """
    resting = (o for o in s.book.orders_on(position.holding) if o.is_stop and not o.is_finished and o.parent is None)
    if not s.contract.refuses_wash_trades or not any(order.side.sign != position.sign for order in resting):
        return None
    price = unit_price(s, position.holding, position.sign, position.limit) or position.limit
    policy, held = s.policy(position), replace(position, opened_at=s.broker_now)
    at = levels(s.book, held, policy, of=price)
    resting_at = wanted_resting(s, held, policy, at).stop
    stop = next((each for each in (resting_at, at.outermost, position.stop) if each is not None), None)
    if stop is None:
        return None
    instrument = s.instrument(position.holding)
    return instrument.round_up(stop) if position.sign > 0 else instrument.round_down(stop)
