"""Profit and loss of a position as a fraction of what it was entered at, and the prices that stand for it.

Judged at the side one would close at: the bid for a long, the ask for a short. Results and prices are two
forms of one number; `price_at` and `result_at` are each other's inverse.
"""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from standfast.core.book import Book
from standfast.core.policy import Policy
from standfast.core.situation import Situation
from standfast.model.option import option_contract
from standfast.model.position import CloseReason, Position
from standfast.model.quote import Quote


def result_at(position: Position, price: Decimal, *, of: Decimal | None = None) -> Decimal:
    """Signed return on entry (or on `of`) if it were closed at this price."""
    base = of if of is not None else position.entry_price
    assert base, position.id
    return (price - base) / base * position.sign


def price_at(position: Position, result: Decimal, *, of: Decimal | None = None) -> Decimal:
    base = of if of is not None else position.entry_price
    assert base, position.id
    return base * (1 + result * position.sign)


class Levels(NamedTuple):
    """Prices at which rules fire; None where the rule is off."""

    stop: Decimal | None
    stop_reason: CloseReason
    emergency: Decimal | None
    target: Decimal | None

    @property
    def outermost(self) -> Decimal | None:
        return self.emergency if self.emergency is not None else self.stop

    @property
    def outermost_reason(self) -> CloseReason:
        return CloseReason.EMERGENCY_STOP if self.emergency is not None else self.stop_reason


def levels_of(s: Situation, position: Position) -> Levels:
    """Where the rules of a position of the book stand now, figured once for each look."""
    return s.once(("levels", position.id), lambda: levels(s.book, position, s.policy(position)))


def levels(book: Book, position: Position, policy: Policy, *, of: Decimal | None = None) -> Levels:
    """Where the rules of a position stand now. Stops are figured from its basis, gains from its entry.

    `of`: the price it is expected to be entered at, while it has none. A leg of a structure has none of its own,
    whatever was kept around it before it was one: what ends it alone would leave bare what it bounds.
    """
    entry = book.entry_price(position) or of
    if entry is None or entry <= 0 or position.structure is not None:
        return Levels(stop=None, stop_reason=CloseReason.STOP_LOSS, emergency=None, target=None)
    basis = position.anchor if position.anchor is not None else entry
    stop, reason = position.stop, CloseReason.STOP_LOSS
    if stop is None and policy.stop_loss is not None:
        stop = price_at(position, -policy.stop_loss, of=basis)
    if position.trail is not None:
        trailed = price_at(position, position.trail.stop, of=entry)
        if stop is None or (trailed - stop) * position.sign > 0:
            stop, reason = trailed, CloseReason.TRAILING
    emergency = None
    if policy.emergency_stop is not None:
        emergency = price_at(position, -policy.emergency_stop, of=basis)
    target = position.target
    if target is None and policy.take_profit is not None:
        target = price_at(position, policy.take_profit, of=position.gain_anchor or entry)
    if target is not None and target <= 0:
        target = None  # a short can gain all of its entry and no more: beyond that the rule never fires
    return Levels(stop=stop, stop_reason=reason, emergency=emergency, target=target)


STUCK = timedelta(minutes=5)
"""A quote the market has not touched for so long, in the session, is a feed that stands still."""


FAR = 2
"""How many stop distances the sides of an option's quote may lie apart: its middle is off by one then."""
FAR_FOR = timedelta(minutes=2)
"""How long they have to lie so far apart, in the session, to be all the market there is."""
FAR_QUOTE = "far quote"
"""The subject of the break that counts how long they have."""


class Clarity(StrEnum):
    """What a quote lets rules be judged by, as people are told it."""

    CLEAR = "clear"
    WIDE = "judged at the mid"
    FAR = "judged by the better side for two minutes, then at the mid"
    BLIND = "no usable quote"


class Judged(NamedTuple):
    """The prices rules may be judged at, how far they can be trusted, and why not further."""

    clarity: Clarity
    price: Decimal | None
    """For rules that end a loss."""
    gain: Decimal | None = None
    """For rules that follow or take a gain. The two differ only where the quotes do not agree."""
    reason: str = ""


def judge(s: Situation, position: Position, policy: Policy) -> Judged:
    """The closing price of a position now.

    Blind: no price may be used. Wide: the mid, of the two last quotes the one further from the rule, so that a rule
    fires only when both agree. Far, of an option alone: the better side in place of the mid, until the two have lain so
    far apart for long enough. At the bell, and where quotes are withdrawn for a moment, a close at the worse one would
    make the loss that it was to end.
    """
    sight = s.sights.get(position.holding)
    if sight is None:
        return Judged(Clarity.BLIND, None, reason="no quote")
    quote, lack = sight.quote, _lack(s, position, sight.quote)
    if lack:
        return Judged(Clarity.BLIND, None, reason=lack)
    if not _is_wide(position, policy, quote):
        price = quote.closing_price(position.sign)
        return Judged(Clarity.CLEAR, price, price)
    spread = f"spread {quote.ask - quote.bid} on {quote.mid}"
    before = sight.before
    if before is None or not _has_price(position, before) or _is_of_before(s, position, before):
        return Judged(Clarity.BLIND, None, reason=spread)
    low, high = sorted((quote.mid, before.mid))
    price, gain = (high, low) if position.sign > 0 else (low, high)
    if not _is_far(position, policy, quote):
        return Judged(Clarity.WIDE, price, gain, spread)
    if not _has_lasted(s, position):
        better = [each.closing_price(-position.sign) for each in (quote, before)]
        price = max(better) if position.sign > 0 else min(better)
    return Judged(Clarity.FAR, price, gain, spread)


def _lack(s: Situation, position: Position, quote: Quote) -> str:
    """Why nothing may be judged by this quote; empty: it may be used."""
    if not _has_price(position, quote):
        return f"bid {quote.bid} ask {quote.ask}"
    if not quote.is_fresh(s.now, s.quotes_fresh):
        return quote.age(s.now)
    if s.broker_now - quote.at > STUCK:  # however often it is sent or asked for: the feed stands still
        return f"the feed's last quote is of {quote.at:%H:%M:%S} UTC"
    return "the last quote is of before its split" if _is_of_before(s, position, quote) else ""


def _has_price(position: Position, quote: Quote) -> bool:
    """Of an option that is sold an offer of next to nothing is a price, though nobody bids: it can be bought back."""
    return quote.is_two_sided or (quote.is_worthless and position.sign < 0 and _is_option(position))


def _is_option(position: Position) -> bool:
    return option_contract(position.holding.instrument) is not None


def _is_far(position: Position, policy: Policy, quote: Quote) -> bool:
    half = widest(position, policy, position.basis)
    return _is_option(position) and half is not None and quote.ask - quote.bid > FAR * 2 * half


def _has_lasted(s: Situation, position: Position) -> bool:
    seen = (each for each in s.book.breaks_at(position.holding) if each.finding.subject == FAR_QUOTE)
    return any(s.now - s.surely(each.first_seen) >= FAR_FOR for each in seen)


def _is_of_before(s: Situation, position: Position, quote: Quote) -> bool:
    """Whether a quote prices the shares of before a split: beside an entry of after it, it looks like a crash."""
    split_at = s.book.state.split_at.get(position.holding)
    return split_at is not None and quote.at < split_at


def _is_wide(position: Position, policy: Policy, quote: Quote) -> bool:
    limit = widest(position, policy, position.basis)
    return limit is not None and quote.ask - quote.bid > limit


def widest(position: Position, policy: Policy, basis: Decimal | None) -> Decimal | None:
    """How far a quote's sides may lie apart to be judged at the worse one: half as far as a loss is ended from the
    basis, by the policy or else by a stop of its own. None: nothing ends one, or there is nothing to figure it from."""
    share = policy.stop_loss or policy.emergency_stop
    if not basis:
        return None
    if share is None and position.stop is not None and (basis - position.stop) * position.sign > 0:
        return abs(basis - position.stop) / 2
    return share * basis / 2 if share is not None else None
