"""A bot that trades the same account and knows nothing of us. Its plain buy beside our resting stop is the broker's to
refuse (a wash trade): nothing here can change that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.core.policy import Foreign, Policy
from standfast.exchange.faults import Lost, Rule, Stale
from standfast.exchange.orders import OrderClass, Side
from standfast.exchange.rules import Rules as ExchangeRules
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
    bracket,
    closes_asked,
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


def test_a_bracket_left_too_large_by_a_sale_that_overtook_it_is_replaced_by_exits_of_the_right_size() -> None:
    """Its legs are not live yet when the bot sells, so nothing is reserved; all of it filled, they would go short."""

    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(bracket(35, target="130", stop="97"))
        await world.submit(market(Side.SELL, 28))
        await world.until(lambda: world.net() == 7, within=5)
        await world.until(lambda: covered(world) == 7 == len(stops(world)) * 7, within=20, what="one stop for 7")
        await world.run_for(30)
        assert is_covered(world, 7)
        assert any("more is covered than is held" in text for text in await told(world))

    slow = ExchangeRules(accept_after=timedelta(milliseconds=300), fill_after=timedelta(milliseconds=5))
    play(story, STOP_ONLY, STILL, start=START, exchange=slow)


def test_lots_that_sales_have_shifted_under_the_bot_s_brackets_are_each_covered_for_what_they_hold() -> None:
    """A sale takes the oldest lot first, whose bracket then holds the quantity that the other lot's stop needs."""

    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(bracket(28, target="130", stop="97"))
        await world.run_for(15)
        await world.submit(market(Side.BUY, 25))
        await world.submit(market(Side.SELL, 25))
        await world.until(lambda: world.net() == 28 and len(open_positions(world)) == 2, within=5)
        await world.until(lambda: sorted(s.remaining for s in stops(world)) == [3, 25], within=60, what="3 and 25")
        await world.run_for(60)
        assert covered(world) == world.net() == 28
        assert not world.book.state.breaks

    without_wash_trades = ExchangeRules(refuses_wash_trades=False)
    play(story, STOP_ONLY, STILL, start=START, exchange=without_wash_trades)


def test_an_opening_of_ours_that_a_sale_of_the_bot_overtakes_is_netted_and_nothing_is_held_both_ways() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.operate("open", instrument="AAPL", quantity="5")
        await world.submit(market(Side.SELL, 33))
        await world.until(lambda: world.net() == -28, within=5)
        await world.until(lambda: is_covered(world, 28), within=20, what="28 short are covered")
        await world.run_for(15)
        (position,) = open_positions(world)
        assert position.net == -28
        assert not world.book.state.breaks
        booked = sum(p.pnl for p in (*world.book.state.closed.values(), position))
        assert booked == world.truth.realised

    delay = timedelta(milliseconds=300)
    slow = ExchangeRules(accept_after=delay, fill_after=delay, refuses_wash_trades=False)
    play(story, STOP_ONLY, STILL, start=START, exchange=slow)


def test_what_a_bot_sells_short_right_after_an_opening_of_ours_was_refused_is_its_own_wish() -> None:
    """Nothing of ours was closed, so nothing crossed."""

    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.SELL, 33))
        refused = await world.request("open", instrument="AAPL", quantity="5")
        assert not refused.ok
        assert "wash trade" in refused.detail
        await world.until(lambda: is_covered(world, 33), within=20, what="33 short are adopted and covered")
        await world.run_for(30)
        assert world.net() == -33
        assert await closes_asked(world) == []

    slow = ExchangeRules(accept_after=timedelta(milliseconds=300), fill_after=timedelta(milliseconds=500))
    play(story, STOP_ONLY, STILL, start=START, exchange=slow)
