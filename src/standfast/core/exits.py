"""Exit rules: which of a position's rules is due now, if any.

Price rules need the regular session, a price that can be trusted, and a quantity that is explained; time
rules need only the clock. `minimum_hold` delays stop loss, target and trailing, nothing else. A rule whose
order rests at the broker is the broker's to execute, unless the price has stood beyond it without a fill. A sold option
whose delta goes beyond its limit is bought back whatever its price: as far as no share delivers it, and by nobody else.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from standfast.core.bounding import bounded_by
from standfast.core.cover import cover_of, is_too_young, wanted_resting
from standfast.core.expiring import expiry_alarms, pin_times
from standfast.core.ladder import climbed
from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Levels, judge, levels_of, result_at
from standfast.core.short_delta import beyond_limit, naked_part
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import alone, is_option
from standfast.core.tell import alarm_once, rule_due, short_price
from standfast.core.time_rules import next_times, overdue
from standfast.model.alert import Severity
from standfast.model.journal import CloseRequested, TrailMoved
from standfast.model.position import CloseReason, Phase, Position, Trail

STOOD_BEYOND = timedelta(seconds=5)


def exits(s: Situation, position: Position) -> Outcomes:
    """A close request if a rule is due; a moved trailing stop if the ladder climbed."""
    if position.phase is Phase.CLOSED or not position.is_guarded or position.is_leaving:
        return
    if s.book.held(position) <= 0 or s.book.entry_price(position) is None:
        return
    if is_option(position) and position.structure is None:
        yield from expiry_alarms(s, alone(s.book, position))
        yield from pin_times(s, alone(s.book, position))
    for outcome in _rules(s, position, s.policy(position)):
        if isinstance(outcome, CloseRequested) and not s.may_act:
            yield from rule_due(s, f"{position.net:+} {position.holding}", outcome)
        else:
            yield outcome


def _rules(s: Situation, position: Position, policy: Policy) -> Outcomes:
    options = alone(s.book, position) if is_option(position) else None
    late = overdue(s, position, options, policy)
    if late is not None:
        yield from _alone(s, _close(position, *late), position)
        return
    yield from next_times(s, position, options, policy, position.holding)
    if not s.trades(position.holding) or not s.is_explained(position.holding):
        return
    said = s.verdict(position.id) if policy.user_rule is not None else None
    if said is not None:
        yield from _alone(s, _close(position, CloseReason.USER_RULE, f"{policy.user_rule}: {said.detail}"), position)
        return
    fired = list(_price_rules(s, position, policy))
    yield from fired or _beyond_delta(s, position, policy)


def _alone(s: Situation, close: CloseRequested, position: Position) -> Outcomes:
    """The close; where it would take away what bounds something sold, only that it is due, once for each reason."""
    sold = bounded_by(s, position)
    if sold is None:
        yield close
        return
    yield from alarm_once(
        s,
        Severity.WARNING,
        f"{position.id} {position.net:+} {position.holding}: {close.reason} is due, {close.detail}. It is kept while "
        f"{sold.id} {sold.net:+} {sold.holding} is held, which would have no bound without it. Needed: close both, or "
        "see why they form no spread.",
        key=f"kept/{position.id}/{close.reason}",
    )


def _price_rules(s: Situation, position: Position, policy: Policy) -> Outcomes:
    judged = judge(s, position, policy)
    if judged.price is None or judged.gain is None:
        return
    trail = climb(s, position, policy, judged.gain) if not is_too_young(s, position, policy) else None
    if trail is not None:
        yield TrailMoved(position=position.id, trail=trail)
        return
    at = levels_of(s, position)
    reason = due(s, position, policy, at, judged.price, gain=judged.gain)
    if reason is None:
        return
    entry = s.book.entry_price(position)
    price = judged.gain if reason is CloseReason.TAKE_PROFIT else judged.price
    detail = f"{result_at(position, price, of=entry):+.2%} at {price} (entry {short_price(entry)})"
    if judged.reason:
        detail += f", {judged.clarity.value}: {judged.reason}"
    yield from _alone(s, _close(position, reason, detail), position)


def _beyond_delta(s: Situation, position: Position, policy: Policy) -> Outcomes:
    """What no share delivers of a sold option that has come too near the money, from the first minute on."""
    bare = naked_part(s, position, policy)
    beyond = beyond_limit(s, [position.holding], policy) if bare > 0 else ""
    if beyond:
        close = _close(position, CloseReason.STOP_LOSS, beyond)
        yield replace(close, remain=s.book.held(position) - bare)


def due(
    s: Situation, position: Position, policy: Policy, at: Levels, price: Decimal, *, gain: Decimal
) -> CloseReason | None:
    """The most urgent rule that these prices fire and that nothing resting at the broker is about to execute."""
    beyond = _beyond(position, price)
    young = is_too_young(s, position, policy)
    if beyond(at.emergency) and not _broker_does(s, position, policy, at.emergency):
        return CloseReason.EMERGENCY_STOP
    if young:
        return None
    if beyond(at.stop) and not _broker_does(s, position, policy, at.stop):
        return at.stop_reason
    if at.target is not None and (gain - at.target) * position.sign >= 0:
        resting = wanted_resting(s, position, policy, at).target is not None
        return None if resting and _rests(s, position, target=True) else CloseReason.TAKE_PROFIT
    return None


def _beyond(position: Position, price: Decimal) -> Callable[[Decimal | None], bool]:
    """Whether the price has reached a level on the losing side."""
    return lambda level: level is not None and (level - price) * position.sign >= 0


def _broker_does(s: Situation, position: Position, policy: Policy, level: Decimal | None) -> bool:
    """Whether a stop resting at the broker covers all of it at this level or nearer, and still can work."""
    if policy.held_by is HeldBy.GUARD or level is None:
        return False
    cover = cover_of(s, position)
    if cover.stopped < s.book.held(position):
        return False
    nearer = all((price - level) * position.sign >= -_slack(position, level) for price in cover.stop_prices)
    return nearer and not _stood_beyond(s, position)


def _slack(position: Position, level: Decimal) -> Decimal:
    """A resting trailing stop may lag the ladder by a little; a price this near is the broker's."""
    return abs(level) / 1000 if position.trail is not None else Decimal(0)


def _stood_beyond(s: Situation, position: Position) -> bool:
    """A price beyond the resting stop for so long and still held: that stop does not work (collar, gap)."""
    since = s.beyond_since.get(position.id)
    return since is not None and s.now - since >= STOOD_BEYOND


def _rests(s: Situation, position: Position, *, target: bool) -> bool:
    cover = cover_of(s, position)
    wanted = [order for order in (*cover.own, *cover.tied) if order.is_stop is not target]
    return sum((order.remaining for order in wanted), Decimal(0)) >= s.book.held(position)


def climb(s: Situation, position: Position, policy: Policy, price: Decimal) -> Trail | None:
    """The ladder's new state at this price, if it moves."""
    if not policy.trailing:
        return None
    return climbed(policy.trailing, position.trail, result_at(position, price, of=s.book.entry_price(position)))


def _close(position: Position, reason: CloseReason, detail: str) -> CloseRequested:
    return CloseRequested(position=position.id, reason=reason, by="guard", detail=detail)
