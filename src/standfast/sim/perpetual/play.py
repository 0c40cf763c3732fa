"""Plays a plan of perpetual futures, as `chaos` plays the others: faults and deeds, then quiet, then the reckoning."""

import traceback
from datetime import timedelta

from standfast.exchange.market import Market, Slow
from standfast.model.errors import JournalDamaged
from standfast.sim.catalogue import KINDS
from standfast.sim.market_still import STILL_EVERY, ThenStill
from standfast.sim.outcome import Outcome
from standfast.sim.perpetual.checker import PerpChecker
from standfast.sim.perpetual.deeds import EXCHANGES_OWN, PerpWorkload
from standfast.sim.perpetual.faults import FIRST, PerpSwarm
from standfast.sim.perpetual.money import check as check_money
from standfast.sim.perpetual.world import PerpWorld
from standfast.sim.plan import Plan
from standfast.sim.strokes import Stroke
from standfast.sim.watch import CANARIES, Violation
from standfast.sim.workload import Deed

LAST = 80
"""Lines of a timeline."""
LONGEST = 4000
"""Letters of an error's text."""


class PerpPlayed:
    """One run. Its world is made inside the loop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.violation: tuple[str, str] | None = None
        self.world: PerpWorld
        self.checker: PerpChecker
        self.swarm: PerpSwarm
        self.workload: PerpWorkload

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
        lulls = tuple(
            (plan.start + timedelta(seconds=begin), plan.start + timedelta(seconds=end))
            for begin, end in plan.spells.lulls
        )
        market = Market(plan.seed, plan.walks, every=plan.every, slow=Slow(plan.slow, lulls), events=plan.moves)
        still_from = plan.start + timedelta(seconds=plan.chaos)
        self.world = world = PerpWorld(plan, ThenStill(market, still_from, STILL_EVERY))
        self.swarm = PerpSwarm(world, seed=plan.seed)
        self.checker = PerpChecker(world, lambda: self.swarm.is_healthy)
        world.watchers.append(self.checker)
        self.workload = PerpWorkload(world)

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
        await world.run_for(plan.quiet)
        await self._reckon()

    async def _reckon(self) -> None:
        world = self.world
        entries = world.entries_now()
        await self.checker.finish()
        check_money(entries, world.executions(), world.about.at)
        people = (f"{told.title} {told.text}" for told in world.people.told)
        for text in (*people, *world.people.lines.leaks, *world.timeline(entries, None)):
            for canary in CANARIES:
                if canary in text:
                    raise Violation("S13", f"{canary} is told: {text[:200]}")

    async def _until(self, at: float) -> None:
        left = at - self.world.clock.monotonic()
        if left > 0:
            await self.world.run_for(left)

    def outcome(self, *, whole: bool) -> Outcome:
        plan, world = self.plan, self.world
        try:
            entries = list(world.entries_now())
        except JournalDamaged as error:
            self.violation = self.violation or ("S9", f"the journal does not verify: {error}")
            entries = []
        faults = self.swarm.counted()
        faults[77] += sum(self.workload.done[verb] for verb in EXCHANGES_OWN)
        faults[75] += sum(count for verb, count in self.workload.done.items() if verb not in EXCHANGES_OWN)
        passed = (world.engine.now - plan.start).total_seconds()
        is_told = bool(self.violation) or whole
        told = world.timeline(entries, None if whole else LAST) if is_told else []
        return Outcome(
            seed=plan.seed,
            hours=passed / 3600,
            effects=len(world.effects.log),
            kills=world.keeper.kills,
            faults={kind: faults[kind] for kind in KINDS if faults[kind]},
            orders=len(world.engine.orders(world.account_name)),
            deeds=dict(self.workload.done),
            worst=dict(self.checker.worst),
            sometimes=dict(self.checker.sometimes),
            states=frozenset(self.checker.states),
            violation=self.violation,
            healthy=self.checker.healthy / 3600,
            at=passed,
            digest=world.digest(entries),
            timeline=tuple(told if whole else told[-LAST:]),
        )
