"""What the reader makes of lists that leave rows out, in the whole guard against the exchange."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from standfast.core.policy import Foreign, Mode, Policy, Rules
from standfast.exchange.faults import PartialList, RefusedWith, Rule, ServerError, Slow
from standfast.exchange.orders import Order, OrderType, Side, Terms, Ticket, TimeInForce
from standfast.exchange.script import Script
from standfast.model.effects import Urgency
from standfast.model.ids import AccountId, Holding
from standfast.model.journal import OrderIntended
from standfast.sim.adapter import EngineBroker
from standfast.sim.world import World, play

D = Decimal
START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
RULES = Rules(
    account=AccountId("sim"),
    mode=Mode.REPAIR,
    foreign=Foreign.ADOPT,
    policies=(Policy(name="default", stop_loss=D("0.02")),),
)
STILL = Script({"AAPL": [(timedelta(0), "100.00", "100.02")]})
NO_STOPS = RefusedWith(status=403, body={"code": 40310000, "message": "no"})
OUT = 20


async def with_a_loose_stop(world: World) -> Order:
    """The bot holds 100 under a stop of its own, which belongs to no order the guard knows."""
    await world.start_guard()
    await world.run_for(2)
    await world.submit(Ticket(terms=Terms(instrument="AAPL", side=Side.BUY, quantity=D(100))))
    stop = Terms(
        instrument="AAPL",
        side=Side.SELL,
        quantity=D(100),
        type=OrderType.STOP,
        stop_price=D("98.50"),
        time_in_force=TimeInForce.GTC,
    )
    order = await world.submit(Ticket(terms=stop))
    await world.run_for(20)
    return order


def left_out(world: World, operation: str, fault: PartialList | ServerError) -> None:
    until = world.now + timedelta(seconds=OUT)
    world.faults.install(Rule(operation=operation, fault=fault, since=world.now, until=until))


async def intended(world: World) -> int:
    return len([entry for entry in await world.entries() if isinstance(entry.fact, OrderIntended)])


def test_beside_a_loose_stop_that_a_list_leaves_out_no_other_is_placed() -> None:
    async def story(world: World) -> None:
        await with_a_loose_stop(world)
        before = await intended(world)
        left_out(world, "orders", PartialList(without=("AAPL",)))
        await world.run_for(OUT + 20)
        assert await intended(world) == before, await world.account_of("an order was meant")

    play(story, RULES, STILL, start=START)


def test_neither_is_one_while_nobody_can_say_what_became_of_it() -> None:
    async def story(world: World) -> None:
        await with_a_loose_stop(world)
        before = await intended(world)
        left_out(world, "orders", PartialList(without=("AAPL",)))
        left_out(world, "order", ServerError(status=503))
        await world.run_for(OUT + 20)
        assert await intended(world) == before, await world.account_of("an order was meant")

    play(story, RULES, STILL, start=START)


def test_one_that_is_truly_gone_is_replaced_within_two_seconds() -> None:
    async def story(world: World) -> None:
        stop = await with_a_loose_stop(world)
        await world.cancel(stop)

        def is_covered() -> bool:
            return [order.terms.stop_price for order in world.working()] == [D("98.02")]

        await world.until(is_covered, within=2, what="the guard's own stop")

    play(story, RULES, STILL, start=START)


def test_what_was_bought_and_sold_while_nobody_could_read_is_booked_whole_before_anything_is_sent_for_it() -> None:
    async def story(world: World) -> None:
        await world.start_guard()
        await world.run_for(2)
        world.wire.outage(130)
        for side, quantity in ((Side.BUY, 90), (Side.SELL, 60), (Side.BUY, 10)):
            await world.run_for(2)
            await world.submit(Ticket(terms=Terms(instrument="AAPL", side=side, quantity=D(quantity))))
        await world.run_for(140)
        meant = [entry.fact for entry in await world.entries() if isinstance(entry.fact, OrderIntended)]
        assert sorted(fact.terms.quantity for fact in meant) == [D(10), D(30)]

    play(story, RULES, STILL, start=START)


def test_beside_what_is_under_way_a_list_asked_for_again_and_again_is_a_reason_to_look_no_oftener_than_any() -> None:
    async def story(world: World) -> None:
        await world.start_guard()
        await world.run_for(2)
        await world.submit(Ticket(terms=Terms(instrument="AAPL", side=Side.BUY, quantity=D(100))))
        world.faults.install(Rule(operation="submit", fault=NO_STOPS))
        await world.until(lambda: any(each.naked_since for each in world.book.state.positions.values()), within=30)
        await world.run_for(20)
        assert world.account is not None
        reader, reasons = world.account.reader, list[Holding]()
        reader._changed = reasons.extend
        for _ in range(60):
            reader.want("orders")
            await world.run_for(0.5)
        assert 5 <= len(reasons) <= 12, (
            reasons
        )  # the poll's six, and what the refusals bring; sixty lists were asked for

    play(story, RULES, STILL, start=START)


def test_a_steady_read_under_way_is_hurried_by_what_is_asked_for_behind_it_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it waits for its share of the requests, a decision would wait with it."""
    hurried: list[str] = []
    monkeypatch.setattr(EngineBroker, "hurry", lambda broker: hurried.append("now"), raising=False)

    async def story(world: World) -> None:
        await world.start_guard()
        await world.run_for(10)
        assert world.account is not None
        reader = world.account.reader
        hurried.clear()
        reader.want("positions")
        assert hurried == [], "nothing is under way"
        await world.run_for(1)
        world.faults.install(Rule(operation="positions", fault=Slow(seconds=3)))
        await world.until(lambda: reader.kinds["positions"].is_steady, within=10, what="a steady read")
        reader.want("positions", Urgency.READ)
        assert hurried == [], "nobody is in a hurry"
        reader.want("positions")
        assert hurried == ["now"]

    play(story, RULES, STILL, start=START)
