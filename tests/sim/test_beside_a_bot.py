"""A bot that trades the same account and knows nothing of us. Its plain buy beside our resting stop is the broker's to
refuse (a wash trade): nothing here can change that."""

from dataclasses import replace

import pytest

from standfast.core.policy import Foreign, Policy
from standfast.exchange.faults import Lost, Rule, Stale
from standfast.exchange.orders import OrderClass, Side
from standfast.model.journal import OrderIntended
from standfast.model.position import CloseReason
from standfast.sim import translate
from standfast.sim.world import World, play
from tests.sim.stories import (
    BY_GUARD,
    RULES,
    START,
    STILL,
    STOP_ONLY,
    D,
    covered,
    guarded,
    holding,
    holding_own,
    is_covered,
    is_flat,
    market,
    of_kind,
    open_positions,
    prices,
    resting_stop,
    stops,
    the_closed,
    told,
)


def test_a_bot_that_cancels_our_stop_may_sell_right_after_and_nothing_is_left_behind() -> None:
    async def story(world: World) -> None:
        await holding(world)
        (stop,) = stops(world)
        await world.cancel(stop)
        await world.run_for(0.5)
        await world.submit(market(Side.SELL, 100))
        await world.until(lambda: world.book.state.closed, within=10)
        await world.run_for(60)
        assert is_flat(world)
        assert the_closed(world).close_reason is CloseReason.BOT_EXIT
        assert the_closed(world).pnl == world.truth.realised

    play(story, STOP_ONLY, STILL, start=START)


def test_a_stop_that_somebody_cancels_is_back_after_five_seconds_and_later_each_time() -> None:
    async def story(world: World) -> None:
        await holding(world)
        for wait in (5, 15):
            (stop,) = stops(world)
            await world.cancel(stop)
            took = await world.until(lambda: is_covered(world, 100), within=wait + 2)
            assert took >= wait

    play(story, STOP_ONLY, STILL, start=START)


def test_a_bot_that_cancels_our_pair_of_exits_and_sells_is_not_turned_around_by_a_pair_on_its_way() -> None:
    async def story(world: World) -> None:
        await holding(world)
        (pair,) = [
            order for order in world.working() if order.order_class is OrderClass.OCO and order.parent_id is None
        ]
        before = len(of_kind(await world.entries(), OrderIntended))
        await world.cancel(pair)
        await world.submit(market(Side.SELL, 100))
        await world.run_for(30)
        assert is_flat(world)
        assert len(of_kind(await world.entries(), OrderIntended)) == before

    play(story, RULES, STILL, start=START)


def test_flatten_everything_takes_the_bot_s_own_stop_away_and_closes() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(1)
        await world.submit(resting_stop(100, "90"))
        await guarded(world)
        await world.run_for(20)
        done = await world.request("flatten", everything="true")
        assert done.ok, done.detail
        assert is_flat(world)

    play(story, STOP_ONLY, STILL, start=START)


def test_flatten_everything_closes_what_was_held_before_and_never_adopted() -> None:
    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 100))
        await world.run_for(1)
        await guarded(world)
        await world.run_for(20)
        assert open_positions(world) == []
        done = await world.request("flatten", everything="true")
        assert done.ok, done.detail
        assert world.net() == 0

    play(story, replace(STOP_ONLY, foreign=Foreign.ALERT), STILL, start=START)


def test_a_second_opening_beside_a_resting_stop_of_ours_is_filled_and_both_are_covered() -> None:
    async def story(world: World) -> None:
        await holding_own(world, 40)
        second = await world.request("open", instrument="AAPL", quantity="10")
        assert second.ok, second.detail
        await world.until(lambda: covered(world) == 50, within=10, what="50 are covered")
        assert world.net() == 50

    play(story, STOP_ONLY, STILL, start=START)


def test_a_close_of_ours_and_the_bot_s_own_that_cross_are_put_right_and_told() -> None:
    """The broker is not told which way our order is meant, so the second one sold opens a short."""

    async def story(world: World) -> None:
        position = await holding(world)
        blind = [Rule(operation=name, fault=Stale(age=9)) for name in ("positions", "activities")]
        world.faults.install(*blind, Rule(operation="stream", fault=Lost()))
        await world.submit(market(Side.SELL, 100))
        await world.run_for(0.3)
        await world.operate("close", position=position.id)
        await world.run_for(20)
        world.faults.clear()
        await world.until(lambda: world.net() == 0 and not open_positions(world), within=60, what="flat again")
        assert any("turned AAPL around" in text for text in await told(world))
        await world.run_for(60)
        assert is_flat(world)

    with pytest.MonkeyPatch.context() as patch:
        said = translate.ticket
        patch.setattr(translate, "ticket", lambda *terms: replace(said(*terms), intent=None))
        play(story, BY_GUARD, STILL, start=START)


RISING = prices((0, "100.00", "100.02"), (20, "103.90", "103.92"), (90, "107.50", "107.52"))


def test_the_stop_of_one_short_lot_that_a_jump_leaves_unfilled_is_closed_and_the_other_lot_kept() -> None:
    """A buy stop triggers into a collar: a price that has jumped over it does not fill it."""

    async def story(world: World) -> None:
        world.engine.rules = replace(world.engine.rules, refuses_wash_trades=False)
        await holding(world, -50)
        await world.run_for(15)  # at 103.90 by now
        await world.submit(market(Side.SELL, 50))
        await world.until(lambda: world.net() == -50, within=120, what="the first lot is bought back")
        await world.run_for(60)
        assert world.net() == -50
        assert the_closed(world).entry_price == D("100.00")
        assert [(stop.side, stop.remaining) for stop in stops(world)] == [(Side.BUY, D(50))]

    wide = replace(RULES, policies=(Policy(name="default", stop_loss=D("0.04")),))
    play(story, wide, RISING, start=START)
