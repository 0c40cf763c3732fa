"""How soon a broker that cannot be read is seen and told: the seconds that tests of real processes cannot measure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from standfast.exchange.faults import AnyFault, Cut, NeverArrives, RefusedWith, Reset, Rule
from standfast.exchange.orders import Side
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.model.breaks import BreakKind
from standfast.model.ids import AccountId
from standfast.runtime.worker import Worker
from standfast.sim import guards
from standfast.sim.adapter import EngineBroker
from standfast.sim.strokes import NO_KEY, READS, STREAMS, WRITES
from standfast.sim.world import World, play
from tests.sim.stories import START, STILL, STOP_ONLY, covered, guarded, holding, is_flat, market, the_open, told

SEEN_WITHIN = 16
"""Ten seconds of failing reads, and the poll (5 s) in which the last of them fails."""
TOLD_WITHIN = 60
GONE, SILENT, REFUSED = Reset(), NeverArrives(), RefusedWith(status=401, body=NO_KEY)
TROUBLES = pytest.mark.parametrize("fault", [GONE, SILENT, REFUSED], ids=["gone", "silent", "refused"])


def troubled(world: World, fault: AnyFault) -> None:
    for operation in (*READS, *WRITES):
        world.faults.install(Rule(operation=operation, fault=fault))
    for stream in STREAMS:
        world.faults.install(Rule(operation=f"{stream}_connect", fault=Cut()))
    world.wire.cut("the broker is in trouble")


def is_blind(world: World) -> bool:
    """For the account as a whole."""
    found = world.book.state.breaks.values()
    return any(each.finding.kind is BreakKind.BLIND and each.finding.holding is None for each in found)


async def until_told(world: World, *words: str) -> float:
    """Seconds until people have got an alarm with these words."""
    return await world.until(
        lambda: any(all(word in each.text for word in words) for each in world.people.told),
        within=TOLD_WITHIN,
        what=f"an alarm with {words}",
    )


@TROUBLES
def test_a_broker_that_cannot_be_read_is_blindness_soon_an_alarm_within_a_minute_and_passes(fault: AnyFault) -> None:
    async def story(world: World) -> None:
        await holding(world)
        troubled(world, fault)
        seen = await world.until(lambda: is_blind(world), SEEN_WITHIN, "it is blind")
        assert seen > 5, "one read that fails is no blindness"
        await until_told(world, "the broker cannot be read")
        await world.submit(market(Side.BUY, 10))  # while nobody sees it

        world.faults.clear()

        await world.until(lambda: not is_blind(world), 40, "it sees again")
        await world.until(lambda: covered(world) == world.net() == 110, 20, "what was bought meanwhile is covered")
        assert len(await told(world)) < 5

    play(story, STOP_ONLY, STILL, start=START, exchange=ExchangeRules(refuses_wash_trades=False))


@TROUBLES
def test_it_is_asked_no_more_often_than_on_any_other_day(fault: AnyFault) -> None:
    async def story(world: World) -> None:
        await holding(world)
        troubled(world, fault)
        before = world.wire.asked.total()
        await world.run_for(60)
        assert 0 < world.wire.asked.total() - before <= 60, world.wire.asked

    play(story, STOP_ONLY, STILL, start=START)


@TROUBLES
def test_a_first_start_that_cannot_read_the_broker_tells_people_within_a_minute_and_begins_when_it_can(
    fault: AnyFault,
) -> None:
    async def story(world: World) -> None:
        troubled(world, fault)
        await world.start_guard(wait=False)
        await until_told(world, "the broker cannot be read", "Nothing is guarded until it answers")
        world.faults.clear()
        await world.until(lambda: world.account is not None, 20, "it guards")

    play(story, STOP_ONLY, STILL, start=START)


@TROUBLES
def test_a_broker_that_cannot_be_read_delays_no_other_account_of_the_process(
    fault: AnyFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[World] = []

    class WithAnother(Worker):
        """One more account, at a broker in trouble."""

        async def run(self, restarted: str = "", joining: Sequence[Any] = ()) -> None:
            rules = replace(STOP_ONLY, account=AccountId("troubled"))
            await self.add(rules, EngineBroker(others[0].wire), self.lease_clock)
            await super().run(restarted, joining)

    async def story(world: World) -> None:
        others.append(World(replace(STOP_ONLY, account=AccountId("troubled")), STILL))
        troubled(others[0], fault)
        await guarded(world)
        for _ in range(10):
            await world.submit(market(Side.BUY, 100))
            await world.until(lambda: covered(world) == 100, 2, "the stop")
            await world.run_for(3)
            closed = await world.request("close", seconds=10, position=the_open(world).id)
            assert closed.ok, closed.detail
            assert is_flat(world)
        assert others[0].wire.asked.total() > 5, "the other one is asked all the time"

    monkeypatch.setattr(guards, "Worker", WithAnother)
    play(story, STOP_ONLY, STILL, start=START)
