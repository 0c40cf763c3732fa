"""The simulated broker keeps the promises of the port, and its faults are those a real adapter would report."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from standfast.core.policy import Rules
from standfast.exchange.faults import (
    Cut,
    EmptyList,
    Garbled,
    NeverAnswered,
    NeverArrives,
    RateLimited,
    Rule,
    ServerError,
    Slow,
    Stale,
)
from standfast.exchange.script import Script
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Malformed, OutcomeUnknown, Rejected, Unreachable
from standfast.model.ids import AccountId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import OrderReport, OrderType, Side, Terms, TimeInForce
from standfast.ports import OrderEvent, StreamDown, StreamUp
from standfast.sim.adapter import EngineBroker
from standfast.sim.world import World, play
from standfast.testing.check_broker import CHECKS, Bench

START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
AAPL = Holding(InstrumentId("AAPL"))
RULES = Rules(account=AccountId("sim"), policies=())
FLAT = Script({"AAPL": [(timedelta(0), "100.00", "100.02")]})
MINE = ClientOrderId("mine")

Story = Callable[[World, EngineBroker], Awaitable[None]]


def tell(story: Story, faults: Iterable[Rule] = ()) -> None:
    async def told(world: World) -> None:
        await story(world, EngineBroker(world.wire))

    play(told, RULES, FLAT, start=START, faults=faults)


async def buy(broker: EngineBroker, id: ClientOrderId = MINE) -> OrderReport:
    terms = Terms(
        side=Side.BUY, quantity=Decimal(5), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False
    )
    return await broker.submit(id, AAPL, terms, Turn(Urgency.OPEN))


def once(operation: str, fault: object) -> Rule:
    return Rule(operation=operation, fault=fault, count=1)  # type: ignore[arg-type]  # any of them


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_broker_keeps_the_promise(check: Callable[[Bench], Awaitable[None]]) -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        await world.run_for(2)
        await check(Bench(broker=broker, clock=world.clock, holding=AAPL))

    tell(story)


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [(NeverArrives(), False), (NeverAnswered(), True), (ServerError(after=True), True), (ServerError(), False)],
    ids=["never arrives", "never answered", "5xx after", "5xx before"],
)
def test_a_write_without_an_answer_is_an_unknown_outcome(fault: object, *, arrives: bool) -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        with pytest.raises(OutcomeUnknown):
            await buy(broker)
        found = await broker.order(client_id=MINE)
        assert (found is not None) is arrives
        assert world.net() == (5 if arrives else 0)

    tell(story, [once("submit", fault)])


def test_a_late_request_is_carried_out_after_its_sender_has_given_up() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        with pytest.raises(OutcomeUnknown):
            await buy(broker)
        assert world.net() == 0
        await world.until(lambda: world.net() == 5, within=4)

    tell(story, [once("submit", Slow(seconds=8, late="request"))])


def test_a_rate_limit_is_a_refusal_that_says_how_long_to_wait() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        with pytest.raises(Rejected) as caught:
            await buy(broker)
        assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 30)

    tell(story, [once("submit", RateLimited(reset_after=30))])


def test_a_garbled_answer_is_malformed_for_a_read_and_unknown_for_a_write() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        with pytest.raises(Malformed):
            await broker.positions()
        with pytest.raises(OutcomeUnknown):
            await buy(broker)

    tell(story, [once("positions", Garbled()), once("submit", Garbled())])


def test_nothing_leaves_during_an_outage() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        world.wire.outage(30)
        with pytest.raises(Unreachable):
            await buy(broker)
        await world.run_for(31)
        assert world.net() == 0
        assert (await buy(broker)).client_id == MINE

    tell(story)


def test_a_stale_list_is_the_list_of_then() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        await buy(broker)
        await world.run_for(3)
        assert (await broker.positions()).rows == {}
        assert (await broker.positions()).rows[AAPL].quantity == 5

    tell(story, [once("positions", Stale(age=5))])


def test_rows_kept_back_from_the_history_are_told_later() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        before = (await broker.activities("")).watermark
        await buy(broker)
        empty = await broker.activities(before)
        assert empty.fills == ()
        assert [fill.quantity for fill in (await broker.activities(empty.watermark)).fills] == [5]

    tell(story, [Rule(operation="activities", fault=EmptyList(), skip=1, count=1)])


def test_a_stream_that_is_cut_says_so_and_connects_again_without_replaying() -> None:
    async def story(world: World, broker: EngineBroker) -> None:
        events = broker.events()
        assert await anext(events) == StreamUp()
        await buy(broker)
        assert isinstance(await anext(events), StreamDown)
        assert await anext(events) == StreamUp()
        await buy(broker, ClientOrderId("second"))
        told = await anext(events)
        assert isinstance(told, OrderEvent)
        assert told.client_id == "second"

    tell(story, [once("stream", Cut())])
