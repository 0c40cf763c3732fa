"""Whether an order that waits for its turn shall still leave, by the book of the moment in which it would.

Under the broker's rate limit a request may wait for a minute and more. What was right when it was decided may then sell
too much, stand at a price of before a split, or be wanted by nobody: it is withdrawn, journaled as never sent, and what
the book wants now is decided anew.

1. A withdrawal is always safe: nothing has left.
2. What passes here would also pass the rules it was decided by: it takes no more off than is held and free.
"""

from standfast.core.cover import cover_of, exits_by_group, group_quantity, taken_by_others
from standfast.core.freeing import blocked
from standfast.core.opening import why_not_open
from standfast.core.opening_structure import why_not_open_structure
from standfast.core.protect import may_size
from standfast.core.several import why_not_shared
from standfast.core.situation import Situation
from standfast.core.stays import being_closed
from standfast.core.wanted import wanted_alone
from standfast.model.journal import OrderIntended, TogetherIntended
from standfast.model.order import CLOSING_ROLES, ZERO, Role
from standfast.model.position import Position


def why_not(s: Situation, intent: OrderIntended) -> str:
    """Why this order of ours shall not leave now; empty if it shall."""
    position = s.book.state.positions.get(intent.position)
    if not s.may_act:
        return s.why_not
    if position is None or not position.is_guarded:
        return "its position is not held any more"
    if intent.role is Role.OPEN:
        return why_not_open(s, position)
    if intent.terms.side.sign == position.sign:
        return "its position is on the other side"
    if intent.role in CLOSING_ROLES:
        return _why_not_close(s, position, intent)
    return _why_not_exit(s, position, intent)


def why_not_together(s: Situation, intent: TogetherIntended) -> str:
    """As `why_not`, of one order for all legs of a structure."""
    structure = s.book.state.structures.get(intent.structure)
    if not s.may_act:
        return s.why_not
    if structure is None or not structure.is_guarded:
        return "its structure is not held any more"
    if intent.role is Role.OPEN:
        return why_not_open_structure(s, structure)
    if structure.closing is None:
        return "its close is not wanted any more"
    if not s.trades(*(leg.holding for leg in intent.legs)):
        return "the session is closed"
    for leg in intent.legs:
        position = s.book.state.positions.get(leg.position)
        if position is None or leg.terms.quantity > s.book.held(position):
            return f"less of {leg.holding} is left to close"
    return ""


def _why_not_close(s: Situation, position: Position, intent: OrderIntended) -> str:
    closing, quantity = position.closing, intent.terms.quantity
    if closing is None:
        return "its close is not wanted any more"
    if not s.trades(position.holding):
        return "the session is closed"
    if quantity > s.book.held(position) - closing.remain:
        return f"only {s.book.held(position) - closing.remain} is left to close"
    if not s.is_comparable(position.holding):
        return ""
    net = s.reported_net(position.holding)
    if position.structure is not None and net in s.book.net(position.holding):
        return ""  # others hold the same contract the other way: what is booked for it is its own
    others = sum((o.remaining for o in s.book.orders_on(position.holding) if _closes_too(o.id, o.role, intent)), ZERO)
    room = net * position.sign - others - blocked(s, position)
    return f"the broker holds {net}, {others} of it is being closed already" if quantity > room else ""


def _closes_too(id: str, role: Role, intent: OrderIntended) -> bool:
    return role in CLOSING_ROLES and id != intent.id


def _why_not_exit(s: Situation, position: Position, intent: OrderIntended) -> str:
    terms, holding = intent.terms, position.holding
    if holding in s.book.state.suspended:
        return s.book.state.suspended[holding]
    if intent.also:
        return why_not_shared(s, intent)
    if not may_size(s, position):
        return "its quantity is being freed for a close"
    wanted = wanted_alone(s, position)
    target = terms.limit_price if intent.role is Role.TARGET else terms.target_price
    if (terms.stop_price, target) != (wanted.stop, wanted.target):
        return f"its prices are {wanted.stop} and {wanted.target} by now"
    groups = exits_by_group(cover_of(s, position).own)
    others = sum((group_quantity(g) for g in groups if g[0].id not in (intent.id, intent.replaces)), ZERO)
    adds = intent.replaces is None  # what takes another's place takes nothing more
    beside = taken_by_others(s, position) if adds else ZERO
    room = s.book.held(position) - being_closed(s, position) - others - beside
    if terms.quantity > room:
        return f"only {room} is left to cover"
    if s.is_comparable(holding) and s.is_settled(holding):
        net = s.reported_net(holding)
        return f"the broker holds {net}" if terms.quantity > net * position.sign else ""
    return ""
