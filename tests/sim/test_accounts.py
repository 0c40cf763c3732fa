"""What was earned is what the exchange says, whatever reads left out; exits belong to something that is held."""

from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.core.policy import Foreign
from standfast.exchange.faults import Lost, PartialList, Rule, Slow, Stale
from standfast.exchange.orders import OrderClass, OrderType, Side, StopLoss, TakeProfit, Terms, Ticket
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.model.breaks import BreakKind
from standfast.model.journal import BreakSeen, ProfitRestated
from standfast.model.position import Standing
from standfast.sim.world import World, play
from tests.sim.stories import BY_GUARD, START, STILL, STOP_ONLY, D, guarded, market, of_kind, open_positions, prices

DEAF = Rule(operation="stream", fault=Lost())
HOLES = Rule(operation="activities", fault=PartialList(missing=2), since=START + timedelta(seconds=3), probability=0.6)
RISING = prices(*((at, f"{100 + at / 10:.2f}", f"{100.02 + at / 10:.2f}") for at in range(0, 120, 3)))
FALLING = prices((0, "100.00", "100.02"), (15, "98.90", "98.92"))
NO_RULES = replace(BY_GUARD, policies=(replace(BY_GUARD.policies[0], stop_loss=None),))


@pytest.mark.parametrize("seed", range(6))
def test_profit_is_the_brokers_though_reads_leave_fills_out(seed: int) -> None:
    async def story(world: World) -> bool:
        await guarded(world)
        for side, quantity in ((Side.BUY, 30), (Side.BUY, 20), (Side.SELL, 25), (Side.BUY, 40), (Side.SELL, 35)) * 2:
            await world.submit(market(side, quantity))
            await world.run_for(5)
        world.faults.clear()
        await world.run_for(30)
        everything = [*world.book.state.positions.values(), *world.book.state.closed.values()]
        off = sum(p.pnl for p in everything) - world.truth.realised
        assert abs(off) < D("0.000001"), await world.account_of(f"off by {off}")
        return bool(of_kind(await world.entries(), ProfitRestated))

    play(story, NO_RULES, RISING, start=START, faults=[DEAF, HOLES], seed=seed)


def test_the_exits_of_a_bracket_that_only_took_off_a_short_are_taken_away() -> None:
    """Its entry bought back; were its target or stop to fill, it would sell short again what nobody asked for."""

    async def story(world: World) -> None:
        await guarded(world)
        waiting = Terms(instrument="AAPL", side=Side.BUY, quantity=D(60), type=OrderType.LIMIT, limit_price=D(99))
        entry = Ticket(
            terms=waiting,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfit(limit_price=D(130)),
            stop_loss=StopLoss(stop_price=D(97)),
        )
        await world.submit(entry)
        await world.submit(market(Side.SELL, 100))
        await world.until(lambda: open_positions(world), within=10)
        await world.until(lambda: world.net() == -40, within=30, what="the entry fills")
        assert world.working(), "its legs work on"
        await world.until(lambda: not world.working(), within=30, what="they are taken away")
        seen = [e.fact.finding.kind for e in of_kind(await world.entries(), BreakSeen) if isinstance(e.fact, BreakSeen)]
        assert BreakKind.STRAY_EXIT in seen
        (position,) = open_positions(world)
        assert position.net == -40

    play(story, NO_RULES, FALLING, start=START, exchange=ExchangeRules(refuses_wash_trades=False))


@pytest.mark.parametrize("foreign", [Foreign.ADOPT, Foreign.ALERT], ids=str)
def test_what_was_held_before_and_is_sold_before_it_is_adopted_leaves_nothing_behind(foreign: Foreign) -> None:
    """Its fill is of before we looked: the sale alone would open a short that nobody holds."""

    async def story(world: World) -> None:
        await world.submit(market(Side.BUY, 65))
        await world.run_for(1)
        await world.start_guard()
        await world.until(lambda: world.book.state.breaks, within=3, what="an orphan is seen")
        await world.submit(market(Side.SELL, 65))
        await world.run_for(60)
        assert open_positions(world) == [], await world.account_of("a phantom")
        assert world.book.state.acknowledged == {}
        assert world.book.state.breaks == {}
        assert world.working() == []
        await world.submit(market(Side.SELL, 10))
        await world.until(lambda: [p.net for p in open_positions(world)] == [-10], within=10)

    play(story, replace(STOP_ONLY, foreign=foreign), STILL, start=START)


def test_a_fill_of_ours_whose_order_cannot_be_found_yet_waits_and_counts_once() -> None:
    """Its answer is late, and the look-up by id is of a moment before: it looks like a stranger's."""

    async def story(world: World) -> None:
        await guarded(world)
        world.faults.install(Rule(operation="submit", fault=Slow(seconds=4, late="answer"), count=1))
        world.faults.install(Rule(operation="order", fault=Stale(age=8), until=world.now + timedelta(seconds=9)))
        await world.operate("open", instrument="AAPL", quantity="20")
        await world.run_for(40)
        (position,) = open_positions(world)
        assert (position.held, position.standing) == (D(20), Standing.OWNED), await world.account_of("counted twice")
        assert not world.book.exceeding
        assert world.net() == 20

    play(story, STOP_ONLY, STILL, start=START, faults=[DEAF])
