"""`standfast drill fuzz`: seeds of the simulation, many at a time, and what they prove when none of them fails.

Theory: one seed is one process's work, deterministic and independent of all others, so seeds run side by side and the
order in which they end does not matter. A failing seed is shrunk where it failed, by the process that ran it.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from standfast.core.policy import Policy
from standfast.settings.policies import read_policies
from standfast.settings.quick import parsed, source
from standfast.settings.report import Report, line_numbers
from standfast.settings.table import Table
from standfast.sim.catalogue import KINDS
from standfast.sim.chaos import Outcome, play
from standfast.sim.plan import Plan
from standfast.sim.seeds import Play, plan_of, seeds_from
from standfast.sim.shrink import shrink

SHRINK_RUNS = 60
SHRINK_CPU = 90.0
"""Seconds of this processor's time one failure may take to be shrunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to be played, as `run` says."""

    first: int
    seeds: int | None
    hours: float
    jobs: int
    policy: Path | None
    plays: Play
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One seed that broke a promise."""

    seed: int
    id: str
    text: str
    at: float
    """Seconds since its start."""
    faults: tuple[str, ...]
    """What is left of the plan's faults and deeds once it is shrunk."""
    timeline: tuple[str, ...]
    replay: str
    """The command that plays it again."""


@dataclass(slots=True)
class Found:
    """The sum of what was played."""

    seeds: int = 0
    hours: float = 0.0
    healthy: float = 0.0
    """Hours in which the clock of the bounds ran."""
    cpu: float = 0.0
    effects: int = 0
    kills: int = 0
    orders: int = 0
    faults: Counter[int] = field(default_factory=Counter)
    sometimes: Counter[str] = field(default_factory=Counter)
    states: set[str] = field(default_factory=set)
    worst: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def add(self, outcome: Outcome, cpu: float) -> None:
        self.seeds += 1
        self.hours += outcome.hours
        self.healthy += outcome.healthy
        self.cpu += cpu
        self.effects += outcome.effects
        self.kills += outcome.kills
        self.orders += outcome.orders
        self.faults.update(outcome.faults)
        self.sometimes.update(outcome.sometimes)
        self.states |= outcome.states
        for name, seconds in outcome.worst.items():
            self.worst[name] = max(self.worst.get(name, 0.0), seconds)

    @property
    def bound(self) -> float:
        """With 95 % confidence fewer than this share of all seeds fail, none of these having failed."""
        return min(1.0, 3 / self.seeds) if self.seeds else 1.0

    def named_faults(self) -> dict[str, int]:
        """How often each kind of fault struck, those that never did included."""
        return {f"{number} {kind.name}": self.faults[number] for number, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class _Ran:
    """What one process has to say about one seed."""

    outcome: Outcome
    cpu: float
    failure: Failure | None


Told = Callable[[Found, Outcome], None]


def run(  # noqa: PLR0913 - one argument for each thing a person can wish
    *,
    first: int,
    seeds: int | None = 100,
    hours: float = 1.0,
    jobs: int = 1,
    policy: Path | None = None,
    plays: str = Play.AS_NUMBERED,
    whole: bool = False,
    told: Told = lambda found, outcome: None,
) -> Found:
    """Play seeds from `first` on, `seeds` None: until one fails; `told` hears of each as it ends. `plays`: see `Play`.

    `whole`: keep the whole timeline of every seed. SettingsError when the policy file is wrong.
    """
    wishes = Wishes(first=first, seeds=seeds, hours=hours, jobs=jobs, policy=policy, plays=Play(plays), whole=whole)
    policies = None if wishes.policy is None else policies_of(wishes.policy)
    found = Found()
    for ran in _outcomes(wishes, policies):
        found.add(ran.outcome, ran.cpu)
        if ran.failure is not None:
            found.failures.append(ran.failure)
        told(found, ran.outcome)
        if wishes.seeds is None and found.failures:
            break
    return found


def policies_of(file: Path) -> tuple[Policy, ...]:
    """The `[[policies]]` of a settings file, whatever else is in it. Raises `SettingsError`."""
    written = source(file)
    report = Report(str(file), line_numbers(written), {})
    policies = read_policies(list(Table(parsed(file, written), (), report).tables("policies")), report)
    if not policies:
        report.missing(("policies",), "Write at least one [[policies]] section")
    report.close()
    return policies


def _outcomes(wishes: Wishes, policies: Sequence[Policy] | None) -> Iterator[_Ran]:
    seeds = seeds_from(wishes.first, wishes.seeds, wishes.plays)
    if wishes.jobs == 1:
        for seed in seeds:
            yield _play(seed, wishes, policies)
        return
    with ProcessPoolExecutor(wishes.jobs, mp_context=get_context("spawn")) as pool:
        waiting: set[Future[_Ran]] = {
            pool.submit(_play, seed, wishes, policies) for seed in islice(seeds, 2 * wishes.jobs)
        }
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for seed in islice(seeds, len(done)):
                    waiting.add(pool.submit(_play, seed, wishes, policies))
                for each in done:
                    yield each.result()
        finally:
            for each in waiting:
                each.cancel()


def _play(seed: int, wishes: Wishes, policies: Sequence[Policy] | None) -> _Ran:
    plan = plan_of(seed, hours=wishes.hours, policies=policies)
    began = _cpu()
    outcome = play(plan, whole=wishes.whole, digested=wishes.whole)
    cpu = _cpu() - began
    failure = None if outcome.violation is None else _failure(plan, outcome, wishes)
    return _Ran(outcome, cpu, failure)


def _failure(plan: Plan, outcome: Outcome, wishes: Wishes) -> Failure:
    began = _cpu()
    shortest, last = shrink(plan, outcome, runs=SHRINK_RUNS, is_over=lambda: _cpu() - began > SHRINK_CPU)
    assert last.violation is not None, last
    return Failure(
        seed=plan.seed,
        id=last.violation[0],
        text=last.violation[1],
        at=last.at,
        faults=tuple(map(str, (*shortest.strokes, *shortest.deeds))),
        timeline=last.timeline,
        replay=replay(plan.seed, wishes),
    )


def replay(seed: int, wishes: Wishes) -> str:
    """The command that plays this seed again, and writes down what happens in it."""
    policy = "" if wishes.policy is None else f" --policy {wishes.policy}"
    return f"standfast drill fuzz --seeds 1 --from {seed} --hours {wishes.hours:g}{policy} --trace -"


def _cpu() -> float:
    """Seconds of processor time this process has used."""
    times = os.times()
    return times.user + times.system
