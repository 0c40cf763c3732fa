"""What simulation has found: one story each, told without chance, kept for ever."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.exchange.faults import EmptyList, Fault, Lost, NeverArrives, Rule, ServerError
from standfast.exchange.orders import Side, Status
from standfast.model.journal import CancelIntended, PositionAdopted
from standfast.sim.world import World, play
from tests.sim.stories import (
    RULES,
    START,
    STILL,
    bracket,
    guarded,
    is_covered,
    market,
    open_positions,
    prices,
    stops,
)

D = Decimal
DEAF = Rule(operation="stream", fault=Lost())
"""A stream that carries nothing: everything is found by the next read."""


@pytest.mark.parametrize("fault", [NeverArrives(), ServerError()], ids=["lost on its way", "refused by a 5xx"])
def test_a_cancel_that_never_arrived_is_asked_for_again_and_the_close_goes_on(fault: Fault) -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), within=2)
        (position,) = open_positions(world)
        closed = await world.request("close", position=position.id, seconds=30)
        assert closed.ok, closed.detail
        assert world.net() == 0

    rule = Rule(operation="cancel", fault=fault, count=1)  # type: ignore[arg-type]  # either of them
    play(story, RULES, STILL, start=START, faults=[rule])


def test_a_cancel_that_could_not_leave_is_asked_for_again_when_the_network_is_back() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), within=2)
        (position,) = open_positions(world)
        world.wire.outage(20)
        closed = await world.request("close", position=position.id, seconds=40)
        assert closed.ok, closed.detail
        assert world.net() == 0
        asked = [entry for entry in await world.entries() if isinstance(entry.fact, CancelIntended)]
        assert len(asked) <= 6, "not in a hot loop"

    play(story, RULES, STILL, start=START)


def test_the_exits_of_a_position_just_closed_are_not_taken_for_cover_of_another() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        opened = await world.request("open", instrument="AAPL", quantity="20")
        assert opened.ok, opened.detail
        await world.submit(market(Side.BUY, 30))
        await world.until(lambda: sum(stop.remaining for stop in stops(world)) == 50, within=5)
        await world.run_for(6)  # until both are in the last list
        kept = next(stop for stop in stops(world) if stop.remaining == 30)
        mine = next(position for position in open_positions(world) if position.held == 20)
        closed = await world.request("close", position=mine.id)
        assert closed.ok, closed.detail
        await world.run_for(10)
        assert [stop.id for stop in stops(world)] == [kept.id], await world.account_of("its stop was taken away")

    play(story, RULES, STILL, start=START)


def test_bare_quantity_is_adopted_at_what_it_cost_and_not_at_the_average_of_everything() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        opened = await world.request("open", instrument="AAPL", quantity="20")
        assert opened.ok, opened.detail
        await world.run_for(20)
        await world.submit(market(Side.BUY, 30))
        await world.until(lambda: len(open_positions(world)) == 2, within=20, what="the extra 30 is adopted")
        adopted = [entry.fact for entry in await world.entries() if isinstance(entry.fact, PositionAdopted)]
        assert [round(fact.price, 6) for fact in adopted] == [D("99.52")]
        world.faults.clear()
        done = await world.request("flatten")
        assert done.ok, done.detail
        booked = sum(position.pnl for position in world.book.state.closed.values())
        assert abs(booked - world.truth.realised) < D("0.000001")

    blind_to_fills = Rule(operation="activities", fault=EmptyList(), since=START + timedelta(seconds=15))
    falling = prices((0, "100.00", "100.02"), (10, "99.50", "99.52"))
    play(story, RULES, falling, start=START, faults=[DEAF, blind_to_fills])


def test_the_bot_s_loose_exits_count_for_the_position_that_has_none() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 40))
        await world.until(lambda: is_covered(world, 40), within=20)
        await world.submit(bracket(30, target="130", stop="97"))
        await world.until(lambda: len(open_positions(world)) == 2, within=20, what="the extra 30 is adopted")
        before = len(world.tape)
        await world.run_for(20)
        assert sorted(stop.remaining for stop in stops(world)) == [30, 40]
        assert world.tape[before:] == [], "nothing was placed beside the bracket, nothing taken away"

    blind_to_fills = Rule(operation="activities", fault=EmptyList(), since=START + timedelta(seconds=15))
    play(story, RULES, STILL, start=START, faults=[DEAF, blind_to_fills])


def test_a_stop_placed_on_a_fill_not_yet_booked_can_be_moved() -> None:
    """Its position's booked quantity is still zero then, which is no quantity to reduce."""

    async def story(world: World) -> None:
        await guarded(world)
        await world.operate("open", instrument="AAPL", quantity="20", stop="95")
        await world.until(lambda: is_covered(world, 20), within=2)
        (position,) = open_positions(world)
        assert position.opened == 0, "no fill is booked"
        moved = await world.request("protect", position=position.id, stop="96", seconds=20)
        assert moved.ok, moved.detail
        assert [stop.terms.stop_price for stop in stops(world) if stop.status is not Status.CANCELED] == [D("96")]

    no_target = replace(RULES, policies=(replace(RULES.policies[0], take_profit=None),))
    blind_to_fills = Rule(operation="activities", fault=ServerError(), since=START + timedelta(seconds=2))
    play(story, no_target, STILL, start=START, faults=[blind_to_fills])


def test_while_orders_cannot_be_read_a_guard_does_not_look_more_and_more_often() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        for operation in ("order", "orders"):
            world.faults.install(Rule(operation=operation, fault=ServerError()))
        await world.submit(market(Side.BUY, 100))
        await world.run_for(60)
        assert world.account is not None
        before = world.account.cycles
        await world.run_for(60)
        first, before = world.account.cycles - before, world.account.cycles
        await world.run_for(60)
        assert world.account.cycles - before <= 1.2 * first

    play(story, RULES, STILL, start=START)
