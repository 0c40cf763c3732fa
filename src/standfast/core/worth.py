"""What a structure would bring if it were closed now, and how far that can be trusted.

A net price is that of one unit: the bid of what is long less the ask of what is short on the worst side, the other
way on the best, the mid between them. A structure that was sold for a credit has a net price below nothing: its cost
to close, with the sign turned.

1. One leg without a usable quote makes the whole structure blind, and the contract is named. Nothing is skipped. Where
   that is only what shares deliver, losses are judged on: by its last bid, or what it is in the money by. Nor is it a
   price that even the better side of every quote puts far beyond what the legs can be worth: they are of different
   moments.
2. The worst side is what rules are judged at; the mid is shown beside it. Where the two sides lie further apart than
   the whole stop distance, what ends a loss is judged at the mid, and fires only when two quotes in a row agree. (Half
   of it, as for a single position, would not do: the spreads of all legs add up in it.)
3. Result: (credit - cost to close) / credit, (value - cost) / cost. `result_of` and `net_at` are each other's inverse.
4. A stop stands where closing at the worst side loses what the policy says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from standfast.core.payoff import reach
from standfast.core.policy import Policy
from standfast.core.results import STUCK, Clarity, Judged, Levels
from standfast.core.shapes import basis_of, broken, entry, least_loss, made_good, shares_among, sold_in
from standfast.core.short_delta import without_delta
from standfast.core.situation import Sight, Situation
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import Holding
from standfast.model.order import ZERO
from standfast.model.position import CloseReason
from standfast.model.quote import WORTHLESS, Quote
from standfast.model.structure import Leg, Structure, multiplier_of, weight


@dataclass(frozen=True, slots=True)
class Sides:
    """Net prices of one unit: what closing it brings at the worse and at the better side of every quote."""

    worst: Decimal
    best: Decimal

    @property
    def mid(self) -> Decimal:
        return (self.worst + self.best) / 2


@dataclass(frozen=True, slots=True)
class LastGood:
    """The last quotes of all legs that could be used, and how old the oldest of them is."""

    sides: Sides
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    now: Sides | None
    """None: blind."""
    before: Sides | None
    """By the quotes before these, where every leg has one."""
    lacks: tuple[tuple[Holding, str], ...]
    """Legs without a usable quote, and why."""
    last: LastGood | None
    lean: Decimal | None = None
    """What it brings with options that shares deliver at their bids, or what they are in the money by: an offer far
    away from every bid says nothing of the shares. At their last bids where only these lack a quote."""

    @property
    def why_blind(self) -> str:
        """The contracts that lack a price, and the last one there was."""
        if not self.lacks:
            return ""
        named = "; ".join(f"{holding}: {why}" for holding, why in self.lacks)
        if self.last is None:
            return f"{named}; no price of all legs is known"
        sides, age = self.last.sides, int(self.last.age.total_seconds())
        return f"{named}; last good price {sides.worst} (mid {sides.mid}), {age} s old"


def worth(s: Situation, legs: tuple[Leg, ...]) -> Worth:
    """The net price of one unit of these legs, as things are seen now."""
    lacks = tuple(_lacks(s, legs))
    quotes = {leg.holding: s.sights[leg.holding].quote for leg in legs} if not lacks else {}
    before = {leg.holding: s.sights[leg.holding].before for leg in legs} if not lacks else {}
    earlier = {holding: quote for holding, quote in before.items() if quote is not None and is_usable(quote)}
    was = sides(legs, earlier) if earlier and len(earlier) == len(legs) else None
    now = sides(legs, quotes) if not lacks else None
    torn = _torn(legs, now) if now is not None else ""
    if torn:
        oldest = min(quotes, key=lambda holding: quotes[holding].received)
        now, lacks = None, ((oldest, torn),)
    return Worth(
        now=now,
        before=was if was is not None and not _torn(legs, was) else None,
        lacks=lacks,
        last=_last_good(s, legs),
        lean=_lean(legs, quotes) if not lacks else _by_last(s, legs, {holding for holding, _ in lacks}),
    )


def _torn(legs: tuple[Leg, ...], found: Sides) -> str:
    """Why these are quotes of no one moment; empty: they may be of one. Of what is worth next to nothing no quote is
    exact."""
    least, most = reach(legs)
    slack = WORTHLESS * sum(abs(leg.ratio) for leg in legs if leg.contract is not None)
    if least is not None and found.best < least - slack:
        return f"worth {found.best} at best by quotes of different moments, where {least} is the least it can be"
    if most is not None and found.worst > most + slack:
        return f"worth {found.worst} at worst by quotes of different moments, where {most} is the most it can be"
    return ""


def _lean(legs: tuple[Leg, ...], quotes: dict[Holding, Quote]) -> Decimal | None:
    shares = shares_among(legs)
    if shares is None:
        return None
    under = quotes[shares.holding].closing_price(-shares.sign)
    bids = dict(quotes)
    for leg in legs:
        if leg.holding in made_good(legs) and leg.contract is not None:
            worth_now = max((under - leg.contract.strike) * shares.sign, quotes[leg.holding].bid)
            bids[leg.holding] = replace(quotes[leg.holding], ask=worth_now)
    return sides(legs, bids).worst


def _by_last(s: Situation, legs: tuple[Leg, ...], lacking: set[Holding]) -> Decimal | None:
    if not lacking <= made_good(legs):
        return None
    last = {holding: s.good[holding] for holding in lacking if holding in s.good}
    quotes = {leg.holding: s.sights[leg.holding].quote for leg in legs if leg.holding not in lacking}
    return _lean(legs, quotes | last) if len(last) == len(lacking) else None


def sides(legs: tuple[Leg, ...], quotes: dict[Holding, Quote]) -> Sides:
    """The net price of one unit by a quote of every leg."""
    worst = best = ZERO
    multiplier = multiplier_of(legs)
    for leg in legs:
        quote, points = quotes[leg.holding], weight(leg, multiplier)
        worst += points * quote.closing_price(leg.sign)
        best += points * quote.closing_price(-leg.sign)
    return Sides(worst, best)


def _lacks(s: Situation, legs: tuple[Leg, ...]) -> Iterator[tuple[Holding, str]]:
    delivered = made_good(legs)
    for leg in legs:
        why = _lack(s, s.sights.get(leg.holding), needs_bid=leg.holding not in delivered)
        if why:
            yield leg.holding, why
    known = [s.sights[leg.holding].quote.at for leg in legs if leg.holding in s.sights]
    if len(known) == len(legs) and s.broker_now - max(known) > STUCK:  # one contract may be quiet, not all of them
        yield legs[0].holding, f"the feed's last quote is of {max(known):%H:%M:%S} UTC"


def _lack(s: Situation, sight: Sight | None, *, needs_bid: bool) -> str:
    """`needs_bid`: not of what shares deliver, whose loss of worth is theirs: bought back it costs the ask, and how far
    a bid may lie below that is bounded by nothing at all."""
    if sight is None:
        return "no quote"
    quote = sight.quote
    if quote.bid > quote.ask > 0:
        return f"crossed, bid {quote.bid} ask {quote.ask}"
    if not is_usable(quote) and (needs_bid or quote.ask <= 0):
        return f"one-sided, bid {quote.bid} ask {quote.ask}"
    if not quote.is_fresh(s.now, s.quotes_fresh):
        return quote.age(s.now)
    return ""


def is_usable(quote: Quote) -> bool:
    """Whether both sides say something; such a quote may be remembered as the last good one of its contract."""
    return quote.is_two_sided or quote.is_worthless


def _last_good(s: Situation, legs: tuple[Leg, ...]) -> LastGood | None:
    quotes: dict[Holding, Quote] = {}
    for leg in legs:
        sight = s.sights.get(leg.holding)
        known = sight.quote if sight is not None and is_usable(sight.quote) else s.good.get(leg.holding)
        if known is None:
            return None
        quotes[leg.holding] = known
    found = sides(legs, quotes)
    return LastGood(found, s.now - min(quote.received for quote in quotes.values())) if not _torn(legs, found) else None


# --- results ------------------------------------------------------------------------------------


def result_of(net: Decimal, of: Decimal) -> Decimal:
    """The result as a fraction of credit or debit, were it closed at this net price."""
    assert of != 0
    return (net - of) / abs(of)


def net_at(result: Decimal, of: Decimal) -> Decimal:
    """The net price at which closing gives this result."""
    return of + result * abs(of)


def structure_levels(structure: Structure, policy: Policy, *, of: Decimal | None = None) -> Levels:
    """Net prices at which rules fire. Stops are figured from the basis, gains from the entry; None: off.

    `of`: what it is expected to be entered at, while it has not been.
    """
    cost = entry(structure) or of
    if not cost:
        return Levels(stop=structure.stop, stop_reason=CloseReason.STOP_LOSS, emergency=None, target=structure.target)
    stop, reason = structure.stop, CloseReason.STOP_LOSS
    if stop is None and policy.stop_loss is not None:
        stop = basis_of(structure, cost) - least_loss(structure, policy.stop_loss, cost)
    if structure.trail is not None:
        trailed = net_at(structure.trail.stop, cost)
        if stop is None or trailed > stop:
            stop, reason = trailed, CloseReason.TRAILING
    target = structure.target
    if target is None and policy.take_profit is not None:
        target = net_at(policy.take_profit, structure.gain_anchor or cost)
    return Levels(
        stop=stop,
        stop_reason=reason,
        emergency=basis_of(structure, cost) - least_loss(structure, policy.emergency_stop, cost)
        if policy.emergency_stop is not None
        else None,
        target=target,
    )


def anchors(cost: Decimal, found: Sides) -> tuple[Decimal, Decimal]:
    """For what was held before it was guarded: stops from the worse of entry and now, gains from the better."""
    return min(cost, found.worst), max(cost, found.worst)


def judge_structure(found: Worth, structure: Structure, policy: Policy) -> Judged:
    """The net prices rules may be judged at."""
    if found.now is None:
        return Judged(Clarity.BLIND, found.lean, reason=found.why_blind)
    distance, width = stop_distance(structure, policy), found.now.best - found.now.worst
    if distance is None or width <= distance:
        return Judged(Clarity.CLEAR, found.now.worst, found.now.worst)
    spread = f"spread {width} on {found.now.mid}"
    if found.before is None:
        return Judged(Clarity.BLIND, None, reason=spread)
    mid = max(found.now.mid, found.before.mid)
    return Judged(Clarity.WIDE, mid if found.lean is None else max(mid, found.lean), found.now.worst, spread)


def stop_distance(structure: Structure, policy: Policy) -> Decimal | None:
    """How far from its basis a loss is ended; None where nothing ends one, or there is nothing to figure it from."""
    cost, share = entry(structure), policy.stop_loss or policy.emergency_stop
    if not cost:
        return None
    basis = basis_of(structure, cost)
    if share is None and structure.stop is not None and structure.stop < basis:
        return basis - structure.stop
    return least_loss(structure, share, cost) if share is not None else None


# --- what cannot be judged ----------------------------------------------------------------------


def watches_structure(structure: Structure, policy: Policy) -> bool:
    """Whether any price rule of this structure is on."""
    at = structure_levels(structure, policy)
    has_levels = any(level is not None for level in (at.stop, at.emergency, at.target))
    is_ruled = policy.stop_loss or policy.take_profit or policy.emergency_stop or policy.trailing or policy.user_rule
    return has_levels or bool(is_ruled)


def blindness(s: Situation, structure: Structure, policy: Policy) -> Finding | None:
    """A rule the loop must hold for it and cannot judge now; the contracts are named. In the session only.

    Of what has lost its ratio no rule is judged: that is told as such, and a leg that is gone lacks no quote."""
    if structure.is_flat or not structure.is_guarded or structure.is_leaving:
        return None
    if not s.trades(*(leg.holding for leg in structure.shape)):
        return None
    whys: list[tuple[Holding, str]] = []
    reported = "no usable delta"
    if watches_structure(structure, policy):
        found = worth(s, structure.shape)
        judged = judge_structure(found, structure, policy)
        if judged.clarity is not Clarity.CLEAR and broken(structure) is None:
            reported = judged.clarity.value
            whys.append((found.lacks[0][0] if found.lacks else structure.shape[0].holding, judged.reason))
        elif judged.clarity is Clarity.CLEAR and not entry(structure):
            reported = "no entry price to judge it by"
            whys.append((structure.shape[0].holding, "it was entered at even, or not every leg has filled"))
    sold = sold_in(structure) if policy.short_delta_limit is not None else []
    unknown = without_delta(s, sold)
    if unknown:
        whys.append((sold[0], unknown))
    if not whys:
        return None
    return Finding(
        kind=BreakKind.BLIND,
        holding=whys[0][0],
        subject=structure.id,
        booked="price rules held by the guard",
        reported=reported,
        evidence="; ".join(why for _, why in whys),
    )
