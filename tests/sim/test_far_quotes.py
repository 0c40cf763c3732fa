"""A sold option that is offered far from every bid: at the bell, where quotes are withdrawn, in a gap against it."""

from datetime import timedelta

from standfast.exchange.script import Script
from standfast.model.journal import CloseRequested
from standfast.sim.planted.stories_of_spreads import SOLD, Move, market, of_spreads
from standfast.sim.spreads.deeds import single
from standfast.sim.world import World, play
from tests.sim.stories import START, of_kind

USUAL, STUB, GAP = ("4.40", "4.50"), ("0.10", "19.00"), ("8.00", "14.00")
"""It is sold at 4.40 and its stop is at 6.60: the middle of a stub lies beyond, the bid of a gap too."""


def moving(*moves: tuple[float, tuple[str, str]]) -> Script:
    told: list[Move] = [(SOLD, at, *sides) for at, sides in moves]
    return market(*told)


def after_selling(prices: Script, seconds: float) -> list[timedelta]:
    """When closes were decided in that time, since the start."""
    decided: list[timedelta] = []

    async def story(world: World) -> None:
        began = world.now
        await world.start_guard()
        await world.run_for(2)
        await world.submit(single(SOLD, -2, opens=True))
        await world.run_for(seconds)
        decided.extend(entry.at - began for entry in of_kind(await world.entries(), CloseRequested))
        assert world.net(SOLD) == (0 if decided else -2)

    given = of_spreads(story, prices=prices)
    play(story, given.rules, prices, start=START, **given.wishes)
    return decided


def test_quotes_that_are_far_apart_for_a_moment_close_nothing() -> None:
    assert after_selling(moving((60, STUB), (80, USUAL), (120, STUB), (125, USUAL)), 300) == []


def test_a_gap_against_it_is_a_loss_at_once_however_far_the_offer_is() -> None:
    (at,) = after_selling(moving((60, GAP)), 120)

    assert timedelta(seconds=60) <= at <= timedelta(seconds=70)


def test_quotes_that_stay_far_apart_are_judged_at_the_mid_after_two_minutes() -> None:
    (at,) = after_selling(moving((60, STUB)), 300)

    assert timedelta(seconds=180) <= at <= timedelta(seconds=200)
