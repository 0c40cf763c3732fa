"""Orders of others that do not end with what they would close.

Where an exchange has orders that may only reduce, one without that mark trades whatever is held: placed as an exit, it
opens the other way as soon as something else has closed the position, a stop of ours too. It is not ours to cancel.
"""

from standfast.core.situation import Outcomes, Situation
from standfast.core.tell import alarm_once
from standfast.model.alert import Severity
from standfast.model.ids import Holding, is_own
from standfast.model.order import OrderReport, OrderType


def may_turn(s: Situation, holding: Holding) -> Outcomes:
    """Say it of the first against what is guarded; once a day for each holding."""
    if not s.contract.reduce_only:
        return
    for position in s.book.guarded_at(holding):
        against = (
            each
            for each in s.orders_by_holding.get(holding, ())
            if each.side.sign == -position.sign and _rests_without_mark(s, each)
        )
        order = next(against, None) if s.book.held(position) > 0 else None
        if order is None:
            continue
        price = order.stop_price if order.stop_price is not None else order.limit_price
        yield from alarm_once(
            s,
            Severity.WARNING,
            f"{holding}: {order.side} {order.remaining} {order.type} {price} ({order.client_id}) is against "
            f"{position.id} and not marked as one that may only reduce. Once the position is gone, by its stop or "
            "otherwise, that order opens the other way. It is left alone. Needed: let the bot mark its exits "
            "reduce-only.",
            key=f"turning/{holding}/{s.now.date()}",
        )
        return


def _rests_without_mark(s: Situation, order: OrderReport) -> bool:
    rests = not order.is_finished and order.remaining > 0 and order.type is not OrderType.MARKET
    return rests and order.closes is False and not is_own(order.client_id, s.book.account)
