"""What the stories of tests/sim are told with: prices, orders of a bot, and words for what is so."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.core.policy import Foreign, HeldBy, Mode, Policy, Rules
from standfast.exchange.orders import (
    Order,
    OrderClass,
    OrderType,
    Side,
    Status,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
    TimeInForce,
)
from standfast.exchange.script import Price, Row, Script
from standfast.model.ids import AccountId
from standfast.model.journal import AlertRaised, CloseRequested, Entry, OrderIntended
from standfast.model.position import CloseReason, Position
from standfast.sim.nights import Given
from standfast.sim.world import World

D = Decimal
START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)  # a Thursday, 10:30 in New York
BEFORE_CLOSE = datetime(2026, 10, 8, 19, 58, tzinfo=UTC)
POLICY = Policy(name="default", stop_loss=D("0.02"), take_profit=D("0.30"))
RULES = Rules(account=AccountId("sim"), mode=Mode.REPAIR, foreign=Foreign.ADOPT, policies=(POLICY,))
STOP_ONLY = replace(RULES, policies=(replace(POLICY, take_profit=None),))
BY_GUARD = replace(RULES, policies=(replace(POLICY, take_profit=None, held_by=HeldBy.GUARD),))
EXITS = {OrderType.STOP, OrderType.STOP_LIMIT}


def prices(*rows: tuple[float, Price, Price]) -> Script:
    """AAPL from so many seconds on."""
    of_aapl: list[Row] = [(timedelta(seconds=at), bid, ask) for at, bid, ask in rows]
    return Script({"AAPL": of_aapl})


STILL = prices((0, "100.00", "100.02"))


def market(side: Side, quantity: int, instrument: str = "AAPL") -> Ticket:
    return Ticket(terms=Terms(instrument=instrument, side=side, quantity=D(quantity)))


def bracket(quantity: int, target: str, stop: str) -> Ticket:
    return Ticket(
        terms=Terms(instrument="AAPL", side=Side.BUY, quantity=D(quantity)),
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(limit_price=D(target)),
        stop_loss=StopLoss(stop_price=D(stop)),
    )


def resting_stop(quantity: int, price: str, limit: str | None = None) -> Ticket:
    """A bot's own GTC stop under a long position."""
    terms = Terms(
        instrument="AAPL",
        side=Side.SELL,
        quantity=D(quantity),
        type=OrderType.STOP if limit is None else OrderType.STOP_LIMIT,
        stop_price=D(price),
        limit_price=D(limit) if limit is not None else None,
        time_in_force=TimeInForce.GTC,
    )
    return Ticket(terms=terms)


NIGHT = Given(
    [
        (START, BEFORE_CLOSE + timedelta(minutes=2)),
        (BEFORE_CLOSE + timedelta(minutes=12), BEFORE_CLOSE + timedelta(hours=6)),
        (BEFORE_CLOSE + timedelta(hours=24), BEFORE_CLOSE + timedelta(hours=30)),
    ]
)
"""Ten minutes long, from two minutes after BEFORE_CLOSE on."""


async def guarded(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)


async def holding(world: World, quantity: int = 100) -> Position:
    """A guard that has adopted what a bot bought, and has read it more than once since."""
    await guarded(world)
    await world.submit(market(Side.BUY if quantity > 0 else Side.SELL, abs(quantity)))
    await world.run_for(15)
    return the_open(world)


async def holding_own(world: World, quantity: int = 40) -> Position:
    """A guard that has opened a position by request, and has read it more than once since."""
    await guarded(world)
    opened = await world.request("open", instrument="AAPL", quantity=str(quantity))
    assert opened.ok, opened.detail
    await world.run_for(15)
    return the_open(world)


def stops(world: World) -> list[Order]:
    """Live stops, in the exchange's own words."""
    return [order for order in world.working() if order.terms.type in EXITS]


def is_covered(world: World, quantity: int, lasts: TimeInForce = TimeInForce.GTC) -> bool:
    found = stops(world)
    return [(order.terms.quantity, order.terms.time_in_force) for order in found] == [(D(quantity), lasts)]


def covered(world: World) -> Decimal:
    """What live stops would sell (or buy back) in all."""
    return sum((order.remaining for order in stops(world) if order.status is not Status.HELD), D(0))


def is_flat(world: World) -> bool:
    """Nothing is held and nothing is left working."""
    return world.net() == 0 and not world.working()


def open_positions(world: World) -> list[Position]:
    return list(world.book.state.positions.values())


def the_open(world: World) -> Position:
    (position,) = world.book.state.positions.values()
    return position


def the_closed(world: World) -> Position:
    (position,) = world.book.state.closed.values()
    return position


async def new_orders(world: World, after: int) -> list[OrderIntended]:
    return [e.fact for e in await world.entries() if e.number > after and isinstance(e.fact, OrderIntended)]


async def closes_asked(world: World) -> list[CloseReason]:
    """Why closes were asked for, in their order."""
    return [e.fact.reason for e in await world.entries() if isinstance(e.fact, CloseRequested)]


async def told(world: World) -> list[str]:
    """Every alarm, in its order."""
    return [e.fact.text for e in await world.entries() if isinstance(e.fact, AlertRaised)]


def of_kind(entries: Sequence[Entry], kind: type) -> list[Entry]:
    return [entry for entry in entries if isinstance(entry.fact, kind)]
