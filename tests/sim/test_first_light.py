"""The whole guard against the whole exchange, for the first time: what every later story builds on."""

from datetime import timedelta

from standfast.exchange.orders import Side, Status, TimeInForce
from standfast.model.journal import GuardStarted, OrderIntended, SessionSeen
from standfast.model.position import CloseReason, Phase
from standfast.sim.world import World, play
from tests.sim.stories import (
    BEFORE_CLOSE,
    RULES,
    START,
    STILL,
    D,
    bracket,
    guarded,
    is_covered,
    market,
    open_positions,
    prices,
    stops,
    the_closed,
)

# --- (a) adopt and protect ----------------------------------------------------------------------


def test_what_a_bot_buys_is_adopted_and_has_its_stop_within_two_seconds() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        took = await world.until(lambda: is_covered(world, 100), within=2, what="a GTC stop for exactly 100")
        assert took <= 2
        (stop,) = stops(world)
        assert stop.terms.stop_price == D("98.02")  # 100.02 less 2 %, rounded towards the market
        await world.run_for(30)
        assert is_covered(world, 100)
        (position,) = open_positions(world)
        assert (position.phase, position.net, position.entry_price) == (Phase.OPEN, D(100), D("100.02"))

    play(story, RULES, STILL, start=START)


# --- (b) the stop fills -------------------------------------------------------------------------


def test_a_stop_that_fills_closes_the_position_with_its_reason_and_its_loss() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), within=2)
        await world.until(lambda: world.book.state.closed, within=30, what="the position is closed")
        closed = the_closed(world)
        assert closed.close_reason is CloseReason.STOP_LOSS
        assert (closed.held, closed.exit_price) == (D(0), D("97.50"))
        assert closed.pnl == world.truth.realised == D(100) * (D("97.50") - D("100.02"))
        await world.run_for(60)
        assert world.net() == 0
        assert world.working() == []
        assert open_positions(world) == []

    play(story, RULES, prices((0, "100.00", "100.02"), (20, "97.50", "97.52")), start=START)


# --- (c) the bot's own bracket ------------------------------------------------------------------


def test_a_bot_s_bracket_counts_as_cover_until_it_lapses_and_is_then_replaced_by_gtc_exits() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(bracket(100, target="130", stop="97"))
        await world.run_for(30)
        assert is_covered(world, 100, TimeInForce.DAY), "the bot's stop is enough"
        assert not [e for e in await world.entries() if isinstance(e.fact, OrderIntended)]
        await world.until(lambda: not world.engine.clock().is_open, within=200)
        lapsed = world.now
        await world.until(lambda: is_covered(world, 100), within=120, what="GTC exits after the close")
        assert world.now - lapsed <= timedelta(seconds=15)
        await world.run_for(120)
        assert is_covered(world, 100)
        assert world.net() == 100

    play(story, RULES, STILL, start=BEFORE_CLOSE)


# --- (d) open and close by request --------------------------------------------------------------


def test_an_opening_by_request_is_protected_before_it_is_said_to_be_done_and_a_close_is_proven() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        opened = await world.request("open", instrument="AAPL", quantity="40", strategy="mine")
        assert opened.ok, opened.detail
        assert world.net() == 40
        assert is_covered(world, 40)
        (position,) = open_positions(world)
        assert (position.phase, position.strategy) == (Phase.OPEN, "mine")
        closed = await world.request("close", position=position.id)
        assert closed.ok, closed.detail
        assert world.net() == 0
        assert world.working() == []
        assert the_closed(world).close_reason is CloseReason.OPERATOR
        assert the_closed(world).pnl == world.truth.realised

    play(story, RULES, STILL, start=START)


def test_a_short_is_opened_protected_above_and_closed_by_buying() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        opened = await world.request("open", instrument="AAPL", quantity="-40")
        assert opened.ok, opened.detail
        (stop,) = stops(world)
        assert (stop.side, stop.terms.quantity, stop.terms.stop_price) == (Side.BUY, D(40), D("102.00"))
        (position,) = open_positions(world)
        closed = await world.request("close", position=position.id)
        assert closed.ok, closed.detail
        assert world.net() == 0
        assert the_closed(world).pnl == world.truth.realised

    play(story, RULES, STILL, start=START)


# --- (e) restart --------------------------------------------------------------------------------


def test_a_guard_that_is_killed_and_started_again_sends_nothing_when_nothing_has_changed() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), within=2)
        await world.run_for(90)  # until the cash has been read as well
        for _ in range(3):
            before = (await world.entries())[-1].number
            world.kill_guard()
            await world.run_for(1)
            await world.start_guard()
            await world.run_for(70)
            facts = [e.fact for e in await world.entries() if e.number > before]
            kept = [fact for fact in facts if not isinstance(fact, GuardStarted | SessionSeen)]
            assert kept == [], await world.account_of("a restart wrote facts")
        assert is_covered(world, 100)

    play(story, RULES, STILL, start=START)


def test_a_stop_that_fills_while_the_guard_is_dead_is_booked_when_it_is_back() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), within=2)
        world.kill_guard()
        await world.run_for(40)
        assert world.net() == 0
        await world.start_guard()
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).close_reason is CloseReason.STOP_LOSS
        assert the_closed(world).pnl == world.truth.realised

    play(story, RULES, prices((0, "100.00", "100.02"), (20, "97.50", "97.52")), start=START)


# --- (f) flatten --------------------------------------------------------------------------------


def test_flatten_closes_everything_and_says_so_once_nothing_is_left() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), within=2)
        opened = await world.request("open", instrument="AAPL", quantity="7")
        assert opened.ok, opened.detail
        done = await world.request("flatten")
        assert done.ok, done.detail
        assert world.net() == 0
        assert [order for order in world.working() if order.status is not Status.FILLED] == []
        assert sum(p.pnl for p in world.book.state.closed.values()) == world.truth.realised
        await world.run_for(60)
        assert world.net() == 0
        assert world.working() == []

    play(story, RULES, STILL, start=START)


# --- the harness itself -------------------------------------------------------------------------


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    async def story(world: World) -> str:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.run_for(60)
        return await world.digest()

    def told(seed: int) -> str:
        return play(story, RULES, prices((0, "100.00", "100.02"), (20, "97.50", "97.52")), start=START, seed=seed)

    assert told(1) == told(1)
    assert told(1) != told(2)
