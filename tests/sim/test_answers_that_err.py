"""Answers that are well formed and wrong: nothing of them gets into the books, and people are told."""

from datetime import timedelta

import pytest

from standfast.exchange.faults import (
    AlteredIds,
    AnyFault,
    NeverAnswered,
    NewState,
    NewType,
    OtherAccount,
    OtherInstrument,
    RateLimited,
    Rule,
    Slow,
    Stale,
)
from standfast.exchange.orders import Side
from standfast.exchange.rules import Rules
from standfast.model.ids import Holding, InstrumentId
from standfast.model.journal import MovementBooked, OrderIntended
from standfast.sim.judge.checker import Checker
from standfast.sim.world import World, play
from tests.sim.stories import (
    START,
    STILL,
    STOP_ONLY,
    D,
    guarded,
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

ORDERS = ("submit", "replace", "orders", "order")
LENIENT = Rules(refuses_wash_trades=False)
"""A bot may buy more above a stop that rests."""
TENFOLD = prices((0, "100.00", "100.02"), (20, "1000.00", "1000.20"))
WRONG = Holding(InstrumentId("WRONG"))
THROUGH = pytest.mark.parametrize("through", ["engine", "alpaca"])


def erring(world: World, fault: AnyFault, *operations: str, seconds: float = 3600) -> None:
    until = world.now + timedelta(seconds=seconds)
    rules = [Rule(operation=each, fault=fault, since=world.now, until=until) for each in operations]
    world.faults.install(*rules)


@THROUGH
@pytest.mark.parametrize("how", ["cut", "upper", "none"])
def test_orders_whose_ids_come_back_changed_are_known_by_the_brokers(how: str, through: str) -> None:
    async def story(world: World) -> None:
        checker = Checker(world)
        world.watchers.append(checker)
        await guarded(world)
        world.faults.install(Rule(operation="submit", fault=NeverAnswered(), count=1))
        erring(world, AlteredIds(how=how), *ORDERS)  # type: ignore[arg-type]  # one of its words
        opened = await world.request("open", instrument="AAPL", quantity="40", seconds=90)
        assert opened.ok, opened.detail
        await world.run_for(15)
        assert is_covered(world, 40)
        assert the_open(world).opened == 40

        await world.submit(market(Side.BUY, 7))
        await world.run_for(30)
        assert [position.opened for position in open_positions(world)] == [40, 7]

        assert (await world.request("close", position=open_positions(world)[0].id, seconds=90)).ok
        assert world.net() == 7
        checker.quiet()
        await world.run_for(120)
        await checker.finish()

    play(story, STOP_ONLY, STILL, start=START, through=through, exchange=LENIENT)


@THROUGH
@pytest.mark.parametrize(
    "operations", [("orders", "order"), ("positions", "position"), ("activities",), ("submit", "replace", "order")]
)
def test_what_is_told_under_another_instruments_name_changes_no_book(operations: tuple[str, ...], through: str) -> None:
    async def story(world: World) -> None:
        checker = Checker(world)
        world.watchers.append(checker)
        await holding(world)
        erring(world, OtherInstrument(), *operations, seconds=60)
        await world.submit(market(Side.BUY, 10))
        await world.run_for(60)
        assert world.net() == 110, "nothing was sold for it"
        assert world.book.net(WRONG).is_exact
        assert world.book.net(WRONG).low == 0
        said = await told(world)
        assert any("WRONG" in text for text in said), said

        await world.run_for(60)
        assert sum(position.held for position in open_positions(world)) == 110
        checker.quiet()
        await world.run_for(120)
        await checker.finish()

    play(story, STOP_ONLY, STILL, start=START, through=through, exchange=LENIENT)


@THROUGH
def test_a_split_told_under_another_instruments_name_is_booked_once_it_is_told_under_its_own(through: str) -> None:
    """Found by simulation: each row counts once, so the books stayed as before it, and closes asked for ten times."""

    async def story(world: World) -> None:
        await holding(world)
        erring(world, OtherInstrument(), "activities", seconds=40)
        await world.run_for(2.5)  # to half a second before its price is ten times as high
        world.engine.split("AAPL", D("0.1"))
        await world.run_for(35)
        assert the_open(world).held == 100
        await world.run_for(40)
        assert the_open(world).held == 10
        assert is_covered(world, 10)
        assert (await world.request("close", position=the_open(world).id, seconds=90)).ok
        assert is_flat(world)

    play(story, STOP_ONLY, TENFOLD, start=START, through=through, exchange=LENIENT)


def test_what_is_told_so_for_ten_minutes_is_believed() -> None:
    """Brokers also tell of what nobody can look up: it may not hold up the reading for ever."""

    async def story(world: World) -> None:
        await holding(world)
        erring(world, OtherInstrument(), "activities")
        await world.run_for(2.5)
        world.engine.split("AAPL", D("0.1"))
        await world.run_for(590)
        assert await booked(world) == set()
        await world.run_for(30)
        assert await booked(world) == {WRONG}

    async def booked(world: World) -> set[Holding | None]:
        facts = (entry.fact for entry in await world.entries())
        return {fact.movement.holding for fact in facts if isinstance(fact, MovementBooked)}

    play(story, STOP_ONLY, TENFOLD, start=START, exchange=LENIENT)


def test_a_refusal_to_say_whether_an_instrument_is_listed_does_not_say_that_it_is() -> None:
    """Found by simulation: over the request limit, what order and fill agreed about was taken for the truth."""

    async def story(world: World) -> None:
        await holding(world)
        erring(world, OtherInstrument(), "order", "activities", seconds=60)
        erring(world, RateLimited(), "asset", seconds=60)
        await world.submit(market(Side.BUY, 10))
        await world.run_for(60)
        assert world.book.net(WRONG).low == world.book.net(WRONG).high == 0
        await world.run_for(60)
        assert sum(position.held for position in open_positions(world)) == 110

    play(story, STOP_ONLY, STILL, start=START, exchange=LENIENT)


def test_after_an_answer_about_something_else_nothing_is_opened() -> None:
    async def story(world: World) -> None:
        await holding(world)
        erring(world, OtherInstrument(), "orders", seconds=10)
        await world.run_for(12)
        refused = await world.request("open", instrument="AAPL", quantity="1")
        assert not refused.ok
        assert "about something else" in refused.detail

    play(story, STOP_ONLY, STILL, start=START)


@THROUGH
def test_an_account_that_is_another_one_than_before_is_said_and_nothing_is_opened(through: str) -> None:
    async def story(world: World) -> None:
        await holding(world)
        erring(world, OtherAccount(), "account", seconds=80)
        await world.run_for(80)
        assert any("another one than before" in text for text in await told(world))
        assert "" in world.book.state.frozen
        assert is_covered(world, 100), "what is held is guarded"

    play(story, STOP_ONLY, STILL, start=START, through=through)


@THROUGH
@pytest.mark.parametrize("fault", [NewState(), NewType()])
def test_an_order_in_a_state_or_of_a_type_nobody_knows_is_alive_and_said(fault: AnyFault, through: str) -> None:
    async def story(world: World) -> None:
        await holding(world)
        meant = len(of_kind(await world.entries(), OrderIntended))
        erring(world, fault, *ORDERS, seconds=60)
        await world.run_for(60)
        assert len(of_kind(await world.entries(), OrderIntended)) == meant, "it protects: no other is placed"
        assert any("counts as alive" in text for text in await told(world))

        await world.run_for(15)
        assert is_covered(world, 100)
        assert (await world.request("close", position=the_open(world).id)).ok
        assert is_flat(world)

    play(story, STOP_ONLY, STILL, start=START, through=through, exchange=LENIENT)


def test_an_order_that_arrives_after_it_was_given_up_freezes_openings() -> None:
    """The contract says 30 s; this one is under way for 60."""

    async def story(world: World) -> None:
        await guarded(world)
        world.faults.install(Rule(operation="submit", fault=Slow(seconds=60, late="request"), count=20))
        await world.operate("open", instrument="AAPL", quantity="40")
        await world.run_for(90)
        said = await told(world)
        assert any("was settled as" in text or "could last have left" in text for text in said), said
        assert "" in world.book.state.frozen

    play(story, STOP_ONLY, STILL, start=START)


def test_a_read_that_is_older_than_the_contract_freezes_openings() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world)
        erring_until = world.now + timedelta(seconds=60)
        (stop,) = world.working()
        await world.cancel(stop)
        await world.run_for(5)
        world.faults.install(Rule(operation="orders", fault=Stale(age=50), since=world.now, until=erring_until))
        await world.run_for(40)
        assert any("at most is promised" in text for text in await told(world)), await told(world)
        assert "" in world.book.state.frozen
        assert position.held == D(40)

    play(story, STOP_ONLY, STILL, start=START)
