"""What a simulated hour of the real guard costs, all faults on: how many seeds a night can play.

Seeds of shares that reach the exchange in-process, four hours each: faults come in spells, most of it is quiet. The
processor time is this process's own, so other work on the machine stretches it less than a clock would show.
"""

import time
from itertools import count, islice

from bench.figures import Figure
from standfast.sim.chaos import play
from standfast.sim.plan import Plan
from standfast.sim.seeds import plan_of

FIRST, SEEDS, HOURS = 1_400_000, 6, 4.0
GOAL = 0.2
"""Five simulated hours a second."""


def figures() -> list[Figure]:
    plans = list(islice((plan for seed in count(FIRST) if (plan := _plan(seed)).through == "engine"), SEEDS))
    play(_plan(FIRST, hours=0.1))  # what is imported and compiled at the first run belongs to none
    began = time.process_time()
    outcomes = [play(plan, digested=False) for plan in plans]
    used = time.process_time() - began
    broken = [(each.seed, each.violation) for each in outcomes if not each.held]
    assert not broken, broken
    hours = sum(each.hours for each in outcomes)
    detail = f"{hours / used:.1f} hours a second; {SEEDS} seeds, {sum(each.effects for each in outcomes):,} effects"
    return [
        Figure(name="a simulated hour in-process, all faults: processor", value=used / hours, goal=GOAL, detail=detail)
    ]


def _plan(seed: int, hours: float = HOURS) -> Plan:
    return plan_of(seed, hours=hours)
