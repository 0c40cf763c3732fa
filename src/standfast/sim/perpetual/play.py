"""Plays a plan of perpetual futures, as `chaos` plays the others: faults and deeds, then quiet, then the reckoning."""

from standfast.sim.market_still import STILL_EVERY, ThenStill
from standfast.sim.outcome import Outcome
from standfast.sim.perpetual.checker import PerpChecker
from standfast.sim.perpetual.deeds import EXCHANGES_OWN, PerpWorkload
from standfast.sim.perpetual.faults import PerpSwarm
from standfast.sim.perpetual.money import check as check_money
from standfast.sim.perpetual.world import PerpWorld
from standfast.sim.playing import LAST, Played
from standfast.sim.watch import CANARIES, Violation


class PerpPlayed(Played):
    """Of perpetual futures."""

    world: PerpWorld
    checker: PerpChecker

    async def _live(self) -> None:
        plan = self.plan
        self.world = world = PerpWorld(plan, ThenStill(self._market(), self._still_from, STILL_EVERY))
        self.swarm = PerpSwarm(world, seed=plan.seed)
        self.checker = PerpChecker(world, lambda: world.is_well and not self.swarm.is_hindered)
        world.watchers.append(self.checker)
        self.workload = PerpWorkload(world)
        async with world:
            await self._direct()

    async def _calm(self) -> None:
        """What a bot has left there may fill: nothing moves any more."""

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

    def outcome(self, *, whole: bool, digested: bool) -> Outcome:
        world, entries = self.world, self._entries()
        faults = self.swarm.counted()
        faults[77] += sum(self.workload.done[verb] for verb in EXCHANGES_OWN)
        faults[75] += sum(count for verb, count in self.workload.done.items() if verb not in EXCHANGES_OWN)
        told: list[str] = []
        if whole:
            told = world.timeline(entries, None)
        elif self.violation:
            told = world.timeline(entries, LAST)[-LAST:]
        return self._outcome(
            faults,
            world.engine.now - self.plan.start,
            told,
            orders=len(world.engine.orders(world.account_name)),
            healthy=self.checker.healthy / 3600,
            digest=world.digest(entries) if digested else "",
        )
