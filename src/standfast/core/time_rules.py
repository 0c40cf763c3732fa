"""Rules that need only the clock, the same for a position and for a structure: how long it may be held, when it has to
be flat, and when to look at it again for their sake."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from standfast.core.expiring import becomes, due_at, is_due
from standfast.core.flat_times import flat_moment, last_flat_by
from standfast.core.policy import Policy
from standfast.core.situation import Situation
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding
from standfast.model.position import CloseReason, Standing
from standfast.model.structure import Structure


class Dated(Protocol):
    """What time rules ask of a position or a structure."""

    @property
    def standing(self) -> Standing: ...

    @property
    def opened_at(self) -> datetime | None: ...

    @property
    def adopted_at(self) -> datetime | None: ...


def overdue(s: Situation, held: Dated, options: Structure | None, policy: Policy) -> tuple[CloseReason, str] | None:
    """Why it has to be closed now, and what to say of it. `options`: what there is of it that expires."""
    ending = is_due(s, options, policy) if options is not None else None
    if ending is not None:
        detail = f"{ending.holding} is traded for the last time today; what is left becomes {becomes(ending)}"
        return CloseReason.FLAT_BY, detail
    since = _since(s, held)
    if since is None or (held.standing is Standing.ADOPTED and not policy.adopted_too):
        return None
    if policy.maximum_hold is not None and s.broker_now - since >= policy.maximum_hold:
        return CloseReason.MAXIMUM_HOLD, f"held since {since:%Y-%m-%d %H:%M} UTC"
    if policy.flat_by is not None:
        last = last_flat_by(policy.flat_by, s)
        if last is not None and since < last:
            return CloseReason.FLAT_BY, f"flat by {policy.flat_by.at:%H:%M} {policy.flat_by.zone}"
    return None


def next_times(
    s: Situation, held: Dated, options: Structure | None, policy: Policy, holding: Holding
) -> Iterator[WakeAt]:
    """The moments ahead at which one of these rules, or the end of the minimum hold, may change what is due."""
    ending = due_at(s, options, policy) if options is not None else None
    moments = {ending[0]} if ending is not None else set()
    since = _since(s, held)
    if since is not None and policy.maximum_hold is not None:
        moments.add(since + policy.maximum_hold)
    flat = policy.flat_by
    if since is not None and flat is not None:
        moment = flat_moment(flat, s.broker_now.astimezone(flat.zone).date(), s)
        moments |= {moment} if moment is not None else set()
    if held.opened_at is not None and policy.minimum_hold:
        moments.add(held.opened_at + policy.minimum_hold)
    for moment in sorted(moment for moment in moments if moment > s.broker_now):
        yield WakeAt(at=s.by_our_clock(moment), holding=holding)


def _since(s: Situation, held: Dated) -> datetime | None:
    """From when they count, by the broker's clock: an adoption is dated by ours, a fill by the broker's."""
    return held.adopted_at + s.clock_ahead if held.adopted_at is not None else held.opened_at
