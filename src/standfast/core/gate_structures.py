"""May this structure be opened, and if not, every reason. As `core/gate.py`, of several legs at once.

What it may cost is the most it can lose at expiry, not what its legs are worth: limits and buying power hold to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from math import gcd

from standfast.core.at_once import Exits, entered, fires_at_once
from standfast.core.at_stake import as_entered, at_stake
from standfast.core.expiring import is_due
from standfast.core.gate import Asked, against_account, against_count, against_instrument, against_share
from standfast.core.payoff import outlook_of
from standfast.core.policy import HeldBy, Policy
from standfast.core.shapes import kind_of, shares_among, sold_by
from standfast.core.short_delta import closes_at_once
from standfast.core.situation import Situation
from standfast.core.worth import Sides, structure_levels, worth
from standfast.model.ids import PositionId
from standfast.model.structure import LEGS_MAX, HeldLeg, Leg, Structure, StructureKind, legs_text

WIDE_FROM = Decimal(1)
"""As `worth.judge_structure`: the spreads of all legs add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedStructure:
    """An opening as it was asked for: legs of one unit, and how many units."""

    legs: tuple[Leg, ...]
    units: Decimal
    strategy: str
    key: str
    limit: Decimal | None = None
    """What one unit shall bring at least; negative for what it may cost at most."""
    stop_loss: Decimal | None = None
    """In place of its policy's."""
    stop: Decimal | None = None
    """Net price: what one unit brings when it is closed, negative for what closing costs. So the target."""
    target: Decimal | None = None


def reasons_against_structure(s: Situation, asked: AskedStructure) -> tuple[str, ...]:
    """Every reason to refuse; empty means accepted."""
    shape = tuple(_shape(asked))
    return shape or (*_account(s, asked), *_legs(s, asked), *_price(s, asked))


def _policy(s: Situation, asked: AskedStructure) -> Policy:
    return s.policy_of(asked.strategy, [leg.holding for leg in asked.legs]).with_stop(asked.stop_loss)


def _shape(asked: AskedStructure) -> Iterator[str]:
    if asked.units <= 0 or asked.units != asked.units.to_integral_value():
        yield f"{asked.units} is no whole number of units above zero"
    if not 2 <= len(asked.legs) <= LEGS_MAX:
        yield f"a structure has two to {LEGS_MAX} legs, not {len(asked.legs)}"
    elif kind_of(asked.legs) is StructureKind.OTHER:
        yield f"{legs_text(asked.legs)} are no structure that is known"
    elif (many := gcd(*(leg.ratio for leg in asked.legs))) > 1:  # brokers price the smallest unit there is
        smallest = legs_text(tuple(replace(leg, ratio=leg.ratio // many) for leg in asked.legs))
        yield f"its unit is {many} of {smallest}: ask for {asked.units * many} units of that, at the price of one"


def _account(s: Situation, asked: AskedStructure) -> Iterator[str]:
    whole = _as_single(asked, asked.legs[0])
    yield from against_account(s, whole)
    for leg in asked.legs[1:]:
        frozen = s.book.state.frozen.get(leg.holding.instrument)
        if frozen is not None:
            yield f"{leg.holding} is frozen by {frozen.by}"
    yield from against_count(s)


def _legs(s: Situation, asked: AskedStructure) -> Iterator[str]:
    for leg in asked.legs:
        yield from against_instrument(s, _as_single(asked, leg))
        singles = (p for p in s.book.guarded_at(leg.holding) if p.structure is None and p.sign != leg.sign)
        if any(True for _ in singles):
            yield f"{leg.holding} is held the other way: close it first"
        elif s.contract.checks_closing and (net := s.reported_net(leg.holding)) * leg.sign < 0:
            yield f"the broker holds {net} {leg.holding}, and takes no opening the other way: close that first"


def _as_single(asked: AskedStructure, leg: Leg) -> Asked:
    quantity = asked.units * leg.ratio
    return Asked(holding=leg.holding, quantity=quantity, strategy=asked.strategy, key=asked.key, limit=asked.limit)


def _price(s: Situation, asked: AskedStructure) -> Iterator[str]:
    found = worth(s, asked.legs)
    now = brings(found.now) if found.now is not None else None
    if now is None and (asked.limit is None or not s.contract.multileg):
        yield f"no usable quote of every leg: {found.why_blind}"
        return
    if not s.contract.multileg and asked.limit is not None and now is not None and now < asked.limit:
        yield f"it brings {now} now, less than the {asked.limit} asked for; leg by leg it cannot wait"
    net = asked.limit if asked.limit is not None else now
    assert net is not None, asked
    yield from _loss(s, asked, net)
    yield from against_share(asked.stop_loss, _policy(s, asked), is_long=net < 0)
    wrong = tuple(against_exits(asked.stop, asked.target, entry=-net, now=found.now))
    yield from wrong
    if found.now is not None and s.in_session and not wrong:
        yield from _at_once(s, asked, found.now)
    held = tuple(HeldLeg(leg=leg, opened=asked.units * abs(leg.ratio)) for leg in asked.legs)
    shown = Structure(id=PositionId(asked.key), strategy=asked.strategy, legs=held, units=asked.units)
    ending = is_due(s, shown, _policy(s, asked))
    if ending is not None:
        yield f"{ending.holding} ends today, and what is held of it has to be flat by now"


def _at_once(s: Situation, asked: AskedStructure, now: Sides) -> Iterator[str]:
    """Its policy's stops, and its sold deltas, as they would be judged the moment after it is opened."""
    policy = _policy(s, asked)
    entry, after = entered(-asked.limit if asked.limit is not None else None, now)
    legs = tuple(HeldLeg(leg=leg) for leg in asked.legs)
    shown = Structure(id=PositionId(asked.key), strategy=asked.strategy, legs=legs, units=asked.units, stop=asked.stop)
    if not entry and asked.stop is None and (policy.stop_loss or policy.emergency_stop or policy.trailing):
        yield "it is entered at even: no share of that is a stop; give it one with --stop"
        return
    at = structure_levels(shown, policy, of=entry)
    held_here = replace(policy, held_by=HeldBy.GUARD)  # whatever it says: no broker rests a stop for several legs
    yield from fires_at_once(Exits(at, held_here, entry, WIDE_FROM), after)
    yield from closes_at_once(s, sold_by(asked.legs), policy)


def brings(now: Sides) -> Decimal:
    """What opening one unit at the worse side of every quote brings; what closes best opens worst."""
    return -now.best


def against_exits(
    stop: Decimal | None, target: Decimal | None, *, entry: Decimal | None, now: Sides | None
) -> Iterator[str]:
    """A stop or target on the wrong side of the entry, or of the price now, would close it at once for a slip."""
    for name, price, sign in (("stop", stop, -1), ("target", target, 1)):
        where = "below" if sign < 0 else "above"
        hint = "; what closing costs is written below nothing" if price is not None and price > 0 else ""
        if price is not None and entry is not None and (price - entry) * sign <= 0:
            yield f"{name} {price} does not lie {where} the entry of {entry}{hint}"
        elif price is not None and now is not None and (price - now.worst) * sign <= 0:
            yield f"{name} {price} does not lie {where} the {now.worst} that closing brings now{hint}"


def _loss(s: Situation, asked: AskedStructure, net: Decimal) -> Iterator[str]:
    outlook = outlook_of(as_entered(asked.legs, asked.units, -net))
    worst, best = outlook.worst.amount, outlook.best.amount
    if best is not None and best <= 0 and outlook.is_exact and shares_among(asked.legs) is None:
        yield f"at that price it can win nothing: at best {outlook.best}"
    limits, account = s.rules.limits, s.snapshot.account
    most = min(
        (limit for limit in (limits.notional_per_instrument, limits.notional_per_account) if limit), default=None
    )
    if worst is None:
        if most is not None:
            yield f"what it may lose has no bound, and limits are set ({most})"
        return
    if most is not None and -worst > most:
        yield f"it may lose {-worst:.2f}, over the limit of {most}"
    elif limits.notional_per_account is not None and (total := at_stake(s) - worst) > limits.notional_per_account:
        yield f"notional_per_account: {total:.2f} over {limits.notional_per_account}"
    if account is not None and -worst > (power := account.power_for(leg.holding for leg in asked.legs)):
        yield f"buying power: it may lose {-worst:.2f}, over {power}"


def priced(s: Situation, asked: AskedStructure, leg: Leg) -> Decimal | None:
    """Limit of one leg's opening where legs go alone: the worse side of its quote now."""
    sight = s.sights.get(leg.holding)
    if s.contract.multileg or sight is None:
        return None
    return sight.quote.closing_price(-leg.sign)
