"""A plan is a function of its seed, and a run a function of its plan."""

from dataclasses import replace
from decimal import Decimal

import pytest

from standfast.core.policy import HeldBy
from standfast.sim import strokes
from standfast.sim.catalogue import ELSEWHERE, KINDS
from standfast.sim.chaos import Outcome, play
from standfast.sim.plan import Plan, draw
from standfast.sim.planted.known import PLANTED
from standfast.sim.shrink import shrink
from standfast.sim.strokes import Stroke
from standfast.sim.workload import Deed, Workload

TIGHT = Decimal("0.004")
MANY = [draw(seed, hours=0.5) for seed in range(300)]


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert [draw(plan.seed, hours=0.5) for plan in MANY[:20]] == MANY[:20]
    assert len({str(plan) for plan in MANY}) == len(MANY)


def test_every_kind_of_the_catalogue_is_played_here_or_has_a_reason_not_to_be() -> None:
    assert sorted([*KINDS, *ELSEWHERE]) == list(range(1, 79))


def test_every_kind_that_strikes_by_itself_is_drawn() -> None:
    drawn = {stroke.kind for plan in MANY for stroke in plan.strokes}

    assert drawn == {number for number, kind in KINDS.items() if kind.an_hour}


def test_knobs_reach_their_ends() -> None:
    policies = [plan.rules.policies[0] for plan in MANY]

    assert {policy.held_by for policy in policies} == set(HeldBy)
    assert any(policy.stop_loss is not None and policy.stop_loss <= TIGHT for policy in policies)
    assert {len(plan.instruments) for plan in MANY} >= {1, 2, 6}
    assert {plan.through for plan in MANY} == {"engine", "alpaca"}
    assert any(len(plan.sessions) > 3 for plan in MANY)


@pytest.mark.parametrize("seed", [3, 7])
def test_the_same_plan_gives_the_same_run(seed: int) -> None:
    plan = draw(seed, hours=0.1)

    first, second = play(plan), play(plan)

    assert first == second
    assert first.effects > 0


def test_rules_of_a_stroke_hold_for_its_time_only() -> None:
    for plan in MANY[:50]:
        for stroke in plan.strokes:
            for rule in strokes.rules_of(stroke, plan.start):
                assert rule.since is not None
                assert rule.until is not None
                assert (rule.until - plan.start).total_seconds() <= stroke.at + stroke.seconds + 0.01
                assert rule.label == str(stroke.kind)


def test_a_failing_plan_is_shrunk_to_what_makes_it_fail() -> None:
    plan = draw(9, hours=0.5)
    culprits = {plan.deeds[2], plan.strokes[5]}

    def judged(tried: Plan) -> Outcome:
        fails = culprits <= {*tried.deeds, *tried.strokes}
        return replace(MADE_UP, violation=("S4", "made up") if fails else None)

    shortest, outcome = shrink(plan, judged(plan), runs=400, play_it=judged)

    assert {*shortest.deeds, *shortest.strokes} == culprits
    assert outcome.violation == ("S4", "made up")


MADE_UP = Outcome(seed=0, hours=1, effects=0, kills=0, faults={}, orders=0, at=1e9)


def test_what_a_guard_dies_of_is_the_outcome_and_not_an_error_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(self: object, deed: Deed) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Workload, "do", fails)

    outcome = play(draw(4, hours=0.1))

    assert outcome.violation is not None
    assert outcome.violation[0] == "error"
    assert "RuntimeError: a bug" in outcome.violation[1]


def test_a_journal_that_does_not_verify_is_the_outcome_too() -> None:
    plan = draw(2, hours=0.1)
    killed = replace(plan, strokes=(Stroke(kind=68, at=60.0, seconds=0.0, strength=0.5),))

    with PLANTED["loses_what_it_acknowledged"].switched_on():
        outcome = play(killed)

    assert outcome.kills == 1
    assert outcome.violation is not None
    assert outcome.violation[0] in {"S9", "S10"}
    assert play(killed).held
