"""Plays a plan: chaos with every promise checked at every event, then quiet, in which everything must converge.

Theory: what is found is worth nothing unless it can be found again, so a run has no input but its plan, and its
outcome says everything a summary or a bug report needs.
"""

import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.exchange.assets import asset_of
from standfast.exchange.chain import Chain
from standfast.exchange.contracts import contract_of
from standfast.exchange.events import Event
from standfast.exchange.market import Market, Prices, Slow
from standfast.model.errors import JournalDamaged
from standfast.model.journal import Entry
from standfast.sim import tale
from standfast.sim.board import Board
from standfast.sim.catalogue import KINDS
from standfast.sim.judge.checker import Checker
from standfast.sim.judge.liveness import is_reserved
from standfast.sim.loop import Deadlock, TooSlow, run
from standfast.sim.market_still import STILL_EVERY as STILL_EVERY
from standfast.sim.market_still import ThenStill as ThenStill
from standfast.sim.nights import Given
from standfast.sim.outcome import Outcome as Outcome
from standfast.sim.perpetual.play import PerpPlayed
from standfast.sim.plan import Plan
from standfast.sim.sealed import uncollected
from standfast.sim.spreads.checker import SpreadChecker
from standfast.sim.spreads.deeds import SpreadWorkload
from standfast.sim.strokes import Stroke
from standfast.sim.swarm import FIRST, Swarm
from standfast.sim.watch import CANARIES, Violation
from standfast.sim.workload import AT_THE_BROKER, Deed, Workload
from standfast.sim.world import World

CASH, PLENTY = Decimal(100_000), Decimal(10_000_000)
"""Of an account of shares, and of one of options: each as much as the exchange wants set aside for what is sold."""
REAL_SECONDS = 1800.0
"""After so many real seconds a run counts as one that never ends."""
SAMPLED = 30.0
"""Seconds between two samples of health, which is a figure of the outcome and nothing that is judged."""
LAST = 80
"""Lines of a timeline."""
LONGEST = 4000
"""Letters of an error's text."""


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


def play(plan: Plan, *, whole: bool = False) -> Outcome:
    """Play it to its end. Never raises for what the guard does: that is the outcome's `violation`.

    `whole`: tell all that happened, not only the last of a run that failed.
    """
    with uncollected():  # the world is let go first: a look through what still lives finds nothing
        return _play(plan, whole=whole)


def _play(plan: Plan, *, whole: bool) -> Outcome:
    played = _Played(plan) if plan.perps is None else PerpPlayed(plan)
    try:
        run(played.through(), start=plan.start, real_seconds=REAL_SECONDS)
    except (TooSlow, Deadlock) as error:
        played.violation = ("error", f"{type(error).__name__}: {error}")
    return played.outcome(whole=whole)


def _with_options(underlyings: Prices, board: Board) -> Prices:
    contracts = [contract for name in board.contracts if (contract := contract_of(name)) is not None]
    return Chain(underlyings, contracts, volatility=board.volatility, every=board.every)


class _Played:
    """One run. Its world is made inside the loop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.violation: tuple[str, str] | None = None
        self.world: World
        self.checker: Checker
        self.swarm: Swarm
        self.workload: Workload | SpreadWorkload

    async def through(self) -> None:
        self._make()
        try:
            async with self.world:
                await self._direct()
        except Violation as found:
            self.violation = (found.id, found.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed that shows it is what is wanted
            self.violation = ("error", "".join(traceback.format_exception(error))[-LONGEST:])

    def _make(self) -> None:
        plan = self.plan
        sessions = Given(plan.sessions) if plan.sessions else None
        lulls = [
            (plan.start + timedelta(seconds=begin), plan.start + timedelta(seconds=end))
            for begin, end in plan.spells.lulls
        ]
        market: Prices = Market(
            plan.seed,
            plan.walks,
            every=plan.every,
            slow=Slow(plan.slow, tuple(lulls)),
            events=plan.moves,
            sessions=sessions,
        )
        if plan.board is not None:
            market = _with_options(market, plan.board)
        still_from = plan.start + timedelta(seconds=plan.chaos)
        self.world = World(
            plan.rules,
            ThenStill(market, still_from, STILL_EVERY),
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
        self.swarm = Swarm(self.world, seed=plan.seed, share=plan.partly)
        self.swarm.is_reserved = self._is_reserved
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

    async def _direct(self) -> None:
        """Everything of the plan at its time; then quiet."""
        plan, world = self.plan, self.world
        acts: list[tuple[float, int, Stroke | Deed | None]] = [(plan.guard_at, 0, None)]
        acts += [(stroke.at, 1, stroke) for stroke in plan.strokes]
        acts += [(stroke.at + stroke.seconds, 2, stroke) for stroke in plan.strokes]
        acts += [(deed.at, 3, deed) for deed in plan.deeds]
        for at, which, act in sorted(acts, key=lambda row: (row[0], row[1])):
            await self._until(at)
            if isinstance(act, Deed):
                await self.workload.do(act)
            elif isinstance(act, Stroke):
                (self.swarm.begin if which == 1 else self.swarm.end)(act)
            else:
                world.keeper.start(FIRST)
        await self._until(plan.chaos)
        self.swarm.heal()
        await self.workload.leave()
        self.checker.quiet()
        world.ticker.hasten()
        await world.run_for(plan.quiet)
        people = (f"{told.title} {told.text}" for told in world.people.told)
        trace = tale.timeline(world.tape[-LAST:], world.entries_now()[-LAST:])
        await self.checker.finish(*people, *world.people.lines.leaks, *trace)

    async def _until(self, at: float) -> None:
        left = at - self.world.clock.monotonic()
        if left > 0:
            await self.world.run_for(left)

    def _entries(self) -> Sequence[Entry]:
        """The journal; none of it when it does not verify, which is a finding like any other."""
        try:
            return self.world.entries_now()
        except JournalDamaged as error:
            self.violation = self.violation or ("S9", f"the journal does not verify: {error}")
            return ()

    def outcome(self, *, whole: bool) -> Outcome:
        plan, world = self.plan, self.world
        entries = self._entries()
        faults = self.swarm.counted()
        faults[75] += sum(count for verb, count in self.workload.done.items() if verb in AT_THE_BROKER)
        faults[26] += self.workload.done["buy a fraction"]
        last = None if whole else LAST
        told = tale.timeline(world.tape[-last:] if last else world.tape, entries[-last:] if last else entries)
        passed = (world.engine.now - plan.start).total_seconds()
        return Outcome(
            seed=plan.seed,
            hours=passed / 3600,
            effects=len(world.effects.log),
            kills=world.keeper.kills,
            faults={kind: faults[kind] for kind in KINDS if faults[kind]},
            orders=len({event.order.id for event in world.tape}),
            deeds=dict(self.workload.done),
            worst=dict(self.checker.worst),
            sometimes=dict(self.checker.sometimes),
            states=frozenset(self.checker.states),
            violation=self.violation,
            healthy=self._health.hours,
            at=passed,
            digest=tale.digest(world.effects, world.tape, entries),
            timeline=tuple(told if whole else told[-LAST:]) if self.violation or whole else (),
        )
