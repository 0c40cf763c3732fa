"""How a plan is played in any world: faults and deeds, each at its time, then quiet, then the reckoning."""

import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, Protocol

from standfast.exchange.market import Market, Slow
from standfast.exchange.sessions import Sessions
from standfast.model.errors import JournalDamaged
from standfast.model.journal import Entry
from standfast.sim.catalogue import KINDS
from standfast.sim.outcome import Outcome
from standfast.sim.plan import Plan
from standfast.sim.story import Story
from standfast.sim.strikes import FIRST, Strikes
from standfast.sim.strokes import Stroke
from standfast.sim.watch import Violation
from standfast.sim.workload import Deed, Doer

LAST = 80
"""Lines of a timeline."""
LONGEST = 4000
"""Letters of an error's text."""


class Judge(Protocol):
    """What an outcome takes from who has judged the run."""

    @property
    def worst(self) -> Mapping[str, float]: ...

    @property
    def sometimes(self) -> Mapping[str, int]: ...

    @property
    def states(self) -> AbstractSet[str]: ...


class Played(ABC):
    """One run. Its world is made inside the loop."""

    world: Story
    checker: Judge
    swarm: Strikes
    workload: Doer

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.violation: tuple[str, str] | None = None

    async def through(self) -> None:
        try:
            await self._live()
        except Violation as found:
            self.violation = (found.id, found.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed that shows it is what is wanted
            self.violation = ("error", "".join(traceback.format_exception(error))[-LONGEST:])

    @abstractmethod
    async def _live(self) -> None:
        """Make the world, and `_direct` what happens in it."""

    @abstractmethod
    async def _calm(self) -> None:
        """Chaos is over: nobody trades from now on."""

    @abstractmethod
    async def _reckon(self) -> None:
        """All is said and done. Raises `Violation` for what is not as it must be."""

    @abstractmethod
    def outcome(self, *, whole: bool, digested: bool) -> Outcome:
        """What became of it; `whole` tells all that happened, `digested` puts it in a number to compare."""

    async def _direct(self) -> None:
        """Everything of the plan at its time; then quiet."""
        plan, world = self.plan, self.world
        acts: list[tuple[float, int, Stroke | Deed | None]] = [(plan.guard_at, 0, None)]
        acts += [(stroke.at, 1, stroke) for stroke in plan.strokes]
        acts += [(stroke.at + stroke.seconds, 2, stroke) for stroke in plan.strokes]
        acts += [(deed.at, 3, deed) for deed in plan.deeds]
        for at, which, act in sorted(acts, key=lambda row: (row[0], row[1])):
            await world.run_until(at)
            if isinstance(act, Deed):
                await self.workload.do(act)
            elif isinstance(act, Stroke):
                (self.swarm.begin if which == 1 else self.swarm.end)(act)
            else:
                world.keeper.start(FIRST)
        await world.run_until(plan.chaos)
        self.swarm.heal()
        await self._calm()
        await world.run_for(plan.quiet)
        await self._reckon()

    @property
    def _still_from(self) -> datetime:
        return self.plan.start + timedelta(seconds=self.plan.chaos)

    def _market(self, sessions: Sessions | None = None) -> Market:
        plan = self.plan
        lulls = tuple(
            (plan.start + timedelta(seconds=begin), plan.start + timedelta(seconds=end))
            for begin, end in plan.spells.lulls
        )
        slow = Slow(plan.slow, lulls)
        return Market(plan.seed, plan.walks, every=plan.every, slow=slow, events=plan.moves, sessions=sessions)

    def _entries(self) -> Sequence[Entry]:
        """The journal; none of it when it does not verify, which is a finding like any other."""
        try:
            return self.world.entries_now()
        except JournalDamaged as error:
            self.violation = self.violation or ("S9", f"the journal does not verify: {error}")
            return ()

    def _outcome(self, faults: Counter[int], passed: timedelta, told: Sequence[str], **more: Any) -> Outcome:
        seconds = passed / timedelta(seconds=1)
        return Outcome(
            seed=self.plan.seed,
            hours=seconds / 3600,
            at=seconds,
            effects=self.world.effects.count,
            kills=self.world.keeper.kills,
            faults={kind: faults[kind] for kind in KINDS if faults[kind]},
            deeds=dict(self.workload.done),
            worst=dict(self.checker.worst),
            sometimes=dict(self.checker.sometimes),
            states=frozenset(self.checker.states),
            violation=self.violation,
            timeline=tuple(told),
            **more,
        )
