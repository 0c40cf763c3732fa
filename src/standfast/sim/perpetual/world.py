"""One account of perpetual futures under virtual time: exchange, dialect, prices, ledger, and a guard to be killed.

As `world`, around the engine for perpetual futures and through the real adapter. What watches it hears of every event
of the exchange, every request as it arrives and every entry, before anybody can act on it.

Invariants
1. The exchange is at the loop's time whenever anybody looks at it.
2. Same plan, same story: the same `digest`.
3. A guard that fails makes the next wait of the story fail, with the guard's own error.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from standfast.brokers.ccxt.markets import Shelf
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Faults
from standfast.exchange.market import Prices
from standfast.exchange.perpetual.books import Execution
from standfast.exchange.perpetual.contract import perpetual
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Asked, Event
from standfast.exchange.perpetual.orders import Order
from standfast.exchange.serving_perpetuals import RULES
from standfast.model.ids import Holding, InstrumentId
from standfast.model.journal import Entry
from standfast.sim.disk import SimStore
from standfast.sim.effects import Effects
from standfast.sim.guards import Habitat, People, SimBroker
from standfast.sim.keeper import Keeper
from standfast.sim.loop import VirtualClock, current
from standfast.sim.perpetual.line import PerpWire, SimPerpetuals
from standfast.sim.plan import Perps, Plan
from standfast.sim.story import Story
from standfast.sim.watch import CANARIES

SIDES = ("", "long", "short")
"""Of a hedged account, by the exchange's index."""
TICK = 0.25
"""Seconds between two looks at what the exchange has put off."""


class PerpWatcher(Protocol):
    """Raising `Violation` ends the story with it."""

    def asked(self, asked: Asked) -> None:
        """A request arrives at the exchange, and is not judged yet."""
        ...

    def happened(self, event: Event) -> None: ...

    def committed(self, entries: Sequence[Entry]) -> None: ...

    def tick(self, now: datetime) -> None:
        """Once in every virtual second."""
        ...


class PerpWorld(Story):
    """Use it as a context inside `loop.run`."""

    wire: PerpWire
    watchers: list[PerpWatcher]

    def __init__(self, plan: Plan, prices: Prices) -> None:
        about = plan.perps
        assert about is not None, "a plan of perpetual futures"
        super().__init__(plan.seed, plan.order_seed)
        self.plan, self.about, self.rules = plan, about, plan.rules
        self.engine = _engine(plan, about)
        self.faults = Faults(seed=plan.seed)
        self.venue = Perpetuals(self.engine, faults=self.faults, prices=prices, speed=1.0)
        self.wire = PerpWire(self.venue, about.at, plan.travel, seed=plan.seed)
        self.effects = Effects(self.clock.now, lambda process: self.keeper.kill_process(process), lambda name: None)
        self.people = People(seed=plan.seed)
        self.store = SimStore(lambda holder: self.keeper.is_alive(holder), seed=plan.seed)
        self.store.committed = lambda entries: self._tell("committed", entries)
        self.tape: list[Event] = []
        self.watchers = []
        self._shelf = Shelf()
        habitat = Habitat(
            rules=lambda: self.rules,
            store=self.store,
            people=self.people,
            effects=self.effects,
            broker_for=self._broker_for,
            session_close=lambda day: None,
        )
        self.keeper = Keeper(habitat, self.wire, self.fail, plan.restart_after)
        self.engine.listeners.append(self._happened)
        self.engine.overhearers.append(lambda asked: self._tell("asked", asked))

    def _broker_for(self, clock: VirtualClock) -> SimBroker:
        return SimPerpetuals(self.wire, self._shelf, clock, self.rules.account, streams=self.about.streams)

    async def __aenter__(self) -> "PerpWorld":
        self._tasks = [current().create_task(self.wire.served.keep_time(TICK), name="market")]
        self._tasks.append(current().create_task(self._watch(), name="watch"))
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.keeper.end()
        for task in self._tasks:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            await self.clock.sleep(1.0)
            self._tell("tick", self.venue.catch_up())

    # --- the exchange ---------------------------------------------------------------------------

    @property
    def account_name(self) -> str:
        return self.rules.account

    def holding(self, symbol: str, index: int) -> Holding:
        base = symbol.removesuffix("USDT")
        return Holding(InstrumentId(f"{base}/USDT:USDT"), SIDES[index])

    def net(self, symbol: str, index: int) -> Decimal:
        return self.engine.position(self.account_name, symbol, index).quantity

    def sides(self) -> list[tuple[str, int]]:
        """Every holding there can be."""
        return [(name, index) for name in self.plan.instruments for index in ((1, 2) if self.about.hedged else (0,))]

    def working(self, symbol: str, index: int) -> list[Order]:
        return [order for order in self.engine.working(self.account_name, symbol) if order.index == index]

    def executions(self) -> list[Execution]:
        return self.engine.books(self.account_name).executions

    def _happened(self, event: Event) -> None:
        self.tape.append(event)
        self._tell("happened", event)

    # --- what was so ----------------------------------------------------------------------------

    def digest(self, entries: Sequence[Entry]) -> str:
        """Equal for equal runs."""
        total = hashlib.blake2b(self.effects.digest.encode(), digest_size=16)
        for event in self.tape:
            order = event.order.id if event.order is not None else ""
            total.update(f"{event.at} {event.kind} {event.instrument} {order} {event.amount}\n".encode())
        for entry in entries:
            total.update(f"{entry.at} {entry.hash}\n".encode())
        return total.hexdigest()

    def timeline(self, entries: Sequence[Entry], last: int | None) -> list[str]:
        """A line for each event of an order or its fills, and each entry, in their order."""
        tape = [event for event in self.tape if event.order is not None or event.execution is not None]
        told = [(event.at, f"exchange: {brief(event)}") for event in (tape[-last:] if last else tape)]
        told += [
            (entry.at, f"journal {entry.number}: {entry.fact}") for entry in (entries[-last:] if last else entries)
        ]
        return [f"{at:%H:%M:%S.%f} {text}" for at, text in sorted(told, key=lambda row: row[0])]


def _engine(plan: Plan, about: Perps) -> PerpetualEngine:
    contracts = [
        perpetual(name, funding_every=about.funding_every, funding_rate=about.funding_rate) for name in plan.instruments
    ]
    spec = AccountSpec(name=plan.rules.account, key_id=CANARIES[0], secret=CANARIES[1], cash=about.cash)
    engine = PerpetualEngine(contracts, [spec], start=plan.start, seed=plan.seed, rules=RULES[about.at])
    for contract in contracts:
        if engine.settings(spec.name, contract.symbol).leverage != about.leverage:
            engine.set_leverage(spec.name, contract.symbol, about.leverage)
    if about.hedged:
        engine.set_account_mode(spec.name, is_hedged=True)
    if about.isolated:
        engine.set_account_margin_mode(spec.name, is_isolated=True)
    return engine


def brief(event: Event) -> str:
    """One event in a line."""
    order, execution = event.order, event.execution
    if execution is not None:
        what = f"{execution.kind} {execution.side} {execution.quantity} at {execution.price} of {execution.link_id}"
        return f"{event.kind} {event.instrument}/{execution.index} {what}"
    assert order is not None, event
    trigger = f" when {order.ticket.trigger.price}" if order.ticket.trigger is not None else ""
    text = f"{order.ticket.link_id} {order.side} {order.ticket.quantity}{trigger} {order.status}"
    return f"{event.kind} {event.instrument}/{order.index} {text} {order.ended or ''}"
