"""What is found at the broker: taken in at prices that sell nothing, and then kept like anything else."""

from dataclasses import replace

import pytest

from standfast.core.policy import Foreign, HeldBy
from standfast.exchange.orders import Side
from standfast.model.journal import PositionAdopted
from standfast.sim.world import World, play
from tests.sim.stories import (
    POLICY,
    RULES,
    START,
    STILL,
    STOP_ONLY,
    D,
    closes_asked,
    guarded,
    is_covered,
    market,
    of_kind,
    prices,
    resting_stop,
    stops,
    the_closed,
    the_open,
)


def test_what_its_owner_has_held_at_a_loss_is_kept_and_its_stop_hangs_from_the_price_of_that_moment() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(30)  # a third lower by now
        await guarded(world)
        await world.run_for(60)
        assert world.net() == 100
        assert await closes_asked(world) == []
        position = the_open(world)
        assert (position.entry_price, position.anchor, position.gain_anchor) == (D("100.02"), D("70.01"), D("100.02"))
        assert [stop.terms.stop_price for stop in stops(world)] == [D("68.61")]  # 70.01 less 2 %, to the market's side

    play(story, STOP_ONLY, prices((0, "100.00", "100.02"), (10, "70.00", "70.02")), start=START)


def test_what_has_long_passed_its_target_is_not_sold_and_its_target_hangs_from_the_price_of_that_moment() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(30)
        await guarded(world)
        await world.run_for(60)
        assert world.net() == 100
        assert await closes_asked(world) == []
        (target,) = [order for order in world.working() if order.terms.limit_price is not None]
        assert target.terms.limit_price == D("195.01")  # 150.01 and 30 %
        assert [stop.terms.stop_price for stop in stops(world)] == [D("98.02")]  # from the entry

    play(story, RULES, prices((0, "100.00", "100.02"), (10, "150.00", "150.02")), start=START)


def test_adoption_waits_until_there_is_a_quote() -> None:
    async def story(world: World) -> None:
        bought = await world.submit(market(Side.BUY, 100))
        world.engine.fill_now(bought.id, D(100), D("100.02"))  # before the feed has said anything
        await guarded(world)
        await world.run_for(20)
        assert world.working() == []
        assert not of_kind(await world.entries(), PositionAdopted)
        await world.until(lambda: is_covered(world, 100), within=30, what="adopted once it was quoted")
        assert the_open(world).anchor == D("90.01")

    play(story, STOP_ONLY, prices((30, "90.00", "90.02")), start=START)


@pytest.mark.parametrize(
    ("side", "bid", "ask", "stop"), [(Side.BUY, "1.00", "100.02", "98.01"), (Side.SELL, "100.00", "19999.00", "102.01")]
)
def test_a_quote_too_wide_to_say_the_price_is_none_to_figure_a_stop_from(
    side: Side, bid: str, ask: str, stop: str
) -> None:
    """As brokers send them at night. Its middle put the stop at half the price, or at a hundred times it, for good."""

    async def story(world: World) -> None:
        await world.submit(market(side, 100))
        await world.run_for(3)
        await guarded(world)
        await world.run_for(20)
        assert stops(world) == []
        await world.until(lambda: is_covered(world, 100), within=30, what="covered once there is a price")
        assert [each.terms.stop_price for each in stops(world)] == [D(stop)]

    play(story, STOP_ONLY, prices((0, "100.00", "100.02"), (2, bid, ask), (30, "100.00", "100.02")), start=START)


def test_a_market_that_is_always_that_wide_is_waited_for_two_minutes_and_no_longer() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(3)
        await guarded(world)
        await world.run_for(100)
        assert stops(world) == []
        await world.until(lambda: is_covered(world, 100), within=60, what="covered at the price there is")
        assert [each.terms.stop_price for each in stops(world)] == [D("78.40")]

    play(story, STOP_ONLY, prices((0, "100.00", "100.02"), (2, "80.00", "100.02")), start=START)


def test_what_is_only_to_be_closed_waits_for_no_better_quote() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(3)
        await guarded(world)
        done = await world.request("flatten", everything="true")
        assert done.ok, done.detail
        assert world.net() == 0

    ignoring = replace(STOP_ONLY, foreign=Foreign.ALERT)
    play(story, ignoring, prices((0, "100.00", "100.02"), (2, "60.00", "100.02")), start=START)


def test_a_stop_of_the_bot_far_below_ours_does_not_turn_ours_off() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(1)
        await world.submit(resting_stop(100, "50"))
        await guarded(world)
        await world.run_for(20)
        assert [stop.terms.stop_price for stop in stops(world)] == [D("50")], "nothing is placed beside it"
        await world.until(lambda: world.net() == 0, within=80, what="closed at the policy's stop")
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).exit_price == D("80.00")
        assert world.working() == []

    play(story, STOP_ONLY, prices((0, "100.00", "100.02"), (60, "80.00", "80.02")), start=START)


def test_a_stop_limit_of_the_bot_that_the_price_has_jumped_over_is_taken_away_and_the_position_closed() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(1)
        await world.submit(resting_stop(100, "98.50", limit="98.40"))
        await guarded(world)
        await world.until(lambda: world.net() == 0, within=100, what="closed beyond the stop limit")
        await world.until(lambda: world.book.state.closed, within=10)
        assert world.working() == []
        assert the_closed(world).exit_price == D("80.00")

    play(story, STOP_ONLY, prices((0, "100.00", "100.02"), (60, "80.00", "80.02")), start=START)


def test_an_adoption_undone_takes_its_stop_away_and_is_not_made_again() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(1)
        await guarded(world)
        await world.until(lambda: is_covered(world, 100), within=30)
        (adopted,) = of_kind(await world.entries(), PositionAdopted)
        undone = await world.request("undo", entry=str(adopted.number))
        assert undone.ok, undone.detail
        await world.run_for(60)
        assert world.net() == 100
        assert stops(world) == []
        assert len(of_kind(await world.entries(), PositionAdopted)) == 1

    play(story, STOP_ONLY, STILL, start=START)


def test_what_is_somebody_else_s_does_not_turn_off_the_stop_of_what_is_ours() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        opened = await world.request("open", instrument="AAPL", quantity="40")
        assert opened.ok, opened.detail
        await world.run_for(15)
        await world.submit(market(Side.BUY, 60))
        await world.until(lambda: world.net() == 60, within=90, what="our 40 are closed at their stop")
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).exit_price == D("80.00")
        await world.run_for(60)
        assert world.net() == 60

    by_guard = replace(
        RULES, policies=(replace(POLICY, take_profit=None, held_by=HeldBy.GUARD),), foreign=Foreign.ALERT
    )
    play(story, by_guard, prices((0, "100.00", "100.02"), (60, "80.00", "80.02")), start=START)
