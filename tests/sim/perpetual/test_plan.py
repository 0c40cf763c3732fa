"""Seeds that play perpetual futures: drawn from their number alone, judged by the exchange's own books."""

from dataclasses import replace
from random import Random

import pytest

from standfast.sim.catalogue import KINDS
from standfast.sim.chaos import Outcome, play
from standfast.sim.perpetual.deeds import WEIGHTS
from standfast.sim.perpetual.faults import ADDED, PLAYED
from standfast.sim.perpetual.plan import draw_perps
from standfast.sim.plan import draw_strokes
from standfast.sim.seeds import PERPS_FROM, Play, plan_of, seeds_from

FIRST = PERPS_FROM
MANY = [draw_perps(FIRST + n, hours=0.5) for n in range(200)]
BROKEN_ONCE = (100, 111, 215, 7027)
"""Seeds by which defects were found."""


def test_a_plan_is_a_function_of_its_seed() -> None:
    assert [draw_perps(plan.seed, hours=0.5) for plan in MANY[:20]] == MANY[:20]
    assert len({str(plan) for plan in MANY}) == len(MANY)


def test_the_number_of_a_seed_says_what_it_plays() -> None:
    assert plan_of(FIRST + 30, hours=0.5) == draw_perps(FIRST + 30, hours=0.5)
    assert list(seeds_from(7, 2, Play.PERPS)) == [FIRST + 7, FIRST + 8]
    assert list(seeds_from(FIRST + 7, 2, Play.PERPS)) == [FIRST + 7, FIRST + 8]
    assert list(seeds_from(FIRST + 7, 2, Play.AS_NUMBERED)) == [FIRST + 7, FIRST + 8]


def test_everything_is_drawn_sometimes() -> None:
    assert {deed.verb for plan in MANY for deed in plan.deeds} == set(WEIGHTS)
    assert {stroke.kind for plan in MANY for stroke in plan.strokes} == set(PLAYED)
    held = [plan.perps for plan in MANY if plan.perps is not None]
    assert {(each.at, each.hedged, each.isolated) for each in held} == {
        (at, hedged, isolated) for at in ("bybit", "binance") for hedged in (True, False) for isolated in (True, False)
    }
    assert {each.lag for each in held} == {None, (0.0, 5.0), (0.0, 30.0)}
    assert {(each.at, each.streams) for each in held} == {(at, s) for at in ("bybit", "binance") for s in (True, False)}


def test_kinds_that_came_later_leave_what_was_drawn_before_as_it_was() -> None:
    kinds = {number: KINDS[number] for number in PLAYED if number not in ADDED}
    for plan in MANY[:20]:
        chance = Random(f"perpetual/faults-{plan.seed}")
        names = [walk.instrument for walk in plan.walks]
        assert draw_strokes(chance, plan.spells, names, kinds) == tuple(s for s in plan.strokes if s.kind not in ADDED)


@pytest.fixture(scope="module")
def played() -> list[Outcome]:
    return [play(draw_perps(FIRST + n, hours=0.25)) for n in (102, 104, 117, 123, 20065, 20090)]


@pytest.mark.timeout(600)
def test_no_promise_is_broken_under_some_seeds(played: list[Outcome]) -> None:
    assert [outcome.violation for outcome in played] == [None] * len(played)
    assert sum(outcome.orders for outcome in played) > 40
    assert sum(sum(outcome.faults.values()) for outcome in played) > 5


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", BROKEN_ONCE)
def test_what_was_broken_once_holds(number: int) -> None:
    assert play(draw_perps(FIRST + number, hours=0.5)).violation is None


@pytest.mark.timeout(600)
def test_one_seed_is_one_story(played: list[Outcome]) -> None:
    plan = draw_perps(FIRST + 104, hours=0.25)

    assert play(plan).digest == played[1].digest
    assert play(replace(plan, deeds=())).digest != played[1].digest
