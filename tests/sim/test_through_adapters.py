"""The real adapters in the simulation: real bytes both ways, over HTTP and WebSockets without a socket."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from standfast.core.policy import Rules
from standfast.exchange.dialects import tradier
from standfast.exchange.faults import Garbled, NeverAnswered, RateLimited, Reset, Rule
from standfast.exchange.orders import Side
from standfast.sim import chaos
from standfast.sim.plan import Plan, draw
from standfast.sim.world import QUIET, World, play
from tests.sim.stories import RULES, START, STILL, STOP_ONLY, guarded, holding, is_covered, is_flat, market, the_open

OUTAGE = 120.0
EXCHANGES = {"alpaca": QUIET, "tradier": tradier.rules(QUIET)}
Told = TypeVar("Told")

each_adapter = pytest.mark.parametrize("through", EXCHANGES)


def tell(story: Callable[[World], Awaitable[Told]], rules: Rules, through: str, seed: int = 0) -> Told:
    return play(story, rules, STILL, start=START, through=through, exchange=EXCHANGES[through], seed=seed)


def truncated(body: bytes) -> bytes:
    return body[: len(body) // 2]


def not_a_number(body: bytes) -> bytes:
    return body.replace(b'"qty":"100"', b'"qty":NaN').replace(b'"quantity": 100.0', b'"quantity": NaN')


@each_adapter
def test_a_position_is_adopted_covered_and_closed(through: str) -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        assert is_covered(world, 100)
        account = world.account
        assert account is not None
        assert account.stream_up
        assert (await world.request("close", position=position.id)).ok
        assert is_flat(world)

    tell(story, STOP_ONLY, through)


@each_adapter
def test_what_a_bot_buys_has_its_stop_at_once_though_its_price_comes_late(through: str) -> None:
    """At Tradier an order shows that it is filled before it shows at what price; positions trail it, too."""

    async def story(world: World) -> float:
        await guarded(world)
        await world.run_for(3.3)  # somewhere between two usual reads
        began = world.now
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), 30, "the stop rests")
        return (world.now - began).total_seconds()

    assert tell(story, STOP_ONLY, through) < 2


@each_adapter
def test_the_same_seed_tells_the_same_story(through: str) -> None:
    async def story(world: World) -> str:
        await holding(world)
        return await world.digest()

    def told(seed: int) -> str:
        return tell(story, RULES, through, seed)

    assert told(1) == told(1) != told(2)


@each_adapter
@pytest.mark.parametrize("spoil", [truncated, not_a_number, lambda _: b"", lambda _: b"null", lambda _: b"<html>"])
def test_no_spoilt_body_is_believed(through: str, spoil: Callable[[bytes], bytes]) -> None:
    """While every list of positions is spoilt nothing is forgotten and nothing is sold."""

    async def story(world: World) -> None:
        await holding(world)
        world.wire.spoil = lambda operation, body: spoil(body) if operation in {"positions", "orders"} else body
        await world.run_for(60)
        assert the_open(world).opened == world.net() == 100
        assert is_covered(world, 100)
        world.wire.spoil = lambda _, body: body
        await world.run_for(15)
        assert is_covered(world, 100)

    tell(story, STOP_ONLY, through)


@each_adapter
@pytest.mark.parametrize("fault", [NeverAnswered(), Reset(after=True), Garbled(), RateLimited(reset_after=5)])
def test_a_stop_whose_answer_is_lost_is_placed_once(
    through: str, fault: NeverAnswered | Reset | Garbled | RateLimited
) -> None:
    async def story(world: World) -> None:
        await guarded(world)
        world.faults.install(Rule(operation="submit", fault=fault, count=1))
        await world.submit(market(Side.BUY, 100))
        await world.until(lambda: is_covered(world, 100), 90, "one stop rests")
        await world.run_for(60)
        assert is_covered(world, 100)

    tell(story, STOP_ONLY, through)


@each_adapter
def test_a_half_open_stream_is_noticed_by_its_silence(through: str) -> None:
    async def story(world: World) -> None:
        await guarded(world)
        account = world.account
        assert account is not None
        world.wire.outage(OUTAGE)
        await world.until(lambda: not account.stream_up, 30, "the silence is noticed")
        assert world.wire.is_down
        await world.run_for(OUTAGE)
        await world.until(lambda: account.stream_up, 60, "it is connected again")

    tell(story, RULES, through)


def through_tradier(plan: Plan) -> Plan:
    """The same plan for a broker such as this: its calendar knows one session a day, so no halts in the middle."""
    return replace(plan, through="tradier", exchange=tradier.rules(plan.exchange), sessions=())


@pytest.mark.parametrize("seed", [7, 9, 15, 16, 23, 81, 98, 212, 239])
def test_what_a_seed_draws_breaks_no_promise_at_tradier(seed: int) -> None:
    """In 7 and 9 the list of positions is minutes old, and shows again what has been closed; in 212 what was held for
    three seconds, in 239 to a guard that has just begun. In 81 a trade is taken
    back, and nobody is told; in 98 a bracket of others holds its quantity once, though its legs have no class."""
    outcome = chaos.play(through_tradier(draw(seed, hours=0.5)))

    assert outcome.violation is None, outcome.timeline[-20:]
