"""Tests of `core/columns.py`: what a quiet price cannot wake, and what needs an exact look."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.columns import Bounds, Columns, bounds, width
from standfast.core.policy import HeldBy, Policy, Rung
from standfast.core.results import Clarity
from standfast.core.situation import Sight
from standfast.core.structure_exits import structure_exits
from standfast.core.worth import is_usable, judge_structure, worth
from standfast.model import journal as j
from standfast.model.ids import PositionId
from standfast.model.position import CloseReason, Closing, Trail
from standfast.model.quote import Quote
from standfast.model.structure import Structure
from tests.core.situations import NOW, D, P, folded, situation
from tests.core.structures import leg, put_spread, shares, structure
from tests.core.test_exits import rungs

SPREAD = Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=D("0.15"), take_profit=D("0.5"))
Q = PositionId("p2")


def bounded(*structures: Structure, policy: Policy = SPREAD) -> Columns:
    columns = Columns()
    for each in structures:
        columns.put(each.id, bounds(each, policy))
    return columns


def swept(columns: Columns, bids: Sequence[float], asks: Sequence[float]) -> list[PositionId]:
    """A sweep of quotes in the order of the contracts."""
    for contract, (bid, ask) in enumerate(zip(bids, asks, strict=True)):
        columns.note(contract, bid, ask)
    return columns.sweep()


# --- bounds -------------------------------------------------------------------------------------


def test_bounds_lie_between_the_nearest_losing_and_winning_net_prices() -> None:
    found = bounds(put_spread(), replace(SPREAD, emergency_stop=D("0.4")))

    assert found is not None
    assert (found.id, found.legs) == (P, put_spread().shape)
    assert found.low == pytest.approx(-4.255)
    assert found.high == pytest.approx(-1.85)


def test_the_next_rung_of_the_ladder_bounds_too() -> None:
    ladder = Policy(name="ladder", trailing=(Rung(D("0.1"), None), Rung(D("0.2"), D("0.08"))))

    armed = bounds(put_spread(), ladder)
    climbing = bounds(put_spread(trail=Trail(rung=0, peak=D("0.1"), stop=D(0))), ladder)

    assert armed is not None
    assert climbing is not None
    assert [armed.low, armed.high] == pytest.approx([-math.inf, -3.33])
    assert [climbing.low, climbing.high] == pytest.approx([-3.70, -2.96])


def test_what_no_price_rule_is_for_is_not_watched() -> None:
    leaving = Closing(reason=CloseReason.OPERATOR, by="", detail="", remain=D(0), at=NOW)

    assert bounds(put_spread(), Policy(name="off")) is None
    assert bounds(put_spread(closing=leaving), SPREAD) is None


# --- ticks --------------------------------------------------------------------------------------


def test_a_tick_wakes_what_it_takes_beyond_its_bounds() -> None:
    other = structure((leg(-1, "P", 3700), 9), (leg(1, "P", 3600), 1), id=Q)
    columns = bounded(put_spread(), other)
    short, long, far = columns.contracts.values()

    assert list(columns.contracts) == [each.holding for each in (*put_spread().shape, other.shape[1])]
    columns.take(long, 0.80, 0.90)
    columns.take(far, 0.10, 0.20)
    assert columns.take(short, 4.90, 5.05) == []
    assert columns.take(short, 4.90, 5.06) == [P]
    assert columns.take(short, 4.90, 5.05) == []
    assert columns.take(long, 8.90, 9.00) == [P]  # all but worthless to close: a target
    assert columns.take(long, 10.5, 10.6) == [P, Q]


@pytest.mark.parametrize(("bid", "ask"), [(0, 0), (5, 0), (0, 5), (5, 4), (math.nan, 5), (4.5, math.nan)])
def test_a_quote_that_cannot_be_used_wakes_all_it_is_part_of(bid: float, ask: float) -> None:
    columns = bounded(put_spread())
    short, long = columns.contracts.values()
    columns.take(long, 0.80, 0.90)
    assert columns.take(short, 4.5, 4.6) == []

    assert columns.take(short, bid, ask) == [P]
    assert swept(columns, [bid, 0.80], [ask, 0.90]) == [P]


def test_before_its_first_quote_everything_is_looked_at() -> None:
    columns = bounded(put_spread())

    assert columns.take(columns.contracts[put_spread().shape[0].holding], 4.5, 4.6) == [P]


def test_a_worthless_option_has_a_price() -> None:
    columns = bounded(put_spread())

    assert swept(columns, [4.0, 0.0], [4.1, 0.05]) == []


def test_shares_and_ratios_count_by_their_weight() -> None:
    covered = structure((shares(100), 600), (leg(-1, "C", 610, root="SPY"), 3), id=P)
    butterfly = structure((leg(1, "P", 3700), 2), (leg(-2, "P", 3750), 3), (leg(1, "P", 3800), 9), id=Q)
    columns = bounded(covered, butterfly)

    assert swept(columns, [600, 2.9, 2, 3, 9], [600, 3, 2.1, 3, 9.1]) == []
    assert swept(columns, [600, 2.9, 2, 3, 9], [600, 3, 2.1, 3.5, 9.1]) == [Q]
    assert swept(columns, [500, 2.9, 2, 3, 9], [500, 3, 2.1, 3, 9.1]) == [P]


def test_what_fits_no_column_is_looked_at_every_time() -> None:
    many = structure((leg(-9, "P", 3800), 4), (leg(9, "P", 3700), 1), id=P)
    odd = structure((shares(150), 600), (leg(-1, "C", 610, root="SPY"), 3), id=Q)
    columns = bounded(many, odd, put_spread(1, id=PositionId("p3")))

    assert swept(columns, [4.0, 0.8, 600, 3], [4.1, 0.9, 600, 3]) == [P, Q]
    assert columns.take(0, 4.0, 4.1) == [P]


# --- for every price ----------------------------------------------------------------------------

SHAPES = [
    [leg(-1, "P", 3800), leg(1, "P", 3700)],
    [leg(1, "P", 3800), leg(-1, "P", 3700)],
    [leg(1, "P", 3700), leg(-2, "P", 3750), leg(1, "P", 3800)],
    [leg(-1, "P", 3750)],
    [leg(1, "P", 3600), leg(-1, "P", 3700), leg(-1, "P", 3750), leg(1, "P", 3800)],
]
cents = st.integers(5, 2000).map(lambda number: Decimal(number) / 100)
policies = st.builds(
    Policy,
    name=st.just("drawn"),
    stop_loss=st.none() | st.just(D("0.15")),
    emergency_stop=st.none() | st.just(D("0.4")),
    take_profit=st.none() | st.just(D("0.5")),
    trailing=st.just(()) | rungs,
)
held_structures = st.builds(
    lambda number, shape, prices, trail: structure(
        *zip(shape, prices, strict=False), id=PositionId(f"p{number}"), trail=trail
    ),
    st.integers(1, 9),
    st.sampled_from(SHAPES),
    st.lists(cents, min_size=4, max_size=4),
    st.none() | st.just(Trail(rung=0, peak=D("0.15"), stop=D("0.05"))),
)
quotes_of = st.tuples(cents | st.just(D(0)), st.integers(0, 60).map(lambda number: Decimal(number) / 100))


@given(st.lists(held_structures, min_size=1, max_size=4, unique_by=lambda one: one.id), policies, st.data())
def test_while_it_is_quiet_no_price_rule_can_fire(
    structures: list[Structure], policy: Policy, data: st.DataObject
) -> None:
    columns = bounded(*structures, policy=policy)
    pairs = [data.draw(quotes_of) for _ in columns.contracts]
    quotes = {
        holding: Quote(bid, bid + spread, NOW, NOW)
        for holding, (bid, spread) in zip(columns.contracts, pairs, strict=True)
    }
    woken = swept(columns, [float(quote.bid) for quote in quotes.values()], [float(q.ask) for q in quotes.values()])
    before = NOW - timedelta(seconds=1)
    sights = {holding: Sight(quote, replace(quote, at=before)) for holding, quote in quotes.items()}
    s = situation(folded(), sights=sights, policy=policy)
    watched = {each.id for each in columns.watched}

    for one in structures:
        fired = [each for each in structure_exits(s, one, policy) if isinstance(each, j.CloseRequested | j.TrailMoved)]
        assert not fired or one.id in woken
        assert one.id in watched or not fired


@given(st.lists(held_structures, min_size=1, max_size=4, unique_by=lambda one: one.id), st.data())
def test_ticks_and_a_sweep_of_the_same_quotes_wake_the_same(structures: list[Structure], data: st.DataObject) -> None:
    whole, ticked = bounded(*structures), bounded(*structures)
    pairs = [tuple(map(float, data.draw(st.tuples(cents, cents)))) for _ in whole.contracts]
    for contract, (bid, ask) in enumerate(pairs):
        ticked.take(contract, bid, ask)
    woken = {id for contract, (bid, ask) in enumerate(pairs) for id in ticked.take(contract, bid, ask)}

    assert set(swept(whole, [bid for bid, _ in pairs], [ask for _, ask in pairs])) == woken


def test_columns_of_nothing_are_silent() -> None:
    assert Columns().sweep() == []
    quiet = Columns()
    quiet.put(P, Bounds(id=P, legs=(leg(1, "P", 3800),), low=-math.inf, high=math.inf))
    assert swept(quiet, [1.0], [2.0]) == []


# --- what is watched changes --------------------------------------------------------------------


def test_what_is_put_anew_is_watched_within_its_new_bounds_and_what_is_taken_out_wakes_no_more() -> None:
    columns = bounded(put_spread(), structure((leg(-1, "P", 3700), 9), (leg(1, "P", 3600), 1), id=Q))
    quotes = [4.90, 0.80, 0.1], [5.05, 0.90, 0.2]
    assert swept(columns, *quotes) == [Q]
    trailed = bounds(put_spread(trail=Trail(rung=0, peak=D("0.2"), stop=D(0))), SPREAD)

    assert columns.put(P, trailed)
    assert not columns.put(P, trailed)
    assert swept(columns, *quotes) == [P, Q] or swept(columns, *quotes) == [Q, P]
    assert columns.take(0, 4.90, 5.05) == [P]
    assert columns.put(P, None)
    assert not columns.put(P, None)
    assert columns.take(0, 4.90, 5.05) == []
    assert swept(columns, *quotes) == [Q]
    assert [each.id for each in columns.watched] == [Q]


# --- quotes that are too wide -------------------------------------------------------------------


@given(held_structures, policies, st.data())
def test_quotes_narrower_than_the_width_are_judged_by_themselves(
    one: Structure, policy: Policy, data: st.DataObject
) -> None:
    pairs = [data.draw(quotes_of) for _ in one.legs]
    quotes = {
        held.leg.holding: Quote(bid, bid + spread, NOW, NOW)
        for held, (bid, spread) in zip(one.legs, pairs, strict=True)
    }
    s = situation(folded(), sights={holding: Sight(quote) for holding, quote in quotes.items()}, policy=policy)
    limit = width(one, policy)

    if all(float(quote.ask - quote.bid) < limit for quote in quotes.values()):
        found = worth(s, one.shape)
        is_clear = judge_structure(found, one, policy).clarity is Clarity.CLEAR
        assert is_clear or found.lacks or not all(map(is_usable, quotes.values()))
