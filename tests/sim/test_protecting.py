"""The stop under a position: moved without a gap, given back after an edit, kept over the night, never given up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.core.policy import Foreign, HeldBy, Mode, Rung
from standfast.exchange.faults import RateLimited, Rule
from standfast.exchange.orders import Side
from standfast.exchange.script import Script
from standfast.model.journal import CancelIntended, OrderIntended
from standfast.model.position import CloseReason
from standfast.runtime.handover import hand_over
from standfast.sim.world import World, play
from tests.sim.stories import (
    BEFORE_CLOSE,
    NIGHT,
    POLICY,
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
    prices,
    stops,
    the_closed,
    told,
)


def test_a_trailing_stop_climbs_without_a_moment_in_which_nothing_protects() -> None:
    async def story(world: World) -> None:
        await holding(world)
        bare: list[str] = []
        world.engine.listeners.append(lambda event: None if stops(world) else bare.append(event.kind))
        await world.until(lambda: [s.terms.stop_price for s in stops(world)] == [D("103.00")], within=60)
        assert bare == []
        assert not of_kind(await world.entries(), CancelIntended)

    trailing = replace(POLICY, take_profit=None, trailing=(Rung(D("0.01"), D("0.01")),))
    rising = prices((0, "100.00", "100.02"), (20, "102.00", "102.02"), (40, "104.00", "104.02"))
    play(story, replace(RULES, policies=(trailing,)), rising, start=START)


@pytest.mark.parametrize("gain", ["0.999999", "1.5"])
def test_a_short_whose_target_no_price_can_reach_is_covered_all_the_same(gain: str) -> None:
    """The pair was refused for its target's price, and the stop with it, for as long as the position lived."""

    async def story(world: World) -> None:
        await holding(world, -100)
        assert is_covered(world, 100)

    play(story, replace(RULES, policies=(replace(POLICY, take_profit=D(gain)),)), STILL, start=START)


def test_a_stop_that_the_broker_s_rate_turns_away_is_no_reason_to_close_what_was_just_opened() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        world.faults.install(Rule(operation="submit", fault=RateLimited(), count=3, skip=1))
        await world.operate("open", instrument="AAPL", quantity="40")
        await world.until(lambda: is_covered(world, 40), within=120, what="its stop in the end")
        assert world.net() == 40
        assert await closes_asked(world) == []

    play(story, STOP_ONLY, STILL, start=START)


def test_an_outage_while_a_stop_is_missing_is_no_reason_to_close() -> None:
    async def story(world: World) -> None:
        await holding_own(world)
        (stop,) = stops(world)
        await world.cancel(stop)  # somebody, just as the network goes
        world.wire.outage(20)
        await world.until(lambda: is_covered(world, 40), within=60, what="its stop is back")
        assert world.net() == 40
        assert await closes_asked(world) == []

    play(story, STOP_ONLY, STILL, start=START)


def test_the_emergency_stop_that_a_leaving_guard_rests_stays_when_it_is_gone() -> None:
    async def story(world: World) -> None:
        await holding(world)
        assert stops(world) == []
        assert world.account is not None
        await hand_over(world.account)
        world.kill_guard()
        await world.run_for(2)
        assert is_covered(world, 100)
        assert [stop.terms.stop_price for stop in stops(world)] == [D("95.02")]  # 5 % under the entry

    by_guard = replace(POLICY, take_profit=None, held_by=HeldBy.GUARD, emergency_stop=D("0.05"))
    play(story, replace(RULES, policies=(by_guard,)), STILL, start=START)


def test_a_target_that_fills_in_parts_shrinks_its_stop_with_it_and_ends_flat() -> None:
    async def story(world: World) -> None:
        world.engine.rules = replace(world.engine.rules, limited_by_size=True)
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: covered(world) == 100, within=35, what="filled in parts, and all of it covered")
        too_much: list[tuple[object, object]] = []
        world.engine.listeners.append(
            lambda _: too_much.append((covered(world), world.net())) if covered(world) > world.net() else None
        )
        await world.until(lambda: world.net() == 0, within=120, what="sold at its target")
        assert too_much == []
        await world.run_for(30)
        assert is_flat(world)
        assert the_closed(world).pnl == world.truth.realised

    policy = replace(POLICY, take_profit=D("0.05"))
    rising = Script(
        {"AAPL": [(timedelta(0), "100.00", "100.02"), (timedelta(seconds=42), "105.20", "105.22")]}, size=D(30)
    )
    play(story, replace(RULES, policies=(policy,)), rising, start=START)


def test_a_stop_refused_overnight_for_its_price_does_not_sell_at_an_open_that_is_fine_again() -> None:
    """The bot's bracket lapses with the day while the price stands below our stop; by the open it has come back."""

    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(bracket(100, target="130", stop="97"))
        await world.run_for(1000)
        assert world.engine.clock().is_open, "the next session"
        assert world.net() == 100
        assert await closes_asked(world) == []
        assert is_covered(world, 100)

    below = prices((0, "100.00", "100.02"), (125, "96.00", "96.02"), (400, "100.00", "100.02"))
    play(story, STOP_ONLY, below, start=BEFORE_CLOSE, sessions=NIGHT)


def test_in_alert_mode_no_order_is_ever_sent_and_it_is_said_once_an_hour() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.run_for(7300)
        assert world.wire.asked["submit"] + world.wire.asked["cancel"] + world.wire.asked["replace"] == 0
        assert not of_kind(await world.entries(), OrderIntended)
        alarms = await told(world)
        assert 1 <= len(alarms) <= 4, alarms

    play(story, replace(STOP_ONLY, mode=Mode.ALERT, foreign=Foreign.ALERT), STILL, start=START)


def test_a_resting_emergency_stop_that_fills_is_booked_as_one() -> None:
    async def story(world: World) -> None:
        await holding(world)
        (stop,) = stops(world)
        assert stop.terms.stop_price == D("90.02")
        world.kill_guard()  # the rules here would close before
        await world.until(lambda: world.net() == 0, within=30)
        await world.start_guard()
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).close_reason is CloseReason.EMERGENCY_STOP

    both = replace(POLICY, take_profit=None, emergency_stop=D("0.10"), held_by=HeldBy.BOTH)
    falling = prices((0, "100.00", "100.02"), (25, "85.00", "85.02"))
    play(story, replace(RULES, policies=(both,)), falling, start=START)
