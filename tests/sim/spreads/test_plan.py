"""Seeds that play spreads: drawn from their number alone, beside those that play shares, and no promise broken."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from standfast.exchange.contracts import contract_of
from standfast.model.ids import InstrumentId
from standfast.model.option import option_contract
from standfast.sim.board import draw_spread
from standfast.sim.chaos import Outcome, play
from standfast.sim.plan import draw
from standfast.sim.seeds import SPREADS_FROM, Play, plan_of, seeds_from
from standfast.sim.spreads.deeds import WEIGHTS
from standfast.sim.spreads.plan import CLOSES, PLAYED, draw_spreads

FIRST = SPREADS_FROM
MANY = [draw_spreads(FIRST + n, hours=0.5) for n in range(200)]


def test_a_plan_is_a_function_of_its_seed() -> None:
    assert [draw_spreads(plan.seed, hours=0.5) for plan in MANY[:20]] == MANY[:20]
    assert len({str(plan) for plan in MANY}) == len(MANY)


def test_the_number_of_a_seed_says_what_it_plays() -> None:
    assert plan_of(30, hours=0.5) == draw(30, hours=0.5)
    assert plan_of(FIRST + 30, hours=0.5) == draw_spreads(FIRST + 30, hours=0.5)
    assert plan_of(FIRST).board is not None
    assert plan_of(30).board is None


def test_one_seed_in_ten_plays_spreads_where_both_are_asked_for() -> None:
    assert list(seeds_from(7, 3, Play.AS_NUMBERED)) == [7, 8, 9]
    assert list(seeds_from(7, 2, Play.SPREADS)) == [FIRST + 7, FIRST + 8]
    assert list(seeds_from(FIRST + 7, 2, Play.SHARES)) == [7, 8]
    both = list(seeds_from(100, 50, Play.BOTH))
    assert [seed - FIRST for seed in both if seed >= FIRST] == [105, 115, 125, 135, 145]


def test_everything_is_drawn_sometimes() -> None:
    assert {deed.verb for plan in MANY for deed in plan.deeds} == set(WEIGHTS)
    struck = {stroke.kind for plan in MANY for stroke in plan.strokes}
    assert struck == {number for number, kind in PLAYED.items() if kind.an_hour}
    assert {walk.instrument for plan in MANY for walk in plan.walks} == {"SPX", "SPY", "AAPL"}
    ending = [plan for plan in MANY if plan.start < CLOSES < plan.start + timedelta(seconds=plan.chaos)]
    assert 40 < len(ending) < 120
    assert {plan.rules.policies[0].stop_loss is None for plan in MANY} == {True, False}


def test_what_is_sold_of_a_spread_is_bought_in_none() -> None:
    """A broker holds one net of a contract, and refuses to open against it."""
    sold, bought, shapes = set[str](), set[str](), Counter[tuple[int, ...]]()
    for plan in MANY:
        assert plan.board is not None
        for chain in plan.board.chains:
            for deed in plan.deeds[:4]:
                legs = draw_spread(chain, deed_random(deed.draw))
                assert len({name for name, _ in legs}) == len(legs) <= 4
                assert {name for name, _ in legs} <= set(chain.contracts)
                sold |= {name for name, ratio in legs if ratio < 0}
                bought |= {name for name, ratio in legs if ratio > 0}
                shapes[tuple(sorted(ratio for _, ratio in legs))] += 1
    assert all(contract_of(name) is not None and option_contract(InstrumentId(name)) for name in sold | bought)
    assert len(shapes) >= 7
    for plan in MANY[:20]:
        assert plan.board is not None
        for chain in plan.board.chains:
            of = [leg for n in range(200) for leg in draw_spread(chain, deed_random(n))]
            assert not {name for name, ratio in of if ratio < 0} & {name for name, ratio in of if ratio > 0}


def deed_random(draw: int) -> Random:
    return Random(f"spread-deed-{draw}")


@pytest.fixture(scope="module")
def played() -> list[Outcome]:
    return [play(draw_spreads(FIRST + n, hours=0.2)) for n in (3, 5, 7, 8)]


@pytest.mark.timeout(600)
def test_no_promise_is_broken_under_some_seeds(played: list[Outcome]) -> None:
    assert [outcome.violation for outcome in played] == [None] * len(played)
    assert sum(outcome.orders for outcome in played) > 40
    assert sum(sum(outcome.faults.values()) for outcome in played) > 5


@pytest.mark.timeout(600)
def test_one_seed_is_one_story(played: list[Outcome]) -> None:
    plan = draw_spreads(FIRST + 8, hours=0.2)

    assert play(plan).digest == played[-1].digest
    assert play(replace(plan, deeds=plan.deeds[:-1])).digest != played[-1].digest
