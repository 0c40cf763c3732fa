"""Tests of `core/bands.py`: a tick inside the band needs no look."""

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.bands import NOTHING_WAKES, Band, band
from standfast.core.exits import exits
from standfast.core.policy import HeldBy, Mode, Policy, Rung
from standfast.core.situation import Sight, Situation
from standfast.model import journal as j
from standfast.model.effects import WakeAt
from standfast.model.ids import PositionId
from standfast.model.position import Trail
from standfast.model.quote import Quote
from tests.core.situations import NOW, QQQ, SPY, D, P, adopted, closing_of, folded, position, ruled, situation, told
from tests.core.test_exits import rungs

PLAIN = Policy(name="plain", held_by=HeldBy.GUARD, stop_loss=D("0.02"), take_profit=D("0.1"))


def test_a_band_lies_between_the_nearest_losing_and_winning_prices() -> None:
    found = band(situation(folded(*position(10)), policy=PLAIN), SPY)

    assert found is not None
    assert math.isclose(found.low, 98, rel_tol=1e-6)
    assert math.isclose(found.high, 110, rel_tol=1e-6)
    assert math.isclose(found.spread, 1, rel_tol=1e-6)


def test_positions_of_one_instrument_share_the_narrowest_band() -> None:
    book = folded(*position(10), *position(5, 104, id=PositionId("p2")))

    found = band(situation(book, policy=PLAIN), SPY)

    assert found is not None
    assert math.isclose(found.low, 101.92, rel_tol=1e-6)
    assert math.isclose(found.high, 110, rel_tol=1e-6)


def test_what_needs_no_price_is_not_watched() -> None:
    off = Policy(name="off")
    assert band(situation(folded(*position(10)), policy=off), SPY) is None
    assert band(situation(folded(*position(10)), policy=PLAIN), QQQ) is None


def test_a_position_on_its_way_out_fires_no_price_rule() -> None:
    found = band(situation(folded(*position(10), closing_of()), policy=PLAIN), SPY)

    assert found is not None
    assert (found.low, found.high) == (0.0, math.inf)


def test_what_nothing_wakes_and_what_is_crossed() -> None:
    assert NOTHING_WAKES.is_quiet(100, 100)
    assert not Band(90, 110, 1).is_quiet(100, 99)


def test_a_ladder_shortened_since_it_was_climbed_still_has_a_band() -> None:
    book = folded(*position(10), j.TrailMoved(position=P, trail=Trail(rung=2, peak=D("0.3"), stop=D("0.2"))))
    shorter = replace(PLAIN, trailing=(Rung(D("0.1"), D("0.05")),))

    assert band(situation(book, policy=shorter), SPY) is not None


percent = st.integers(1, 40).map(lambda n: Decimal(n) / 100)
maybe = st.one_of(st.none(), percent)
policies = st.builds(
    Policy,
    name=st.just("drawn"),
    held_by=st.sampled_from(HeldBy),
    stop_loss=maybe,
    take_profit=maybe,
    emergency_stop=percent,
    trailing=st.one_of(st.just(()), rungs),
    minimum_hold=st.sampled_from([timedelta(0), timedelta(days=1)]),
)
cents = st.integers(5000, 16000).map(lambda n: Decimal(n) / 100)


@given(
    st.sampled_from([10, -10]),
    policies,
    st.lists(cents, max_size=4),
    st.lists(st.tuples(cents, st.integers(0, 300)), min_size=2, max_size=12),
    st.one_of(st.none(), cents),
)
def test_a_quiet_tick_hides_no_rule_that_fires(
    quantity: int, policy: Policy, path: list[Decimal], ticks: list[tuple[Decimal, int]], anchor: Decimal | None
) -> None:
    found = adopted(quantity, 100, anchor=str(anchor) if anchor is not None else None)
    book = folded(found) if anchor is not None else folded(*position(quantity))
    for price in path:  # climb to wherever the ladder stands by now
        quote = Quote(price, price, NOW, NOW)
        s = situation(book, policy=policy, sights={SPY: Sight(quote)})
        told(book, *(fact for fact in exits(s, book.state.positions[P]) if isinstance(fact, j.TrailMoved)))
    before: Quote | None = None
    for bid, spread in ticks:
        quote = Quote(bid, bid + Decimal(spread) / 100, NOW, NOW)
        s = situation(book, policy=policy, sights={SPY: Sight(quote, before)})
        edges = band(s, SPY)
        outcomes = [each for each in exits(s, book.state.positions[P]) if not isinstance(each, WakeAt)]
        if edges is None or edges.is_quiet(float(quote.bid), float(quote.ask)):
            assert outcomes == [], (edges, quote)
        before = quote


@given(
    st.sampled_from([10, -10]),
    policies,
    st.sampled_from([Mode.ALERT, Mode.OBSERVE]),
    st.lists(st.tuples(cents, st.integers(0, 300)), min_size=2, max_size=20),
)
def test_where_nothing_may_be_done_a_quiet_tick_hides_nothing_that_is_to_be_said(
    quantity: int, policy: Policy, mode: Mode, ticks: list[tuple[Decimal, int]]
) -> None:
    book = folded(*position(quantity))
    rules = replace(ruled(policy), mode=mode)
    before: Quote | None = None
    edges: Band | None = NOTHING_WAKES._replace(low=math.inf)
    for bid, spread in ticks:
        quote = Quote(bid, bid + Decimal(spread) / 100, NOW, NOW)
        s = situation(book, rules=rules, sights={SPY: Sight(quote, before)})
        is_quiet = edges is None or edges.is_quiet(float(quote.bid), float(quote.ask))
        outcomes = [each for each in exits(s, book.state.positions[P]) if not isinstance(each, WakeAt)]
        if is_quiet:
            assert outcomes == [], (edges, quote)
        while outcomes:
            told(book, *(each for each in outcomes if isinstance(each, j.TrailMoved | j.AlertRaised)))
            s = situation(book, rules=rules, sights={SPY: Sight(quote, before)})
            outcomes = [each for each in exits(s, book.state.positions[P]) if not isinstance(each, WakeAt)]
        edges, before = band(s, SPY), quote


def test_a_stop_that_was_told_wakes_nobody_until_the_price_is_elsewhere() -> None:
    book = folded(*position(10))
    emergency = replace(PLAIN, emergency_stop=D("0.05"))

    def seen(price: str) -> Situation:
        sights = {SPY: Sight(Quote(D(price), D(price), NOW, NOW))}
        return situation(book, rules=replace(ruled(emergency), mode=Mode.ALERT), sights=sights)

    untold = band(seen("97"), SPY)
    told(book, *(each for each in exits(seen("97"), book.state.positions[P]) if isinstance(each, j.AlertRaised)))
    found, deeper = band(seen("97"), SPY), band(seen("94"), SPY)

    assert untold is not None
    assert not untold.is_quiet(97, 97)
    assert found is not None
    assert math.isclose(found.low, 95, rel_tol=1e-6)
    assert math.isclose(found.high, 98, rel_tol=1e-6)
    assert deeper is not None
    assert not deeper.is_quiet(94, 94)  # the emergency stop has not been told
