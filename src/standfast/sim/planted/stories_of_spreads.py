"""The stories in which planted bugs of structures show, and those bugs: as `stories` and `known`."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.brokers.tradier.adapter import CONTRACT
from standfast.core.policy import HeldBy, Policy, Rung
from standfast.exchange.assets import asset_of
from standfast.exchange.dialects import tradier
from standfast.exchange.faults import RefusedWith, Rule
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.script import Row, Script
from standfast.sim.judge.checker import Checker
from standfast.sim.planted.stories import RULES, Setting, strike
from standfast.sim.spreads.checker import SpreadChecker
from standfast.sim.spreads.deeds import single, ticket
from standfast.sim.watch import CANARIES
from standfast.sim.world import World

SOLD, BOUGHT = "SPXW261016P03800000", "SPXW261016P03700000"
ENDING_SOLD, ENDING_BOUGHT = "SPXW261008P03800000", "SPXW261008P03700000"
CALLED, PUT_TO = "AAPL261016C00206000", "AAPL261016P00194000"
SHORTLY_BEFORE_THE_CLOSE = datetime(2026, 10, 8, 19, 59, tzinfo=UTC)
SPREAD = ((SOLD, -1), (BOUGHT, 1))
UNDERLYINGS = {"SPX": ("3999.00", "4001.00"), "AAPL": ("200.00", "200.02")}
USUAL = {
    SOLD: ("4.40", "4.50"),
    BOUGHT: ("0.70", "0.80"),
    ENDING_SOLD: ("4.40", "4.50"),
    ENDING_BOUGHT: ("0.70", "0.80"),
    CALLED: ("0.80", "0.85"),
    PUT_TO: ("2.30", "2.35"),
}
KEPT = Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=Decimal("0.5"))
HELD = Policy(name="held", held_by=HeldBy.GUARD)
TRAILED = replace(KEPT, stop_loss=Decimal("0.95"), trailing=(Rung(arm=Decimal("0.2"), give_back=Decimal("0.1")),))
NO_FORM: dict[str, object] = {"code": 42210000, "message": "the order has no form for it"}
REFUSAL: dict[str, object] = {"fault": {"faultstring": "the order has no form for it"}}


Move = tuple[str, float, str, str]
"""Of this contract: from so many seconds on, bid and ask."""


def market(*moves: Move) -> Script:
    """Everything stands still but what moves."""
    rows: dict[str, list[Row]] = {}
    for name, (bid, ask) in {**UNDERLYINGS, **USUAL}.items():
        rows[name] = [(timedelta(0), bid, ask)]
    for name, at, bid, ask in moves:
        rows[name].append((timedelta(seconds=at), bid, ask))
    return Script(rows)


def judge(world: World) -> Checker:
    """The number of a Tradier account is in its addresses, and no secret."""
    return SpreadChecker(world, contract=CONTRACT, canaries=CANARIES[1:])


def of_spreads(
    tell: Callable[[World], Awaitable[None]], *, policy: Policy = KEPT, prices: Script | None = None, **wishes: Any
) -> Setting:
    names: Iterable[str] = (*UNDERLYINGS, *USUAL)
    world = {
        "instruments": tuple(map(asset_of, names)),
        "cash": Decimal(10_000_000),
        "through": "tradier",
        "exchange": tradier.rules(ExchangeRules()),
        **wishes,
    }
    rules = replace(RULES, policies=(policy,))
    return Setting(tell=tell, rules=rules, prices=prices or market(), wishes=world, judge=judge)


# --- the stories --------------------------------------------------------------------------------


async def a_spread(world: World) -> None:
    """A guard, and a bot's spread that it has had the time to take in."""
    await world.start_guard()
    await world.run_for(2)
    await world.submit(ticket("SPX", SPREAD, 3, None))
    await world.run_for(20)


async def a_close_of_all_legs(world: World) -> None:
    await a_spread(world)
    (id,) = world.book.state.structures
    await world.operate("close", position=id)
    await world.run_for(60)


async def an_order_for_all_legs_is_refused(world: World) -> None:
    strike(world, "submit", RefusedWith(status=400, body=REFUSAL), count=2)
    await a_close_of_all_legs(world)


async def a_bot_sells_the_cover(world: World) -> None:
    await a_spread(world)
    await world.submit(single(BOUGHT, 3, opens=False))
    await world.run_for(400)


async def a_move_of_what_was_sold(world: World) -> None:
    await a_spread(world)
    await world.run_for(300)


async def a_spread_expires(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    await world.submit(ticket("SPX", ((ENDING_SOLD, -1), (ENDING_BOUGHT, 1)), 3, None))
    await world.run_for(300)


async def an_opening_leg_by_leg_whose_second_is_refused(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    world.faults.install(Rule(operation="submit", instrument=SOLD, fault=RefusedWith(status=422, body=NO_FORM)))
    legs = " ".join(f"{name}:{ratio:+}" for name, ratio in SPREAD)
    await world.operate("open", legs=legs, quantity="3", key="half")
    await world.run_for(60)
    world.faults.clear()
    await world.run_for(400)


async def an_option_that_has_climbed_becomes_a_cover(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    await world.submit(single(BOUGHT, 3, opens=True))
    await world.run_for(60)
    await world.submit(single(SOLD, -3, opens=True))
    await world.run_for(120)


async def more_shares_are_called_away_than_are_held(world: World) -> None:
    await world.start_guard()
    await world.run_for(2)
    await world.submit(single(PUT_TO, -1, opens=True))
    await world.submit(single(CALLED, -3, opens=True))
    await world.run_for(20)
    account = world.rules.account
    world.engine.assign(account, PUT_TO)
    await world.run_for(40)
    world.engine.assign(account, CALLED)
    await world.run_for(400)
