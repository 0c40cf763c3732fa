"""Trades taken back, pairs whose other half ends late, a machine without memory: in the whole guard, judged."""

from datetime import timedelta

import pytest

from standfast.exchange.orders import Side
from standfast.exchange.rules import Rules
from standfast.model.alert import Severity
from standfast.model.journal import AlertRaised, GuardFailed
from standfast.sim.effects import Anomaly, Kind
from standfast.sim.judge.checker import Checker
from standfast.sim.world import World, play
from tests.sim.stories import (
    RULES,
    START,
    STILL,
    STOP_ONLY,
    holding,
    holding_own,
    is_covered,
    is_flat,
    market,
    of_kind,
    open_positions,
    prices,
    the_open,
    told,
)

THROUGH = pytest.mark.parametrize("through", ["engine", "alpaca"])


async def judged(world: World, checker: Checker) -> None:
    checker.quiet()
    await world.run_for(150)
    await checker.finish()


def watched(world: World) -> Checker:
    checker = Checker(world)
    world.watchers.append(checker)
    return checker


def take_back_the_last(world: World) -> None:
    world.engine.bust(world.rules.account, world.truth.fills[-1].execution_id)


@THROUGH
def test_a_purchase_taken_back_leaves_nothing_held_and_no_stop(through: str) -> None:
    async def story(world: World) -> None:
        checker = watched(world)
        await holding(world)
        take_back_the_last(world)
        await world.until(lambda: is_flat(world), within=60, what="its stop is gone too")
        await world.run_for(15)
        assert sum(position.held for position in open_positions(world)) == 0
        assert any("taken back" in text for text in await told(world))
        await judged(world, checker)

    play(story, STOP_ONLY, STILL, start=START, through=through)


@THROUGH
def test_a_sale_taken_back_is_a_position_again_and_covered(through: str) -> None:
    async def story(world: World) -> None:
        checker = watched(world)
        position = await holding(world)
        assert (await world.request("close", position=position.id)).ok
        await world.run_for(15)
        take_back_the_last(world)
        await world.until(lambda: is_covered(world, 100), within=60, what="it is covered again")
        assert the_open(world).id == position.id
        await judged(world, checker)

    play(story, STOP_ONLY, STILL, start=START, through=through)


def test_what_a_late_other_exit_takes_is_booked_and_the_rest_is_covered() -> None:
    """The target fills; before the pair's stop has ended the price falls through it: it takes of the rest."""
    fall = prices((0, "100.00", "100.02"), (30, "131.00", "131.02"), (31, "90.00", "90.02"))

    async def story(world: World) -> None:
        await holding_own(world)
        await world.submit(market(Side.BUY, 100))
        await world.run_for(60)
        assert world.net() == sum(position.held for position in open_positions(world))

    play(
        story,
        RULES,
        fall,
        start=START,
        exchange=Rules(siblings_end_after=timedelta(seconds=5), refuses_wash_trades=False),
    )


def test_a_guard_without_memory_is_started_again_and_is_not_halted() -> None:
    """Twice at the same entry: a bug would have it watch and send nothing from then on."""

    async def story(world: World) -> None:
        checker = watched(world)
        await holding(world)
        for _ in range(3):
            world.effects.plan(Anomaly(Kind.EXHAUST, world.effects.count + 4))
            await world.run_for(12)
        assert [happened.name.split()[0] for happened in world.effects.struck] != []
        assert len(world.effects.struck) == 3
        assert world.keeper.lives == 4
        account = world.account
        assert account is not None
        assert not account.halted
        entries = await world.entries()
        assert of_kind(entries, GuardFailed) == []
        said = [e.fact for e in entries if isinstance(e.fact, AlertRaised) and "restarted" in e.fact.text]
        assert [each.severity for each in said] == [Severity.CRITICAL] * 3
        assert is_covered(world, 100)
        await judged(world, checker)

    play(story, STOP_ONLY, STILL, start=START, restart_after=0.5)
