"""Faults between guard and an exchange for perpetual futures, and the deeds of machines: as `strokes` and `swarm`.

Invariants
1. All chance at run time is drawn from streams of this seed.
2. After `heal` nothing goes wrong any more; positions are no longer late either.
"""

from collections import Counter
from datetime import timedelta
from random import Random

from standfast.exchange.faults import (
    EmptyList,
    NewState,
    NewType,
    OtherAccount,
    OtherInstrument,
    PartialList,
    RateLimited,
    RefusedWith,
    Rule,
    Stale,
)
from standfast.sim.perpetual.world import PerpWorld
from standfast.sim.strikes import Strikes
from standfast.sim.strokes import WRITES, Makers, Stroke, altered_ids, rules_of, some, usual

READS = ("positions", "orders", "order", "executions", "account", "clock", "quotes")
EVERY = (*WRITES, *READS)
STREAMS = ("stream", "quote_stream")
ORDERS = ("submit", "orders", "order")
SKEWED = {52: 30.0, 55: 3.0}
"""Seconds by which the guard's machine is off at most: more, and the exchange takes nothing it signs."""

REFUSALS = {
    "bybit": (
        RefusedWith(status=200, body={"retCode": 110007, "retMsg": "ab not enough for new order", "result": {}}),
        RefusedWith(status=200, body={"retCode": 10001, "retMsg": "Conditional orders are closed.", "result": {}}),
    ),
    "binance": (
        RefusedWith(status=400, body={"code": -2019, "msg": "Margin is insufficient."}),
        RefusedWith(status=400, body={"code": -4400, "msg": "Conditional orders are closed."}),
    ),
}
STAYS = {
    "bybit": RefusedWith(status=200, body={"retCode": 10016, "retMsg": "server error", "result": {}}),
    "binance": RefusedWith(status=400, body={"code": -1001, "msg": "Internal error; unable to process your request."}),
}
"""A cancel that is refused while its order lives."""


def _makers(at: str) -> Makers:
    return usual(READS, STREAMS) | {
        5: some(EVERY, lambda strength, draw: RateLimited(reset_after=round(1 + 29 * strength * draw.random(), 1))),
        8: some(("submit",), lambda strength, draw: draw.choice(REFUSALS[at])),
        15: some(("cancel",), lambda strength, draw: STAYS[at]),
        21: some(ORDERS, altered_ids),
        29: some(("positions",), lambda strength, draw: Stale(age=round(0.5 + 29 * draw.random(), 2))),
        31: some(("positions", "orders"), lambda strength, draw: PartialList(missing=draw.choice((1, 1, 2)))),
        33: some(("positions", "orders"), lambda strength, draw: EmptyList()),
        34: lambda stroke, draw: [
            ((*ORDERS, "positions", "executions"), OtherInstrument(), stroke.chance),
            (("account", "profile"), OtherAccount(), stroke.chance),
        ],
        36: some(ORDERS, lambda strength, draw: draw.choice((NewState(), NewType()))),
    }


MAKERS = {at: _makers(at) for at in REFUSALS}
MACHINES = frozenset({39, 44, 52, 55, 56, 57, 58, 59, 60, 68, 69, 71, 72})
ADDED = (21, 34, 36, 70, 73, 74)
"""Later than the others, and so drawn after them: what a seed draws of those stays as it was."""
PLAYED = (*sorted({*MAKERS["bybit"], *MACHINES} - {*ADDED}), *ADDED)


class PerpSwarm(Strikes):
    """Of the engine for perpetual futures."""

    _world: PerpWorld

    def __init__(self, world: PerpWorld, *, seed: int) -> None:
        super().__init__(world, Random(f"perpetual/swarm-{seed}"))
        lag = world.about.lag
        self._late = [] if lag is None else [Rule(operation="positions", fault=Stale(age=lag[0], at_most=lag[1]))]
        world.faults.install(*self._late)

    def _rules_of(self, stroke: Stroke) -> list[Rule]:
        return rules_of(stroke, self._began, MAKERS[self._world.about.at])

    def _set_modes(self) -> None:
        """What strikes now is asked before what is so all the time."""
        self._world.faults.withdraw(*self._late)
        self._world.faults.install(*self._late)

    def _heal_exchange(self) -> None:
        self._world.faults.clear()

    def counted(self) -> Counter[int]:
        """How often each kind struck."""
        counted = super().counted()
        if self._late:
            counted[29] += sum(not each.label and isinstance(each.fault, Stale) for each in self._world.faults.struck)
        return counted

    def _jump_clock(self, stroke: Stroke) -> None:
        """The guard's machine is off; its exchange is not."""
        most = SKEWED[stroke.kind]
        self._set_clocks(timedelta(seconds=round(stroke.random().uniform(-most, most), 3)))
        self.fired[stroke.kind] += 1

    _drift = _jump_clock
