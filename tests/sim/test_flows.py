"""Exhaustive anomalies: what each flow does when nothing goes wrong, and a slice of all that can.

`standfast drill fuzz --flows` plays every point; here every kind strikes every flow at effects drawn anew for each run.
"""

import random

import pytest

from standfast.model.journal import CancelAnswered, GuardStarted, PositionSettled
from standfast.model.position import CloseReason
from standfast.sim import flows
from standfast.sim.effects import Kind
from standfast.sim.flows import Flow, Point, Telling
from standfast.sim.world import World, play
from tests.sim.stories import RULES, START, STILL

SLICE = 10
"""Points of each flow."""


def told(flow: str) -> Telling:
    telling = flows.tell(Point(flow))
    assert telling.violation is None
    return telling


def settled(telling: Telling) -> list[CloseReason]:
    facts = [entry.fact for entry in telling.world.entries_now()]
    return [fact.reason for fact in facts if isinstance(fact, PositionSettled)]


def test_an_opening_ends_covered() -> None:
    for name in ("open", "stop-refused"):
        telling = told(name)
        assert telling.held == 40
        assert telling.covered == 40


def test_an_opening_whose_stop_is_refused_for_good_is_rolled_back() -> None:
    telling = told("roll-back")
    assert telling.held == telling.covered == 0
    assert settled(telling) == [CloseReason.ROLLBACK]


def test_a_close_ends_flat() -> None:
    telling = told("close")
    assert telling.held == telling.covered == 0
    assert settled(telling) == [CloseReason.OPERATOR]


def test_the_stop_wins_the_race_against_the_close() -> None:
    telling = told("close-races-stop")
    assert telling.held == telling.covered == 0
    assert settled(telling) == [CloseReason.STOP_LOSS]
    facts = [entry.fact for entry in telling.world.entries_now()]
    assert [fact.outcome for fact in facts if isinstance(fact, CancelAnswered)] == ["refused"]


def test_what_was_bought_while_nobody_guarded_is_adopted() -> None:
    assert told("adopt").covered == 40
    assert told("restart").covered == 80


def test_the_second_guard_finishes_what_the_first_began() -> None:
    telling = told("takeover")
    assert settled(telling) == [CloseReason.OPERATOR]
    entries = telling.world.entries_now()
    started = [entry.epoch for entry in entries if isinstance(entry.fact, GuardStarted)]
    ended = [entry.epoch for entry in entries if isinstance(entry.fact, PositionSettled)]
    assert started[1] == ended[0] > started[0]


def test_a_guard_that_is_dismissed_is_not_started_again_even_if_it_has_just_ended() -> None:
    async def story(world: World) -> tuple[int, int]:
        await world.start_guard()
        world.keeper.start("second")
        await world.run_for(20.5)  # it has found no lease, has ended, and is to be started again
        assert not world.guards["second"].is_alive
        lives = world.keeper.lives
        world.keeper.dismiss("second")
        await world.run_for(60)
        return lives, world.keeper.lives

    lives, later = play(story, RULES, STILL, start=START, restart_after=1.0)

    assert lives == later == 2


@pytest.mark.parametrize("flow", flows.FLOWS, ids=lambda flow: flow.name)
def test_no_effect_at_which_it_goes_wrong_breaks_a_promise(flow: Flow) -> None:
    plain = flows.play(Point(flow.name))
    every = [Point(flow.name, kind, number) for kind in Kind for number in range(1, plain.effects + 1)]
    report = flows.play_some(random.SystemRandom().sample(every, SLICE))
    assert not report.missed
    assert not report.violations, report.violations[0]


def test_up_to_its_anomaly_a_telling_is_the_one_that_was_counted() -> None:
    plain = flows.tell(Point("close"))
    failed = flows.tell(Point("close", Kind.KILL, 20))
    at = failed.world.effects.struck[0].number
    assert failed.world.effects.log[:at] == plain.world.effects.log[:at]
    assert failed.world.keeper.kills == 1


def test_a_point_is_named_and_found_again() -> None:
    for point in (Point("open", Kind.FAIL_ON, 3), Point("takeover", Kind.KILL, 14)):
        assert flows.named(point.name) == point
    for wrong in ("open", "open:kill", "open:kill:x", "opens:kill:3", "open:drown:3"):
        with pytest.raises(ValueError, match="FLOW:KIND:NUMBER"):
            flows.named(wrong)
