"""Exit rules of structures: which of them is due now, if any. The guard holds them all; nothing rests at the broker.

1. Rules that end a loss are judged at the worst side of every leg: a stop of 15 % fires once closing costs 15 % more
   than was received.
2. `minimum_hold` delays stop loss, target and trailing, and nothing else.
3. No price rule fires while the structure is blind, broken, or the quantity of one of its legs is unexplained. Where
   that is only options that were bought, rules that end a loss go on: what is sold beside them is held, buying it back
   opens nothing, and without them it loses more. Time rules need only the clock.
4. A sold option whose delta goes beyond the limit closes the whole structure, from the first minute on.
"""

from decimal import Decimal

from standfast.core.cover import is_too_young
from standfast.core.expiring import expiry_alarms, pin_times
from standfast.core.ladder import climbed
from standfast.core.policy import Policy
from standfast.core.results import Judged, Levels
from standfast.core.shapes import broken, entry, shares_among, sold_in
from standfast.core.short_delta import beyond_limit
from standfast.core.situation import Outcome, Outcomes, Situation
from standfast.core.tell import rule_due, short_price
from standfast.core.time_rules import next_times, overdue
from standfast.core.worth import Worth, judge_structure, result_of, structure_levels, worth
from standfast.model.journal import CloseRequested, TrailMoved
from standfast.model.position import CloseReason, Trail
from standfast.model.structure import Leg, Structure


def structure_exits(s: Situation, structure: Structure, policy: Policy) -> Outcomes:
    """A close request if a rule is due; a moved trailing stop if the ladder climbed; alarms about its last day."""
    if not structure.is_guarded or structure.is_leaving or structure.is_flat:
        return
    yield from expiry_alarms(s, structure)
    yield from pin_times(s, structure)
    for outcome in _rules(s, structure, policy):
        if isinstance(outcome, CloseRequested) and not s.may_act:
            yield from rule_due(s, str(structure).removeprefix(f"{structure.id} "), outcome)
        else:
            yield outcome


def _rules(s: Situation, structure: Structure, policy: Policy) -> Outcomes:
    ending = structure if shares_among(structure.shape) is None else None  # beside shares see `beside_shares`
    late = overdue(s, structure, ending, policy)
    if late is not None:
        yield _close(structure, *late)
        return
    yield from next_times(s, structure, structure, policy, structure.shape[0].holding)
    if not s.trades(*(leg.holding for leg in structure.shape)) or broken(structure) is not None:
        return
    doubted = [leg for leg in structure.shape if not s.is_explained(leg.holding)]
    if doubted:
        yield from (each for each in _price_rules(s, structure, policy) if _may_fire(s, doubted, each))
        return
    said = s.verdict(structure.id) if policy.user_rule is not None else None
    if said is not None:
        yield _close(structure, CloseReason.USER_RULE, f"{policy.user_rule}: {said.detail}")
        return
    yield from _price_rules(s, structure, policy)


def _may_fire(s: Situation, doubted: list[Leg], outcome: Outcome) -> bool:
    """Whether a rule fires though these legs may be gone: one that ends a loss, where all of them were bought."""
    may_be_gone = all(
        leg.contract is not None and leg.sign > 0 and leg.holding not in s.book.state.suspended for leg in doubted
    )
    ends_loss = isinstance(outcome, CloseRequested) and outcome.reason is not CloseReason.TAKE_PROFIT
    return may_be_gone and ends_loss


def _price_rules(s: Situation, structure: Structure, policy: Policy) -> Outcomes:
    found = worth(s, structure.shape)
    judged, young = judge_structure(found, structure, policy), is_too_young(s, structure, policy)
    cost = entry(structure)
    if judged.price is not None:
        trail = _climb(structure, policy, cost, judged.gain) if not young and judged.gain is not None else None
        if trail is not None:
            yield TrailMoved(position=structure.id, trail=trail)
            return
        reason = due(structure_levels(structure, policy), judged.price, gain=judged.gain, young=young)
        if reason is not None:
            yield _close(structure, reason, _told(found, judged, cost, gains=reason is CloseReason.TAKE_PROFIT))
            return
    beyond = beyond_limit(s, sold_in(structure), policy)
    if beyond:
        yield _close(structure, CloseReason.STOP_LOSS, beyond)


def due(at: Levels, price: Decimal, *, gain: Decimal | None, young: bool) -> CloseReason | None:
    """The most urgent rule that these net prices fire. `gain`: None while nobody knows what there is to gain."""
    if at.emergency is not None and price <= at.emergency:
        return CloseReason.EMERGENCY_STOP
    if young:
        return None
    if at.stop is not None and price <= at.stop:
        return at.stop_reason
    if at.target is not None and gain is not None and gain >= at.target:
        return CloseReason.TAKE_PROFIT
    return None


def _climb(structure: Structure, policy: Policy, cost: Decimal | None, net: Decimal) -> Trail | None:
    return climbed(policy.trailing, structure.trail, result_of(net, cost)) if cost else None


def _told(found: Worth, judged: Judged, cost: Decimal | None, *, gains: bool) -> str:
    """What the rule saw: the result, the price it was judged at, the mid beside it."""
    price = judged.gain if gains else judged.price
    assert price is not None
    result = f"{result_of(price, cost):+.2%}" if cost else "no entry price;"
    if found.now is None:
        return f"{result} at {short_price(price)} by the last bid (entry {short_price(cost)}): {judged.reason}"
    told = f"{result} at {short_price(price)} (mid {short_price(found.now.mid)}, entry {short_price(cost)})"
    return f"{told}, judged at the mid: {judged.reason}" if judged.reason else told


def _close(structure: Structure, reason: CloseReason, detail: str) -> CloseRequested:
    return CloseRequested(position=structure.id, reason=reason, by="guard", detail=detail)
