"""Where the broker lists less than is booked: how long an exit waits for the fills that say why.

They nearly always come: after an outage in which somebody closed, the list is there first, and a stop for what is sold
already would sell what nobody holds. A list alone is not believed for longer than that: it may be minutes old while the
position goes bare. Asked for the holding by its name, a broker that says the same is believed until fills come, or it
says otherwise; people are told of both, the ghost and the missing cover.

Where a stop may only reduce it can do no harm to what is gone: there a list that need not show the fill yet delays
none.
"""

from datetime import datetime, timedelta

from standfast.core.situation import Outcomes, Situation
from standfast.model.breaks import BreakKind
from standfast.model.effects import ReadPosition, WakeAt
from standfast.model.evidence import SingleRead
from standfast.model.ids import Holding
from standfast.model.position import Position

EXPLAINED_WITHIN = timedelta(seconds=3)
ASK_AGAIN = timedelta(seconds=5)
LESS = frozenset({BreakKind.GHOST_POSITION, BreakKind.QUANTITY, BreakKind.SIDE})
"""Breaks that may mean that less is held than is booked."""


def waits_for_fills(s: Situation, position: Position) -> Outcomes:
    """What to ask and when to look again, while nothing is to be placed; nothing at all when there is no such doubt."""
    holding = position.holding
    breaks = [each for each in s.book.breaks_at(holding) if each.finding.kind in LESS]
    is_judged = s.is_comparable(holding) and s.is_settled(holding)
    if not (breaks or is_judged or _is_of_after_its_fills(s, holding)) or _may_lag_harmlessly(s, holding):
        return
    booked = s.book.net(holding)
    least = booked.low if position.sign > 0 else -booked.high
    if s.reported_net(holding) * position.sign >= least:
        return
    asked = s.asked.get(f"read position {holding}")
    if asked is None or s.now - asked >= ASK_AGAIN:
        yield ReadPosition(holding=holding, reason=f"{position.id}: the list shows less than is booked")
    learnt = s.now if is_judged else s.book.state.moved_at.get(holding, s.now)
    due = min((each.first_seen for each in breaks), default=learnt) + EXPLAINED_WITHIN
    said = _said_of_it_alone(s, position)
    if said is not None and said.net * position.sign < least:
        due = max(due, s.now + EXPLAINED_WITHIN)
    elif said is None and (asked is None or s.now - asked >= ASK_AGAIN):
        due = max(due, s.now + EXPLAINED_WITHIN)  # for its answer
    elif said is None and asked is not None:
        due = max(due, asked + EXPLAINED_WITHIN)
    if s.now < due:
        yield WakeAt(at=due, holding=holding)


def _may_lag_harmlessly(s: Situation, holding: Holding) -> bool:
    read = s.snapshot.positions
    return s.contract.reduce_only and read is not None and not _must_show_all(s, holding, read.began)


def _is_of_after_its_fills(s: Situation, holding: Holding) -> bool:
    """Whether the list was read so long after the last fill booked here that it must show it, though we have learnt of
    that only now: after an outage the purchase may be read before the sale that followed it."""
    read = s.snapshot.positions
    return read is not None and holding in s.book.state.lately and _must_show_all(s, holding, read.began)


def _said_of_it_alone(s: Situation, position: Position) -> SingleRead | None:
    """The last answer for the holding by its name, if all that is booked here must be in it. It grows no older: what is
    gone comes back with a fill, or in the list."""
    said = s.singles.get(position.holding)
    return said if said is not None and _must_show_all(s, position.holding, said.began) else None


def _must_show_all(s: Situation, holding: Holding, began: datetime) -> bool:
    lately, moved = s.book.state.lately.get(holding), s.book.state.moved_at.get(holding)
    last = max((each.at for each in lately.fills), default=None) if lately is not None else None
    if last is None:
        last = s.surely(moved) + s.clock_ahead if moved is not None else None
    return began <= s.now and (last is None or began + s.clock_ahead >= last + s.contract.staleness)
