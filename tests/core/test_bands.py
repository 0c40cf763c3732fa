"""Tests of `core/bands.py`: a tick inside the band needs no look."""

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.bands import NOTHING_WAKES, Band, band
from standfast.core.exits import exits
from standfast.core.policy import HeldBy, Policy, Rung
from standfast.core.situation import Sight
from standfast.model import journal as j
from standfast.model.effects import WakeAt
from standfast.model.ids import PositionId
from standfast.model.position import Trail
from standfast.model.quote import Quote
from tests.core.situations import NOW, QQQ, SPY, D, P, adopted, closing_of, folded, position, situation, told
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
