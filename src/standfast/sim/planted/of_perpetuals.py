"""Planted bugs of perpetual futures: what their checker is tested with (see `known`), each in calm plans of its own.

A calm plan has no faults: what is found in it was done by the bug alone, and without the bug nothing is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from standfast.brokers.ccxt.adapter import CcxtBroker
from standfast.brokers.ccxt.bybit import calls as bybit_calls
from standfast.brokers.ccxt.bybit import forms, parse
from standfast.core import protect
from standfast.core.orders import reducing
from standfast.core.policy import Every, Foreign, Policy
from standfast.core.sending import why_not
from standfast.exchange.market import Walk
from standfast.model.order import Side
from standfast.sim.chaos import Outcome, play
from standfast.sim.plan import Perps, Plan
from standfast.sim.planted.bugs import Change, everywhere
from standfast.sim.planted.plant import put_in
from standfast.sim.seeds import PERPS_FROM, plan_of
from standfast.sim.spells import Spells
from standfast.sim.wire import Travel
from standfast.sim.workload import Deed

CHAOS = 660.0
DEEDS = (
    "ask to open", "fund", "add a lot", "ask to close", "open",
    "close a part", "deleverage", "close", "open", "liquidate",
)  # fmt: skip
EACH = 60.0
"""Seconds between two of them."""
POLICY = Policy(name="calm", stop_loss=Decimal("0.05"))
WALK = Walk(
    instrument="BTCUSDT",
    price=Decimal(50_000),
    volatility=0.001,
    spread=Decimal("0.2"),
    tick=Decimal("0.1"),
    size=Decimal(1000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPerp:
    name: str
    why: str
    changes: Callable[[], Iterator[Change]]
    caught_by: frozenset[str]
    at: str = "bybit"
    hedged: bool = False

    def found(self, *, without: bool = False) -> Outcome:
        """What its calm plan comes to, with it or without."""
        plan = calm(self.at, hedged=self.hedged)
        if without:
            return play(plan)
        with put_in(self.changes):
            return play(plan)


def calm(at: str, *, hedged: bool) -> Plan:
    """Nothing fails; the bot and the operator trade, and the exchange takes some of it away."""
    drawn = plan_of(PERPS_FROM + 1, hours=CHAOS / 3600)
    deeds = tuple(Deed(verb=verb, at=15.0 + EACH * n, instrument="BTCUSDT", draw=n) for n, verb in enumerate(DEEDS))
    perps = Perps(
        at=at,
        hedged=hedged,
        isolated=False,
        leverage=Decimal(10),
        cash=Decimal(100_000),
        funding_every=timedelta(hours=8),
        funding_rate=Decimal("0.0001"),
        lag=None,
        streams=True,
    )
    return replace(
        drawn,
        chaos=CHAOS,
        guard_at=0.5,
        rules=replace(drawn.rules, foreign=Foreign.ADOPT, policies=(POLICY,), every=Every()),
        walks=(WALK,),
        moves=(),
        spells=Spells(((0.0, CHAOS),), CHAOS),
        perps=perps,
        travel=Travel(),
        strokes=(),
        deeds=deeds,
    )


# --- the bugs -------------------------------------------------------------------------------------


def wrong_way() -> Iterator[Change]:
    right: Any = reducing

    def doubling(net: Decimal, quantity: Decimal, **more: Any) -> Any:
        terms = right(net, quantity, **more)
        if terms.stop_price is not None:
            return terms
        return replace(terms, side=Side.BUY if terms.side is Side.SELL else Side.SELL)

    yield from everywhere(right, doubling)
    yield from everywhere(why_not, lambda s, intent: "")  # which would see it, and let it not leave


def may_add() -> Iterator[Change]:
    right: Any = forms.submission

    def submission(*asked: Any) -> Any:
        body = dict(right(*asked))
        body.pop("reduceOnly", None)
        return body

    yield from everywhere(right, submission)


def other_side() -> Iterator[Change]:
    right: Any = forms.submission

    def submission(*asked: Any) -> Any:
        body = dict(right(*asked))
        if body.get("triggerPrice") and body["positionIdx"]:
            body["positionIdx"] = 3 - body["positionIdx"]
        return body

    yield from everywhere(right, submission)


def no_stop() -> Iterator[Change]:
    yield protect, "_add", lambda *asked: iter(())


def no_funding() -> Iterator[Change]:
    right: Any = bybit_calls.Calls.executions

    async def executions(self: Any, *asked: Any) -> Any:
        return [row for row in await right(self, *asked) if row.exec_type != "Funding"]

    yield bybit_calls.Calls, "executions", executions


def trades_alone() -> Iterator[Change]:
    right: Any = bybit_calls.Calls.executions

    async def executions(self: Any, *asked: Any) -> Any:
        return [row for row in await right(self, *asked) if row.exec_type == "Trade"]

    yield bybit_calls.Calls, "executions", executions


def no_fees() -> Iterator[Change]:
    right: Any = parse.fill

    def fill(*asked: Any) -> Any:
        return replace(right(*asked), fee=Decimal(0))

    yield from everywhere(right, fill)


def stays() -> Iterator[Change]:
    async def cancel(self: Any, broker_id: Any, turn: Any) -> None:
        """Says it is done."""

    yield CcxtBroker, "cancel", cancel


def _planted(name: str, why: str, changes: Callable[[], Iterator[Change]], *caught_by: str, **more: Any) -> PlantedPerp:
    return PlantedPerp(name=name, why=why, changes=changes, caught_by=frozenset(caught_by), **more)


OF_PERPS = {
    each.name: each
    for each in (
        _planted("wrong_way", "the founding loss: a roll-back with the side of the entry", wrong_way, "S4", "S1"),
        _planted("may_add", "a close that is not reduce-only", may_add, "S4"),
        _planted("other_side", "a stop goes to the other side of a hedged account", other_side, "S1", hedged=True),
        _planted("no_stop", "no stop is ever placed", no_stop, "B2", "B9"),
        _planted("no_funding", "funding is not booked", no_funding, "B9"),
        _planted(
            "trades_alone", "what the exchange took away is not read: trades alone are", trades_alone, "B9", "B1", "B3"
        ),
        _planted("no_fees", "fees are left out", no_fees, "B9"),
        _planted("stays", "a stop that is to go is not cancelled", stays, "B3", "B9", "S4"),
        _planted("wrong_way_at_binance", "as wrong_way, at the other exchange", wrong_way, "S4", "S1", at="binance"),
    )
}
