"""Reads that are old, short or missing: nothing is sold for them, nothing is spun on, and somebody is told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from standfast.exchange.assets import Asset
from standfast.exchange.faults import Lost, PartialList, Rule, ServerError, Stale
from standfast.exchange.market import Prices
from standfast.exchange.orders import Side
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.script import Row, Script
from standfast.model.breaks import BreakKind
from standfast.model.ids import Holding, InstrumentId
from standfast.model.journal import GuardFailed, LotFound, WatermarkMoved
from standfast.sim.world import World, play
from tests.sim.stories import (
    BY_GUARD,
    START,
    STILL,
    STOP_ONLY,
    D,
    closes_asked,
    guarded,
    holding,
    is_covered,
    market,
    open_positions,
    prices,
    stops,
    the_closed,
    told,
)

MSFT = Holding(InstrumentId("MSFT"))


class UntilThen:
    """Prices whose feed stands still from then on: who asks is given the last quote, for ever."""

    def __init__(self, prices: Prices, after: timedelta) -> None:
        self._prices = prices
        self._after = after

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        return self._prices.quotes(start, min(end, start + self._after + timedelta(seconds=1)))


def open_kinds(world: World) -> set[BreakKind]:
    return {found.finding.kind for found in world.book.state.breaks.values()}


def test_a_feed_that_goes_on_answering_with_one_old_quote_is_blindness_and_no_reason_to_close() -> None:
    async def story(world: World) -> None:
        await holding(world)
        await world.run_for(280)
        assert BreakKind.BLIND not in open_kinds(world), "five minutes may pass without a change"
        await world.until(lambda: BreakKind.BLIND in open_kinds(world), within=90, what="it says that it is blind")
        await world.run_for(20)
        assert any("the feed's last quote is of 14:30:10 UTC" in text for text in await told(world))
        assert world.net() == 100
        assert await closes_asked(world) == []

    play(story, BY_GUARD, UntilThen(STILL, timedelta(seconds=10)), start=START)


def test_a_positions_list_that_leaves_a_row_out_does_not_turn_its_price_rules_off() -> None:
    async def story(world: World) -> None:
        await holding(world)
        world.faults.install(Rule(operation="positions", fault=PartialList(without=("AAPL",))))
        await world.until(lambda: world.net() == 0, within=60, what="closed at its stop")
        world.faults.clear()
        await world.run_for(30)
        assert open_positions(world) == []

    play(story, BY_GUARD, prices((0, "100.00", "100.02"), (40, "80.00", "80.02")), start=START)


def test_a_close_of_what_is_gone_asks_now_and_then_and_not_in_a_hot_loop() -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        world.faults.install(Rule(operation="activities", fault=Stale(age=100_000)))
        await world.submit(market(Side.SELL, 100))
        await world.run_for(1)
        before = sum(world.wire.asked.values())
        await world.operate("close", position=position.id)
        await world.run_for(60)
        assert world.net() == 0
        assert sum(world.wire.asked.values()) - before < 240, "every source once a second at most"
        world.faults.clear()
        await world.until(lambda: not open_positions(world), within=30, what="booked by its fills")

    play(story, BY_GUARD, STILL, start=START)


def test_one_order_that_cannot_be_read_holds_up_its_own_fills_and_no_others() -> None:
    async def story(world: World) -> None:
        await holding(world)
        world.faults.install(Rule(operation="order", fault=ServerError()))
        await world.submit(market(Side.BUY, 1, "MSFT"))
        await world.run_for(5)
        (stop,) = stops(world)
        world.engine.fill_now(stop.id, D(100), D("98.02"))
        await world.until(lambda: world.book.state.closed, within=15, what="the fill of a known order is booked")
        assert the_closed(world).pnl == D(100) * (D("98.02") - D("100.02"))
        assert world.book.net(MSFT).low == 0
        world.faults.clear()
        await world.until(lambda: world.book.net(MSFT).low == 1, within=30, what="the other one too, once it is read")

    each: list[Row] = [(timedelta(0), "100.00", "100.02")]
    both = Script({"AAPL": each, "MSFT": each})
    play(story, STOP_ONLY, both, start=START, instruments=(Asset(instrument="AAPL"), Asset(instrument="MSFT")))


def test_a_sale_is_not_booked_before_the_purchase_it_sold_from_can_be() -> None:
    """It would look like a short, and be protected as one."""

    async def story(world: World) -> None:
        await guarded(world)
        world.faults.install(Rule(operation="order", fault=ServerError(), count=1))  # of the purchase
        await world.submit(market(Side.BUY, 28))
        await world.submit(market(Side.SELL, 3))
        await world.until(lambda: is_covered(world, 25), within=30, what="25 are adopted and covered")
        assert {entry.fact.sign for entry in await world.entries() if isinstance(entry.fact, LotFound)} == {1}
        assert sum(position.pnl for position in open_positions(world)) == world.truth.realised

    blind = Rule(operation="stream", fault=Lost())
    play(story, STOP_ONLY, STILL, start=START, faults=[blind])


def test_failures_of_a_guard_that_has_acted_since_do_not_halt_the_account() -> None:
    async def story(world: World) -> None:
        await holding(world)
        assert world.account is not None
        for _ in range(2):
            failed = GuardFailed(error="x", entry=world.book.state.last_act)
            await world.account.ledger.record([failed])
        await world.account.ledger.record([WatermarkMoved(watermark=world.book.state.watermark)])
        for _ in range(3):
            world.kill_guard()
            await world.run_for(1)
            await world.start_guard()
            await world.run_for(5)
        assert world.account is not None
        assert not world.account.halted

    play(story, STOP_ONLY, STILL, start=START)
