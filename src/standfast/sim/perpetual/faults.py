"""Faults between guard and an exchange for perpetual futures, and the deeds of machines: as `strokes` and `swarm`.

Invariants
1. All chance at run time is drawn from streams of this seed.
2. After `heal` nothing goes wrong any more; positions are no longer late either.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

from standfast.exchange.faults import (
    AnyFault,
    Cut,
    Delayed,
    Doubled,
    EmptyList,
    Garbled,
    Lost,
    NeverAnswered,
    NeverArrives,
    Overtaken,
    PartialList,
    RateLimited,
    RefusedWith,
    Reset,
    Rule,
    ServerError,
    Slow,
    Stale,
)
from standfast.sim.catalogue import AFTER, KINDS
from standfast.sim.disk import CommitFault
from standfast.sim.effects import Anomaly
from standfast.sim.effects import Kind as Way
from standfast.sim.perpetual.world import PerpWorld
from standfast.sim.strokes import Stroke

FIRST = "guard"
WRITES = ("submit", "cancel", "replace")
LISTS = ("positions", "orders", "executions")
READS = ("positions", "orders", "order", "executions", "account", "clock", "quotes")
ALL = WRITES + READS
STREAMS = ("stream",)
Struck = Sequence[tuple[Sequence[str], AnyFault, float]]
Maker = Callable[[Stroke, Random, str], Struck]
"""What strikes which operations, each with its chance; the text is the exchange's name."""

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


def _some(operations: Sequence[str], fault: Callable[[float, Random], AnyFault]) -> Maker:
    return lambda stroke, draw, at: [(operations, fault(stroke.strength, draw), stroke.chance)]


def _hang(stroke: Stroke, draw: Random, at: str) -> Struck:
    return [(ALL, draw.choice((NeverAnswered(), NeverArrives())), 1.0), (STREAMS, Lost(), 1.0)]


MAKERS: dict[int, Maker] = {
    1: _some(WRITES, lambda strength, draw: NeverArrives()),
    2: _some(WRITES, lambda strength, draw: NeverAnswered()),
    3: _some(WRITES, lambda strength, draw: Slow(seconds=round(4 + 22 * draw.random(), 2), late="request")),
    5: _some(ALL, lambda strength, draw: RateLimited(reset_after=round(1 + 29 * strength * draw.random(), 1))),
    6: _some(ALL, lambda strength, draw: ServerError(status=draw.choice((500, 502, 503, 504)))),
    7: _some(WRITES, lambda strength, draw: draw.choice((ServerError(status=504, after=True), Reset(after=True)))),
    8: lambda stroke, draw, at: [(("submit",), draw.choice(REFUSALS[at]), stroke.chance)],
    15: lambda stroke, draw, at: [(("cancel",), STAYS[at], stroke.chance)],
    29: _some(("positions",), lambda strength, draw: Stale(age=round(0.5 + 29 * draw.random(), 2))),
    30: _some(("orders", "order"), lambda strength, draw: Stale(age=round(0.5 + 9 * draw.random(), 2))),
    31: _some(("positions", "orders"), lambda strength, draw: PartialList(missing=draw.choice((1, 1, 2)))),
    33: _some(("positions", "orders"), lambda strength, draw: EmptyList()),
    35: _some(ALL, lambda strength, draw: Garbled()),
    38: _some(ALL, lambda strength, draw: Slow(seconds=round(0.2 + 4 * strength * draw.random(), 2))),
    41: lambda stroke, draw, at: [(draw.choice((WRITES, READS)), ServerError(status=503), 1.0)],
    43: _hang,
    46: _some(STREAMS, lambda strength, draw: Doubled(seconds=round(5 * draw.random(), 2))),
    47: _some(STREAMS, lambda strength, draw: Lost()),
    48: _some(
        STREAMS, lambda strength, draw: draw.choice((Delayed(seconds=round(20 * draw.random(), 2)), Overtaken()))
    ),
    49: lambda stroke, draw, at: [(STREAMS, Lost(), 1.0)],
    50: lambda stroke, draw, at: [(STREAMS, Cut(), stroke.chance / 4), (("stream_connect",), Cut(), stroke.chance)],
}
MACHINES = frozenset({39, 44, 52, 55, 56, 57, 58, 59, 60, 68, 69, 71, 72})
PLAYED = tuple(sorted({*MAKERS, *MACHINES}))
COMMITS = {57: CommitFault.BUSY, 58: CommitFault.FULL, 59: CommitFault.UNTOLD}


class PerpSwarm:
    """Call `begin` and `end` for each stroke at its time; `heal` when chaos is over."""

    def __init__(self, world: PerpWorld, *, seed: int) -> None:
        self.fired: Counter[int] = Counter()
        self._world = world
        self._draw = Random(f"perpetual/swarm-{seed}")
        self._active: list[Stroke] = []
        self._rules: dict[Stroke, list[Rule]] = {}
        self._ended = -1e9
        self._began = world.now
        self._untold = 0
        self._again = 0
        world.store.decide = self._of_commit
        lag = world.about.lag
        self._late = [] if lag is None else [Rule(operation="positions", fault=Stale(age=lag[0], at_most=lag[1]))]
        world.faults.install(*self._late)
        self._deeds: dict[int, Callable[[Stroke], None]] = {
            39: self._outage, 44: self._outage, 52: self._skew, 55: self._skew, 56: self._pause, 60: self._lose_words,
            68: self._kill, 69: self._kill_again, 71: self._pause, 72: self._fail,
        }  # fmt: skip

    def begin(self, stroke: Stroke) -> None:
        self._active.append(stroke)
        rules = self._rules_of(stroke)
        if rules:
            self._rules[stroke] = rules
            self._world.faults.withdraw(*self._late)  # what strikes now is asked first
            self._world.faults.install(*rules, *self._late)
        deed = self._deeds.get(stroke.kind)
        if deed is not None:
            deed(stroke)

    def end(self, stroke: Stroke) -> None:
        if stroke not in self._active:
            return
        self._active.remove(stroke)
        self._world.faults.withdraw(*self._rules.pop(stroke, ()))
        if _is_sick(stroke):
            self._ended = self._world.clock.monotonic()
        if stroke.kind in (52, 55):
            self._set_clocks(timedelta(0))

    def heal(self) -> None:
        """End every fault; one guard is there from now on, or soon."""
        for stroke in tuple(self._active):
            self.end(stroke)
        self._world.faults.clear()
        self._world.effects.heal()
        self._world.wire.heal()
        self._untold = self._again = 0
        self._set_clocks(timedelta(0))
        if not any(guard.is_alive for guard in self._world.guards.values()):
            self._world.keeper.start(FIRST)

    @property
    def is_healthy(self) -> bool:
        """H: the world is well, no fault hinders it, and none has just ended."""
        if any(_is_sick(stroke) for stroke in self._active) or not self._world.is_well:
            return False
        return self._world.clock.monotonic() - self._ended > AFTER

    def counted(self) -> Counter[int]:
        """How often each kind struck."""
        struck = Counter(int(each.label) for each in self._world.faults.struck if each.label)
        if self._late:
            struck[29] += sum(not each.label and isinstance(each.fault, Stale) for each in self._world.faults.struck)
        return self.fired + struck

    def _rules_of(self, stroke: Stroke) -> list[Rule]:
        maker = MAKERS.get(stroke.kind)
        if maker is None:
            return []
        return [
            Rule(
                operation=operation,
                fault=fault,
                probability=1.0 if stroke.is_once else chance,
                count=1 if stroke.is_once else None,
                label=str(stroke.kind),
            )
            for operations, fault, chance in maker(stroke, stroke.random(), self._world.about.at)
            for operation in operations
        ]

    # --- machines -------------------------------------------------------------------------------

    def _outage(self, stroke: Stroke) -> None:
        self._world.wire.outage(stroke.seconds)
        self.fired[stroke.kind] += 1

    def _skew(self, stroke: Stroke) -> None:
        """The guard's machine is off; its exchange is not."""
        most = 30 if stroke.kind == 52 else 3
        self._set_clocks(timedelta(seconds=round(stroke.random().uniform(-most, most), 3)))
        self.fired[stroke.kind] += 1

    def _set_clocks(self, skew: timedelta) -> None:
        for guard in self._world.guards.values():
            guard.clock.skew = skew

    def _pause(self, stroke: Stroke) -> None:
        if any(guard.is_alive and not guard.is_paused for guard in self._world.guards.values()):
            self._world.keeper.pause(max(stroke.seconds, 0.5), None)
            self.fired[stroke.kind] += 1

    def _lose_words(self, stroke: Stroke) -> None:
        self._untold += 1

    def _kill(self, stroke: Stroke) -> None:
        """At one of the effects to come."""
        number = self._world.effects.count + 1 + self._draw.randrange(12)
        self._world.effects.plan(Anomaly(Way.KILL, number))
        self.fired[stroke.kind] += 1

    def _kill_again(self, stroke: Stroke) -> None:
        first = self._world.effects.count + 1 + self._draw.randrange(6)
        for number in (first, first + 20, first + 45):
            self._world.effects.plan(Anomaly(Way.KILL, number))
        self.fired[stroke.kind] += 1

    def _fail(self, stroke: Stroke) -> None:
        number = self._world.effects.count + 1 + self._draw.randrange(12)
        self._world.effects.plan(Anomaly(Way.FAIL_ONCE, number))
        self.fired[stroke.kind] += 1

    def _of_commit(self) -> CommitFault | None:
        if self._untold:
            self._untold -= 1
            self.fired[60] += 1
            return CommitFault.UNTOLD
        for stroke in self._active:
            fault = COMMITS.get(stroke.kind)
            if fault is not None and self._draw.random() < (0.3 if stroke.kind != 57 else stroke.chance):
                self.fired[stroke.kind] += 1
                return fault
        return None


def _is_sick(stroke: Stroke) -> bool:
    return stroke.strength >= KINDS[stroke.kind].sick_from and not stroke.is_once
