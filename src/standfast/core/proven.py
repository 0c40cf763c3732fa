"""Whether what was asked for was opened: proved, refuted or unknown, by its order, the executions and the list.

1. Proved is what executions add up to that the order's own report names, and the list shows. A list that does not show
   it yet is waited for ten seconds: it may be older.
2. Refuted is an order that is over, or never arrived, and has opened nothing: until a fill of it is told.
3. Unknown is said of neither, after ten seconds, and ends when one of the two is so: nothing is given up for it.
"""

from collections.abc import Sequence
from datetime import timedelta

from standfast.core.situation import Outcomes, Situation
from standfast.model.booked import BookedOrder, Stage
from standfast.model.effects import WakeAt
from standfast.model.journal import OpeningVerified
from standfast.model.order import ZERO, Role
from standfast.model.position import Answer, Position, Standing

UNKNOWN_AFTER = timedelta(seconds=10)
"""How long after its intent the outcome of an opening may be open before that is said."""
LISTED_WITHIN = timedelta(seconds=10)
"""How long an opening that its order and its executions prove waits for the list of positions before it is answered."""


def verify_opening(s: Situation, position: Position) -> Outcomes:
    """Say once what is known of an opening; of one that was unknown once more when it is, and of one that was refuted
    when a fill comes all the same."""
    is_refuted = position.verified is Answer.REFUTED and not position.opened
    if position.standing is not Standing.OWNED or position.verified is Answer.PROVED or is_refuted:
        return
    orders = _openers(s, position)
    doubtful = [order for order in orders if not order.is_settled or order.excess]
    if doubtful:
        yield from _unknown(s, position, doubtful)
    elif orders and all(order.is_finished for order in orders):  # else it rests, and may fill
        yield from _known(s, position)


def _known(s: Situation, position: Position) -> Outcomes:
    if not position.opened:
        yield _answer(s, position, Answer.REFUTED)
    elif is_listed(s, position) or not position.held or is_over(s, position):
        yield _answer(s, position, Answer.PROVED)
    elif position.opened_at is not None:
        yield WakeAt(at=s.by_our_clock(position.opened_at) + LISTED_WITHIN, holding=position.holding)


def _unknown(s: Situation, position: Position, doubtful: Sequence[BookedOrder]) -> Outcomes:
    left = [order for order in doubtful if order.stage is not Stage.INTENDED or position.holding not in s.busy]
    if not left or position.verified is not None:
        return  # it waits for its turn under the broker's rate, or it is said
    due = s.surely(min(order.intended_at for order in left)) + UNKNOWN_AFTER
    if s.now >= due:
        yield _answer(s, position, Answer.UNKNOWN)
    else:
        yield WakeAt(at=due, holding=position.holding)


def _answer(s: Situation, position: Position, answer: Answer) -> OpeningVerified:
    return OpeningVerified(position=position.id, answer=answer, detail=sources(s, position))


def is_over(s: Situation, position: Position) -> bool:
    """Whether the list has been waited for long enough."""
    return s.broker_now - (position.opened_at or s.broker_now) >= LISTED_WITHIN


def is_listed(s: Situation, position: Position) -> bool:
    """Whether a list of positions that was asked for after its fills shows what the books have."""
    net = s.book.net(position.holding)
    return s.is_comparable(position.holding) and net.low <= s.reported_net(position.holding) <= net.high


def sources(s: Situation, position: Position) -> str:
    """What each of the three says of an opening: its order, the account's executions, the list of positions."""
    orders = _openers(s, position)
    executed = sum((order.executed for order in orders), ZERO)
    return f"{_by_orders(orders)}, executions {executed}, {_by_list(s, position)}"


def _by_orders(orders: Sequence[BookedOrder]) -> str:
    if any(not order.is_settled for order in orders):
        return f"order {orders[-1].stage.value.replace('_', ' ')}"
    return f"order filled {sum((order.report.filled for order in orders if order.report is not None), ZERO)}"


def _by_list(s: Situation, position: Position) -> str:
    if is_listed(s, position):
        return f"the list of positions shows {s.reported_net(position.holding):+}"
    return "the list of positions does not show it yet"


def _openers(s: Situation, position: Position) -> list[BookedOrder]:
    return [order for order in s.book.orders_for(position.id) if order.role is Role.OPEN]
