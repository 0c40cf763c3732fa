"""When things happen in a run of many hours."""

from random import Random

import pytest

from standfast.sim.plan import draw
from standfast.sim.spells import ECHO, HOUR, busy_seconds, draw_spells

LONG = [draw(seed, hours=4) for seed in range(60)]


@pytest.mark.parametrize("hours", [0.1, 0.25, 0.5])
def test_a_run_of_half_an_hour_is_one_spell(hours: float) -> None:
    spells = draw_spells(Random("any"), hours * HOUR)

    assert spells.stretches == ((0.0, hours * HOUR),)
    assert spells.lulls == []
    assert spells.at(200) == 200


@pytest.mark.parametrize("hours", [0.75, 1, 4, 12, 100])
def test_spells_of_a_long_run_are_apart_and_make_up_what_is_busy_of_it(hours: float) -> None:
    for seed in range(50):
        spells = draw_spells(Random(f"{seed}"), hours * HOUR)
        edges = [edge for stretch in spells.stretches for edge in stretch]

        assert edges == sorted(edges)
        assert edges[0] == 0
        assert edges[-1] <= hours * HOUR
        assert spells.busy == pytest.approx(busy_seconds(hours * HOUR), abs=0.1)


def test_what_is_drawn_in_busy_seconds_lies_in_spells_in_the_same_order() -> None:
    spells = draw_spells(Random("any"), 4 * HOUR)
    placed = [spells.at(seconds) for seconds in range(0, 1800, 7)]

    assert placed == sorted(placed)
    assert all(any(begin <= at < end for begin, end in spells.stretches) for at in placed)


def test_faults_begin_in_spells_and_people_act_in_lulls_too() -> None:
    for plan in LONG:
        for stroke in plan.strokes:
            assert stroke.kind == 40 or any(begin <= stroke.at <= end for begin, end in plan.spells.stretches)
    lulls = [(plan, begin + ECHO, end) for plan in LONG for begin, end in plan.spells.lulls]
    assert any(begin < deed.at < end for plan, begin, end in lulls for deed in plan.deeds)


def test_a_long_run_has_the_faults_and_deeds_of_half_an_hour_and_more() -> None:
    short = [draw(plan.seed, hours=0.5) for plan in LONG]

    assert sum(len(plan.strokes) for plan in LONG) >= 0.95 * sum(len(plan.strokes) for plan in short)
    assert sum(len(plan.deeds) for plan in LONG) > sum(len(plan.deeds) for plan in short)
