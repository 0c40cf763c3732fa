"""Each fault in a calm account of perpetual futures, at either exchange: it strikes, and no promise is broken."""

from dataclasses import replace

import pytest

from standfast.sim.catalogue import KINDS
from standfast.sim.chaos import REAL_SECONDS, play
from standfast.sim.loop import run
from standfast.sim.perpetual.play import PerpPlayed
from standfast.sim.plan import Plan
from standfast.sim.planted.of_perpetuals import calm
from standfast.sim.strokes import Stroke

both = pytest.mark.parametrize("at", ["bybit", "binance"])
IDS, NAMES, WORDS = 21, 34, 36
TWO_GUARDS, HAND_OVER, PAUSED = 73, 74, 56
SPOILT = {IDS: 0.9, NAMES: 0.6, WORDS: 0.6}
"""Kinds that spoil answers, and how badly."""


def with_strokes(at: str, *strokes: Stroke) -> Plan:
    return replace(calm(at, hedged=False), strokes=strokes)


@both
@pytest.mark.parametrize("kind", SPOILT, ids=lambda kind: KINDS[kind].name)
def test_answers_that_say_what_is_not_so_break_no_promise(at: str, kind: int) -> None:
    outcome = play(
        with_strokes(
            at, *(Stroke(kind=kind, at=5 + 120.0 * n, seconds=120, strength=SPOILT[kind], draw=n) for n in range(5))
        )
    )

    assert outcome.faults[kind] > 10
    assert outcome.violation is None


@both
@pytest.mark.parametrize("kind", [TWO_GUARDS, HAND_OVER, PAUSED], ids=lambda kind: KINDS[kind].name)
def test_another_guard_of_the_same_account_breaks_no_promise(at: str, kind: int) -> None:
    plan = with_strokes(at, *(Stroke(kind=kind, at=50.0 + 150 * n, seconds=60, strength=0.5, draw=n) for n in range(4)))
    played = played_through(plan)

    assert played.violation is None
    assert played.world.keeper.lives >= 3, "there were others"


@both
def test_quotes_come_on_the_stream_where_there_is_one_and_are_polled_where_not(at: str) -> None:
    plan = calm(at, hedged=False)
    assert plan.perps is not None

    streamed, polled = played_through(plan), played_through(replace(plan, perps=replace(plan.perps, streams=False)))

    assert streamed.violation is polled.violation is None
    assert quotes_asked(polled) > 10 * quotes_asked(streamed) > 0


def played_through(plan: Plan) -> PerpPlayed:
    played = PerpPlayed(plan)
    run(played.through(), start=plan.start, real_seconds=REAL_SECONDS)
    return played


def quotes_asked(played: PerpPlayed) -> int:
    return sum(count for path, count in played.world.wire.asked.items() if "ticker" in path)
