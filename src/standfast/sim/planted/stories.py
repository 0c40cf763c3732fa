"""The stories in which planted bugs show: one situation each, told without chance, in which a right guard does nothing
wrong. What is judged is the checkers' business; a story only brings the situation about."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.core.policy import Foreign, HeldBy, Mode, Policy, Rules
from standfast.exchange.faults import (
    EmptyList,
    Lost,
    NeverAnswered,
    NeverArrives,
    RefusedWith,
    Rule,
    ServerError,
    Slow,
    Stale,
)
from standfast.exchange.fills import Scripted
from standfast.exchange.orders import OrderClass, OrderType, Side, StopLoss, TakeProfit, Terms, Ticket, TimeInForce
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.script import Row, Script
from standfast.model.ids import AccountId
from standfast.sim.disk import CommitFault
from standfast.sim.judge.checker import Checker
from standfast.sim.strokes import NO_KEY
from standfast.sim.world import World

D = Decimal
START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)  # a Thursday, 10:30 in New York
POLICY = Policy(name="default", stop_loss=D("0.02"))
RULES = Rules(account=AccountId("sim"), mode=Mode.REPAIR, foreign=Foreign.ADOPT, policies=(POLICY,))
BY_GUARD = Policy(
    name="guard",
    held_by=HeldBy.GUARD,
    stop_loss=D("0.02"),
    emergency_stop=D("0.05"),
    minimum_hold=timedelta(minutes=10),
)
RESTRICTED: dict[str, object] = {"code": 40310000, "message": "account is restricted"}
DEAF = Rule(operation="stream", fault=Lost())


def quoted(*rows: tuple[float, str, str], size: int = 1000) -> Script:
    """AAPL, from so many seconds on."""
    of_aapl: list[Row] = [(timedelta(seconds=at), bid, ask) for at, bid, ask in rows]
    return Script({"AAPL": of_aapl}, size=D(size))


STILL = quoted((0, "100.00", "100.02"))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One story: what happens, under which rules, in what kind of world, and how long it is quiet afterwards."""

    tell: Callable[[World], Awaitable[None]]
    rules: Rules = RULES
    prices: Script = STILL
    quiet: float = 30.0
    wishes: Mapping[str, Any] = field(default_factory=dict)
    judge: Callable[[World], Checker] = Checker
    start: datetime = START


def ticket(side: Side, quantity: int, limit: str | None = None) -> Ticket:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    price = D(limit) if limit is not None else None
    lasts = TimeInForce.DAY if limit is None else TimeInForce.GTC
    terms = Terms(instrument="AAPL", side=side, quantity=D(quantity), type=kind, limit_price=price, time_in_force=lasts)
    return Ticket(terms=terms)


async def bought(world: World, quantity: int = 100) -> None:
    """A guard, and a bot's purchase that it has had the time to take in."""
    await world.start_guard()
    await world.run_for(2)
    await world.submit(ticket(Side.BUY, quantity))
    await world.run_for(15)


async def close_all(world: World, **arguments: str) -> None:
    """Ask for the close of every position."""
    for position in list(world.book.state.positions):
        await world.operate("close", position=position, **arguments)


def strike(world: World, operation: str, fault: Any, count: int | None = None) -> None:
    world.faults.install(Rule(operation=operation, fault=fault, count=count))


# --- the stories --------------------------------------------------------------------------------


async def a_list_leaves_orders_out(world: World) -> None:
    await bought(world)
    strike(world, "orders", EmptyList())
    await world.run_for(20)


async def a_guard_dies_with_an_order_on_its_way(world: World) -> None:
    strike(world, "submit", NeverArrives(), count=1)
    await world.start_guard()
    await world.run_for(2)
    await world.submit(ticket(Side.BUY, 100))
    await world.until(lambda: world.wire.asked["submit"], within=15)
    world.kill_guard()
    await world.start_guard()
    await world.run_for(80)


async def a_list_leaves_positions_out(world: World) -> None:
    await bought(world)
    strike(world, "positions", EmptyList())
    await world.run_for(20)


async def an_answer_is_lost(world: World) -> None:
    strike(world, "stream", Lost())
    strike(world, "submit", NeverAnswered(), count=1)
    await bought(world)


async def an_answer_is_lost_and_so_is_the_list(world: World) -> None:
    strike(world, "orders", ServerError())
    await an_answer_is_lost(world)


async def a_request_is_late(world: World) -> None:
    strike(world, "submit", Slow(seconds=9, late="request"), count=1)
    await bought(world)
    await world.run_for(15)


async def an_answer_is_lost_and_nobody_can_ask(world: World) -> None:
    strike(world, "stream", Lost())
    strike(world, "submit", NeverAnswered(), count=1)
    await world.start_guard()
    await world.run_for(2)
    await world.operate("open", instrument="AAPL", quantity="40", limit="90")
    await world.until(lambda: world.wire.asked["submit"], within=15)
    strike(world, "order", ServerError())
    strike(world, "orders", ServerError())
    healthy, world.health = world.health, lambda instrument: False
    await world.run_for(150)
    world.health = healthy


async def a_close(world: World) -> None:
    await bought(world)
    await close_all(world)
    await world.run_for(30)


async def a_close_that_fills_late(world: World) -> None:
    await bought(world)
    world.engine.rules = ExchangeRules(fill_after=timedelta(seconds=8))
    await close_all(world)
    await world.run_for(20)


async def a_cancel_that_takes_its_time(world: World) -> None:
    await bought(world)
    world.engine.rules = ExchangeRules(cancel_after=timedelta(seconds=3))
    await close_all(world)
    await world.run_for(30)


async def a_cancel_that_is_lost(world: World) -> None:
    await bought(world)
    strike(world, "cancel", NeverArrives(), count=1)
    await close_all(world)
    await world.run_for(150)


async def a_part_is_closed_and_the_list_is_old(world: World) -> None:
    await bought(world)
    await world.run_for(130)
    await close_all(world, quantity="60")
    await world.until(lambda: world.net() == 40, within=20)
    await world.run_for(1)
    strike(world, "positions", Stale(age=9))
    await close_all(world)
    await world.run_for(20)


async def a_close_and_a_list_that_is_old(world: World) -> None:
    await bought(world)
    await world.run_for(130)
    await close_all(world)
    await world.run_for(2)
    strike(world, "positions", Stale(age=9))
    strike(world, "position", Stale(age=9))
    await world.run_for(10)


async def somebody_cancels_the_stop(world: World) -> None:
    await bought(world)
    for order in world.working():
        await world.cancel(order)
    await world.run_for(10)


async def a_purchase_in_two_parts(world: World) -> None:
    world.engine.fills = Scripted({"bot-1": [D("0.3"), *[D(0)] * 20]})
    await world.start_guard()
    await world.run_for(2)
    await world.submit(ticket(Side.BUY, 100, "100.10"))
    await world.run_for(60)


async def an_opening_in_many_parts(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    await world.operate("open", instrument="AAPL", quantity="40", limit="100.10")
    await world.run_for(20)


async def a_fall_soon_after_the_purchase(world: World) -> None:
    await bought(world)
    await world.run_for(140)


async def held_for_too_long(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    await world.operate("open", instrument="AAPL", quantity="40")
    await world.run_for(200)


async def every_order_is_refused(world: World) -> None:
    strike(world, "submit", RefusedWith(status=403, body=RESTRICTED))
    await bought(world)
    await world.run_for(10)


async def a_flatten_with_an_entry_at_rest(world: World) -> None:
    await bought(world)
    await world.operate("open", instrument="MSFT", quantity="40", limit="150")
    await world.run_for(10)
    await world.operate("flatten")
    await world.run_for(20)


async def two_purchases_and_one_close(world: World) -> None:
    await bought(world, 40)
    bracket = replace(
        ticket(Side.BUY, 30),
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(limit_price=D(130)),
        stop_loss=StopLoss(stop_price=D(97)),
    )
    await world.submit(bracket)
    await world.run_for(15)
    await world.operate("close", position=next(iter(world.book.state.positions)))
    await world.run_for(130)


async def fills_come_late(world: World) -> None:
    strike(world, "activities", EmptyList())
    strike(world, "stream", Lost())
    await bought(world)
    await world.run_for(20)
    world.faults.clear()
    await world.run_for(30)


async def a_slow_disk(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    world.store.decide = lambda: CommitFault.BUSY
    await world.submit(ticket(Side.BUY, 100))
    await world.run_for(30)
    world.store.decide = lambda: None


async def a_pause_and_a_second_guard(world: World) -> None:
    await world.start_guard("one")
    await world.run_for(2)
    world.pause_guard(40, "one")
    await world.run_for(20)
    await world.start_guard("two", wait=False)
    await world.submit(ticket(Side.BUY, 100))
    await world.run_for(40)


async def a_kill_and_a_new_life(world: World) -> None:
    await bought(world)
    world.kill_guard()
    await world.start_guard()
    await world.run_for(20)


async def a_stop_with_a_target_beside_it(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    await world.submit(ticket(Side.BUY, 100))
    await world.submit(ticket(Side.SELL, 100, "120.00"))
    await world.run_for(60)


TWO = {"AAPL": [(timedelta(0), "100.00", "100.02")], "MSFT": [(timedelta(0), "200.00", "200.02")]}


def with_policy(policy: Policy, **changes: Any) -> Rules:
    return replace(RULES, policies=(policy,), **changes)


async def a_key_that_is_said_back(world: World) -> None:
    """For a while the broker refuses every read, and quotes what it was asked with."""
    await bought(world)
    refusal = RefusedWith(status=401, body=NO_KEY)
    world.faults.install(*(Rule(operation=each, fault=refusal, count=3) for each in ("positions", "orders", "account")))
    await world.run_for(40)
