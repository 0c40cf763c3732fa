"""Plays a plan: chaos with every promise checked at every event, then quiet, in which everything must converge.

Theory: what is found is worth nothing unless it can be found again, so a run has no input but its plan, and its
outcome says everything a summary or a bug report needs.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from standfast.exchange.assets import asset_of
from standfast.exchange.chain import Chain
from standfast.exchange.contracts import contract_of
from standfast.exchange.events import Event
from standfast.exchange.market import Prices
from standfast.model.journal import Entry
from standfast.sim import tale
from standfast.sim.board import Board
from standfast.sim.judge.checker import Checker
from standfast.sim.judge.liveness import is_reserved
from standfast.sim.loop import Deadlock, TooSlow, run
from standfast.sim.market_still import STILL_EVERY as STILL_EVERY
from standfast.sim.market_still import ThenStill as ThenStill
from standfast.sim.nights import Given
from standfast.sim.outcome import Outcome as Outcome
from standfast.sim.perpetual.play import PerpPlayed
from standfast.sim.plan import Plan
from standfast.sim.playing import LAST, Played
from standfast.sim.sealed import uncollected
from standfast.sim.spreads.checker import SpreadChecker
from standfast.sim.spreads.deeds import SpreadWorkload
from standfast.sim.swarm import Swarm
from standfast.sim.watch import CANARIES
from standfast.sim.workload import AT_THE_BROKER, Workload
from standfast.sim.world import World

CASH, PLENTY = Decimal(100_000), Decimal(10_000_000)
"""Of an account of shares, and of one of options: each as much as the exchange wants set aside for what is sold."""
REAL_SECONDS = 1800.0
"""After so many real seconds a run counts as one that never ends."""
SAMPLED = 30.0
"""Seconds between two samples of health, which is a figure of the outcome and nothing that is judged."""


class _Health:
    """A `Watcher` that counts the time in which the account was healthy."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names = [asset.instrument for asset in world.engine.assets()]
        self._seconds = 0.0
        self._ticked = world.now

    @property
    def hours(self) -> float:
        return self._seconds / len(self._names) / 3600

    def happened(self, event: Event) -> None:
        """Nothing to count."""

    def committed(self, entries: Sequence[Entry]) -> None:
        """Nothing to count."""

    def effect(self, name: str) -> None:
        """Nothing to count."""

    def tick(self, now: datetime) -> None:
        """Some time has passed, all of it taken as it is now."""
        passed = (now - self._ticked).total_seconds()
        if passed >= SAMPLED:
            self._ticked = now
            self._seconds += passed * sum(self._world.health(name) for name in self._names)

    @property
    def is_idle(self) -> bool:
        return True


def play(plan: Plan, *, whole: bool = False, digested: bool = True) -> Outcome:
    """Play it to its end. Never raises for what the guard does: that is the outcome's `violation`.

    `whole`: tell all that happened, not only the last of a run that failed. `digested`: with the digest, for who
    compares runs.
    """
    with uncollected():  # the world is let go first: a look through what still lives finds nothing
        return _play(plan, whole=whole, digested=digested)


def _play(plan: Plan, *, whole: bool, digested: bool) -> Outcome:
    played = _Played(plan) if plan.perps is None else PerpPlayed(plan)
    try:
        run(played.through(), start=plan.start, real_seconds=REAL_SECONDS)
    except (TooSlow, Deadlock) as error:
        played.violation = ("error", f"{type(error).__name__}: {error}")
    return played.outcome(whole=whole, digested=digested)


def _with_options(underlyings: Prices, board: Board) -> Prices:
    contracts = [contract for name in board.contracts if (contract := contract_of(name)) is not None]
    return Chain(underlyings, contracts, volatility=board.volatility, every=board.every)


class _Played(Played):
    """Of shares, or of options."""

    world: World
    checker: Checker
    workload: Workload | SpreadWorkload

    async def _live(self) -> None:
        self._make()
        async with self.world:
            await self._direct()

    def _make(self) -> None:
        plan = self.plan
        sessions = Given(plan.sessions) if plan.sessions else None
        market: Prices = self._market(sessions)
        if plan.board is not None:
            market = _with_options(market, plan.board)
        self.world = World(
            plan.rules,
            ThenStill(market, self._still_from, STILL_EVERY),
            seed=plan.seed,
            instruments=[asset_of(name) for name in plan.instruments],
            exchange=plan.exchange,
            travel=plan.travel,
            sessions=sessions,
            cash=CASH if plan.board is None else PLENTY,
            order_seed=plan.order_seed,
            restart_after=plan.restart_after,
            through=plan.through,
        )
        self.checker = self._checker()
        self._health = _Health(self.world)
        self.world.watchers += [self.checker, self._health]
        self.swarm = swarm = Swarm(self.world, seed=plan.seed, share=plan.partly)
        swarm.is_reserved = self._is_reserved
        self.workload = Workload(self.world) if plan.board is None else SpreadWorkload(self.world, plan.board)

    def _checker(self) -> Checker:
        """By what the broker declares. The number of a Tradier account is in its addresses, and no secret."""
        if self.plan.through != "tradier":
            return Checker(self.world)
        from standfast.brokers.tradier.adapter import CONTRACT

        kind = Checker if self.plan.board is None else SpreadChecker
        return kind(self.world, contract=CONTRACT, canaries=CANARIES[1:])

    def _is_reserved(self, instrument: str) -> bool:
        return is_reserved(self.checker.witness, self.checker.retold, instrument)

    async def _calm(self) -> None:
        await self.workload.leave()
        self.checker.quiet()
        self.world.ticker.hasten()

    async def _reckon(self) -> None:
        world = self.world
        people = (f"{told.title} {told.text}" for told in world.people.told)
        trace = tale.timeline(world.tape[-LAST:], world.entries_now()[-LAST:])
        await self.checker.finish(*people, *world.people.lines.leaks, *trace)

    def outcome(self, *, whole: bool, digested: bool) -> Outcome:
        world, entries = self.world, self._entries()
        faults = self.swarm.counted()
        faults[75] += sum(count for verb, count in self.workload.done.items() if verb in AT_THE_BROKER)
        faults[26] += self.workload.done["buy a fraction"]
        told: list[str] = []
        if whole:
            told = tale.timeline(world.tape, entries)
        elif self.violation:
            told = tale.timeline(world.tape[-LAST:], entries[-LAST:])[-LAST:]
        return self._outcome(
            faults,
            world.engine.now - self.plan.start,
            told,
            orders=len({event.order.id for event in world.tape}),
            healthy=self._health.hours,
            digest=tale.digest(world.effects, world.tape, entries) if digested else "",
        )
