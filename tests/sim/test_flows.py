"""Exhaustive anomalies: what each flow does when nothing goes wrong, and a slice of all that can.

`standfast drill fuzz --flows` plays every point; here every kind strikes every flow at effects drawn anew for each run.
"""

import random
from collections.abc import Sequence
from itertools import islice

import pytest

from standfast.model.journal import CancelAnswered, GuardStarted, PositionSettled
from standfast.model.position import CloseReason
from standfast.sim import flows
from standfast.sim.effects import Kind
from standfast.sim.flow_points import DIES_TWICE, RECOVERY, Point, doubles, pairs, singles
from standfast.sim.flows import Flow, Telling
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
    nothing_broken(random.SystemRandom().sample(every, SLICE))


def nothing_broken(points: Sequence[Point]) -> None:
    report = flows.play_some(points)
    assert not report.missed, [point.name for point in report.missed]
    assert not report.violations, f"{report.violations[0].point.name}: {report.violations[0]}"


@pytest.fixture(scope="module")
def effects() -> dict[str, int]:
    """How many each flow has."""
    return {played.point.flow: played.effects for played in flows.count()}


@pytest.mark.parametrize("flow", DIES_TWICE)
def test_neither_does_a_second_death_in_the_recovery(flow: str, effects: dict[str, int]) -> None:
    every = list(doubles({flow: effects[flow]}))
    assert len(every) == effects[flow] * RECOVERY
    nothing_broken(random.SystemRandom().sample(every, SLICE // 2))


def test_a_recovery_makes_no_more_effects_than_are_tried() -> None:
    """From the death until the new life has looked once at everything it has read."""
    for flow in DIES_TWICE:
        log = flows.tell(Point(flow, Kind.KILL, 12)).world.effects.log
        (died,) = (at for at, each in enumerate(log) if each.process == "guard-1" and log[at + 1].process != "guard-1")
        began = next(at for at, each in enumerate(log) if each.process != "guard-1" and each.name == "answer account")
        assert began - died < RECOVERY, flow


def test_nor_do_two_anomalies_of_any_kind(effects: dict[str, int]) -> None:
    drawn = list(islice(pairs(effects, first=random.SystemRandom().randrange(10**9)), 2 * SLICE))
    nothing_broken(drawn)


def test_pairs_are_drawn_from_their_numbers(effects: dict[str, int]) -> None:
    assert list(islice(pairs(effects, 8), 2)) == list(islice(pairs(effects, 7), 3))[1:]


def test_nor_does_one_through_the_real_adapter() -> None:
    effects = {played.point.flow: played.effects for played in flows.count("alpaca")}
    nothing_broken(random.SystemRandom().sample(list(singles(effects, "alpaca")), 2 * SLICE))


def test_up_to_its_anomaly_a_telling_is_the_one_that_was_counted() -> None:
    plain = flows.tell(Point("close"))
    failed = flows.tell(Point("close", Kind.KILL, 20))
    at = failed.world.effects.struck[0].number
    assert failed.world.effects.log[:at] == plain.world.effects.log[:at]
    assert failed.world.keeper.kills == 1


def test_a_point_is_named_and_found_again() -> None:
    twice = Point("close", Kind.KILL, 12, Kind.FAIL_ON, 3)
    adapted = Point("close", Kind.EXHAUST, 12, through="alpaca")
    for point in (Point("open", Kind.FAIL_ON, 3), Point("takeover", Kind.KILL, 14), twice, adapted):
        assert flows.named(point.name) == point
    assert twice.name == "close:kill:12+fail-on:3"
    assert adapted.name == "close:exhaust:12@alpaca"
    for wrong in ("open", "open:kill", "open:kill:x", "opens:kill:3", "open:drown:3", "open:kill:3+", "open:kill:3@x"):
        with pytest.raises(ValueError, match="FLOW:KIND:NUMBER"):
            flows.named(wrong)
