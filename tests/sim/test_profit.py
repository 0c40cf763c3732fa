"""Profit beside the broker's cash: days of honest trading bring no difference, a trade nobody told of brings its own.

The days are drawn from seeds: a fixed one, and one that nobody has played."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from standfast.core.policy import Every, HeldBy, Policy
from standfast.exchange.activities import Activity, FillActivity
from standfast.exchange.assets import Asset
from standfast.exchange.events import Event
from standfast.exchange.market import Market, Walk
from standfast.exchange.orders import Side, Terms, Ticket
from standfast.exchange.refusal import Refused
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.script import Script
from standfast.model.breaks import Break, BreakKind
from standfast.model.journal import AlertRaised, BreakConfirmed, BreakSeen, CashCompared, Entry
from standfast.sim.adapter import EngineBroker
from standfast.sim.nights import Given
from standfast.sim.world import World, play
from tests.sim.stories import RULES, START, STOP_ONLY, D, guarded, market

NAMES = ("AAPL", "MSFT", "SPY")
SLOWLY = Every(
    positions=timedelta(seconds=30),
    orders=timedelta(seconds=30),
    fills=timedelta(seconds=30),
    full=timedelta(minutes=4),
    status=timedelta(hours=1),
)
DAYS = Given([(START + timedelta(hours=8 * day), START + timedelta(hours=8 * day + 6)) for day in range(9)])
"""Five sessions of six hours, with nights of two between them."""
LENGTH = timedelta(hours=40)
CHARGED = ExchangeRules(fee_per_unit=D("0.0137"), limited_by_size=True)
HIDDEN = "hidden"


def profit_breaks(world: World) -> list[Break]:
    return [each for each in world.book.breaks_at(None) if each.finding.kind is BreakKind.PNL]


def was_confirmed(entries: Sequence[Entry]) -> bool:
    kinds = {e.fact.id: e.fact.finding.kind for e in entries if isinstance(e.fact, BreakSeen)}
    return any(isinstance(e.fact, BreakConfirmed) and kinds[e.fact.id] is BreakKind.PNL for e in entries)


class Week:
    """What happens in the account, drawn from a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.draw = world, Random(seed)
        self.done: Counter[str] = Counter()
        self._splits = 0

    async def play(self) -> None:
        end = START + LENGTH
        while self.world.now < end:
            await self.world.run_for(self.draw.expovariate(1 / 700))
            deed = self.draw.choices(
                (self.trade, self.trade_again, self.pay, self.split, self.kill), (60, 15, 6, 1, 6)
            )[0]
            await deed()

    async def trade(self) -> None:
        """Some more, some less, all of it; long and short, whole shares and parts of one."""
        name, draw = self.draw.choice(NAMES), self.draw
        net = self.world.net(name)
        if net and draw.random() < 0.55:
            quantity = abs(net) if draw.random() < 0.5 else D(draw.randint(1, max(1, int(abs(net)))))
            await self._send(name, Side.SELL if net > 0 else Side.BUY, min(quantity, abs(net)))
        else:
            side = Side.SELL if net < 0 or (not net and draw.random() < 0.3) else Side.BUY
            part = D("0.557436865") if side is Side.BUY and draw.random() < 0.2 else D(0)
            await self._send(name, side, D(draw.randint(1, 400)) + part)

    async def trade_again(self) -> None:
        for _ in range(self.draw.randint(2, 6)):
            await self.trade()
            await self.world.run_for(self.draw.uniform(0, 20))

    async def _send(self, name: str, side: Side, quantity: Decimal) -> None:
        try:
            await self.world.submit(Ticket(terms=Terms(instrument=name, side=side, quantity=quantity)))
        except Refused as refused:
            self.done[f"refused: {str(refused)[:40]}"] += 1
        else:
            self.done["sent"] += 1

    async def pay(self) -> None:
        amount = self.draw.choice((D("0.01"), D("-3.17"), D("2500"), D("-1200.55"), D("41.385")))
        kind = self.draw.choice(("JNLC", "DIV", "INT", "FEE", "CSD"))
        self.world.engine.move_cash(self.world.rules.account, amount, kind)
        self.done["paid"] += 1

    async def split(self) -> None:
        if self._splits < 2:
            self._splits += 1
            self.world.engine.split(self.draw.choice(NAMES), D(self.draw.choice((2, 3))))
            self.done["split"] += 1

    async def kill(self) -> None:
        self.world.kill_guard(restart_after=self.draw.uniform(0.2, 400))
        self.done["killed"] += 1


def week(seed: int) -> tuple[Counter[str], list[CashCompared], int]:
    async def story(world: World) -> tuple[Counter[str], list[CashCompared], int]:
        await guarded(world)
        drawn = Week(world, seed)
        await drawn.play()
        await world.run_for(900)
        entries = await world.entries()
        told = f"seed {seed}: {drawn.done} {[each.finding for each in profit_breaks(world)]}"
        assert not was_confirmed(entries), told
        assert not profit_breaks(world), told
        seen = [e for e in entries if isinstance(e.fact, BreakSeen) and e.fact.finding.kind is BreakKind.PNL]
        return drawn.done, [e.fact for e in entries if isinstance(e.fact, CashCompared)], len(seen)

    rules = replace(RULES, every=SLOWLY, policies=(Policy(name="wide", stop_loss=D("0.03"), held_by=HeldBy.GUARD),))
    prices = Market(
        seed,
        [Walk(instrument=name, price=D(100 + 50 * n)) for n, name in enumerate(NAMES)],
        every=timedelta(seconds=30),
        sessions=DAYS,
    )
    return play(
        story, rules, prices, start=START, seed=seed, exchange=CHARGED, sessions=DAYS, real_seconds=300,
        instruments=[Asset(instrument=name, fractionable=True) for name in NAMES], cash=D(5_000_000),
    )  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, None])
def test_days_of_honest_trading_with_charges_splits_payments_and_kills_bring_no_difference(seed: int | None) -> None:
    done, compared, _ = week(seed if seed is not None else secrets.randbelow(1_000_000_000))
    assert done["sent"] > 50
    assert done["killed"]
    assert sum(each.agrees for each in compared) > 20, f"{len(compared)} comparisons"


def hide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders of that name are never told of, by no list and no message: only the money knows."""
    rows_after, tell = EngineBroker._rows_after, EngineBroker._tell

    def shown(broker: EngineBroker, watermark: str) -> list[Activity]:
        return [row for row in rows_after(broker, watermark) if not _is_hidden(broker, row)]

    def told(broker: EngineBroker, event: Event) -> None:
        if not event.order.client_order_id.startswith(HIDDEN):
            tell(broker, event)

    monkeypatch.setattr(EngineBroker, "_rows_after", shown)
    monkeypatch.setattr(EngineBroker, "_tell", told)


def _is_hidden(broker: EngineBroker, row: Activity) -> bool:
    if not isinstance(row, FillActivity):
        return False
    return broker._engine.order(row.account, row.order_id).client_order_id.startswith(HIDDEN)


async def trade_in_hiding(world: World, quantity: int) -> None:
    for number, side in enumerate((Side.BUY, Side.SELL)):
        terms = Terms(instrument="MSFT", side=side, quantity=D(quantity))
        await world.submit(Ticket(terms=terms, client_order_id=f"{HIDDEN}-{world.now:%H%M%S}-{number}"))


def test_a_round_trip_that_nobody_told_of_is_a_difference_until_it_is_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch)

    async def story(world: World) -> None:
        await guarded(world)
        await world.submit(market(Side.BUY, 100))
        await world.run_for(180)
        assert not profit_breaks(world)
        await trade_in_hiding(world, 500)
        await world.until(lambda: profit_breaks(world), within=180)
        (found,) = profit_breaks(world)
        assert (found.finding.booked, found.finding.reported) == ("0.00", "-10.00")
        assert not found.confirmed
        world.kill_guard()
        await guarded(world)
        await world.until(lambda: profit_breaks(world)[0].confirmed, within=3900)
        (alert,) = (alert for alert in world.book.state.alerts.values() if alert.break_id == found.id)
        assert "-10.00 is unexplained" in alert.text
        await world.run_for(3600 * 2)
        told = [e for e in await world.entries() if isinstance(e.fact, AlertRaised) and e.fact.break_id == found.id]
        assert len(told) == 1
        await world.request("ack", alert=alert.id)
        await world.until(lambda: not profit_breaks(world), within=180)
        await world.run_for(600)
        assert not profit_breaks(world)

    quoted = [(timedelta(0), "100.00", "100.02")]
    assets = [Asset(instrument="AAPL"), Asset(instrument="MSFT")]
    play(story, STOP_ONLY, Script({"AAPL": quoted, "MSFT": quoted}), start=START, instruments=assets, real_seconds=120)
