"""What the swarms of all engines have alike: strokes in force, and what strikes the guards themselves.

A stroke is either rules of the fault layer, a mode of the exchange, or a deed done once. Here are those about networks,
clocks, ledgers and processes; what an exchange does of its own accord is each swarm's own.

Invariants
1. All chance at run time is drawn from streams of this seed.
2. After `heal` nothing goes wrong any more, and one guard is there or soon will be.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from standfast.exchange.faults import Rule
from standfast.sim.catalogue import AFTER, KINDS
from standfast.sim.disk import CommitFault
from standfast.sim.effects import Anomaly
from standfast.sim.effects import Kind as Way
from standfast.sim.story import Story
from standfast.sim.strokes import Stroke

FIRST, SECOND = "guard", "second"
"""The guards' names."""


class Strikes(ABC):
    """Call `begin` and `end` for each stroke at its time; `heal` when chaos is over."""

    _world: Story

    def __init__(self, world: Story, draw: Random) -> None:
        self.fired: Counter[int] = Counter()
        """How often each kind struck; those of rules are in the fault layer's own record until `counted`."""
        self._world = world
        self._draw = draw
        self._active: list[Stroke] = []
        self._rules: dict[Stroke, Sequence[Rule]] = {}
        self._began = world.now
        self._ended = -1e9
        self._untold_left = 0
        world.store.decide = self._of_commit
        self._deeds: dict[int, Callable[[Stroke], None]] = {
            39: self._outage, 40: self._outage, 44: self._outage, 52: self._jump_clock, 55: self._drift,
            56: self._pause, 60: self._untold, 68: self._kill, 69: self._kill_again, 70: self._exhaust, 71: self._pause,
            72: self._fail, 73: self._second, 74: self._hand_over,
        }  # fmt: skip
        self._undo: dict[int, Callable[[Stroke], None]] = {
            52: self._right_clock, 55: self._right_clock, 56: self._after_pause, 73: self._end_second,
        }  # fmt: skip

    # --- strokes --------------------------------------------------------------------------------

    def begin(self, stroke: Stroke) -> None:
        self._active.append(stroke)
        rules = self._rules_of(stroke)
        if rules:
            self._rules[stroke] = rules
            self._world.faults.install(*rules)
        self._set_modes()
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
        self._set_modes()
        undo = self._undo.get(stroke.kind)
        if undo is not None:
            undo(stroke)

    def heal(self) -> None:
        """End every fault; one guard is there from now on, or soon."""
        for stroke in tuple(self._active):
            self.end(stroke)
        self._world.effects.heal()
        self._world.wire.heal()
        self._untold_left = 0
        self._set_clocks(timedelta(0))
        self._heal_exchange()
        self._end_second()
        self._ensure_first()

    @abstractmethod
    def _rules_of(self, stroke: Stroke) -> Sequence[Rule]:
        """What it asks of the fault layer; nothing, for a kind that is no rule."""

    @abstractmethod
    def _set_modes(self) -> None:
        """What is in force has changed: so does what the exchange does of its own accord."""

    @abstractmethod
    def _heal_exchange(self) -> None:
        """Of its own accord it does nothing any more."""

    def active(self, kind: int, instrument: str = "") -> Stroke | None:
        """The stroke of this kind that is in force, for this instrument if it is about one."""
        for stroke in self._active:
            if stroke.kind == kind and stroke.target in {"", instrument}:
                return stroke
        return None

    @property
    def is_hindered(self) -> bool:
        """Whether a fault is in force, or has just ended, under which no account can be called healthy."""
        if any(_is_sick(stroke) for stroke in self._active):
            return True
        return self._world.clock.monotonic() - self._ended <= AFTER

    def counted(self) -> Counter[int]:
        """How often each kind struck."""
        struck = Counter(int(each.label) for each in self._world.faults.struck if each.label)
        return self.fired + struck

    # --- network and clocks ---------------------------------------------------------------------

    def _outage(self, stroke: Stroke) -> None:
        self._world.wire.outage(stroke.seconds)
        self.fired[stroke.kind] += 1

    def _jump_clock(self, stroke: Stroke) -> None:
        draw = stroke.random()
        skew = draw.choice((timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)))
        if draw.random() < 0.2:
            skew = datetime(1970, 1, 1, tzinfo=self._world.now.tzinfo) - self._world.now
        self._set_clocks(skew)
        self.fired[52] += len(self._world.guards)

    def _drift(self, stroke: Stroke) -> None:
        for guard in self._world.guards.values():
            guard.clock.skew = timedelta(seconds=self._draw.uniform(-5, 5) * stroke.strength)
            self.fired[55] += 1

    def _right_clock(self, stroke: Stroke) -> None:
        self._set_clocks(timedelta(0))

    def _set_clocks(self, skew: timedelta) -> None:
        """Of the guards' machines; the exchange's goes on."""
        for guard in self._world.guards.values():
            guard.clock.skew = skew

    # --- the store ------------------------------------------------------------------------------

    def _of_commit(self) -> CommitFault | None:
        busy, full, failing = self.active(57), self.active(58), self.active(59)
        if full is not None:
            self.fired[58] += 1
            return CommitFault.FULL
        if failing is not None:
            self.fired[59] += 1
            return CommitFault.UNTOLD
        if self._untold_left:
            self._untold_left -= 1
            self.fired[60] += 1
            return CommitFault.UNTOLD
        if busy is not None and self._draw.random() < busy.chance:
            self.fired[57] += 1
            return CommitFault.BUSY
        return None

    def _untold(self, stroke: Stroke) -> None:
        self._untold_left = 1

    # --- processes ------------------------------------------------------------------------------

    def _anomaly(self, way: Way, after: int) -> None:
        self._world.effects.plan(Anomaly(way, self._world.effects.count + 1 + after))

    def _kill(self, stroke: Stroke) -> None:
        self._anomaly(Way.KILL, stroke.random().randrange(0, 60))
        self.fired[68] += 1

    def _kill_again(self, stroke: Stroke) -> None:
        after, draw = 0, stroke.random()
        for _ in range(2 + round(4 * stroke.strength)):
            after += draw.randrange(1, 25)
            self._anomaly(Way.KILL, after)
            self.fired[69] += 1

    def _fail(self, stroke: Stroke) -> None:
        self._anomaly(Way.FAIL_ONCE, stroke.random().randrange(0, 60))
        self.fired[72] += 1

    def _exhaust(self, stroke: Stroke) -> None:
        self._anomaly(Way.EXHAUST, stroke.random().randrange(0, 60))
        self.fired[70] += 1

    def _pause(self, stroke: Stroke) -> None:
        living = [guard for guard in self._world.guards.values() if guard.is_alive and not guard.is_paused]
        if living:
            self._world.keeper.pause(stroke.seconds, stroke.random().choice(living).name)
            self.fired[stroke.kind] += 1
        if stroke.kind == 56 and stroke.random().random() < 0.5:
            self._second(stroke)  # somebody starts another one: both are there when the first goes on

    def _after_pause(self, stroke: Stroke) -> None:
        later = self._world.wire.later
        later(15, lambda: None if self.active(73) or self.active(56) else self._end_second())

    def _second(self, stroke: Stroke) -> None:
        if not self._is_up(SECOND):
            self._world.keeper.start(SECOND)
            self.fired[73] += 1

    def _end_second(self, stroke: Stroke | None = None) -> None:
        self._world.keeper.dismiss(SECOND)
        self._ensure_first()

    def _hand_over(self, stroke: Stroke) -> None:
        if not self._is_up(FIRST):
            return
        self._world.keeper.stop(FIRST)
        self.fired[74] += 1
        self._world.wire.later(stroke.random().uniform(1, 12), self._ensure_first)

    def _is_up(self, name: str) -> bool:
        guard = self._world.guards.get(name)
        return guard is not None and guard.is_alive

    def _ensure_first(self) -> None:
        if FIRST in self._world.guards and not self._is_up(FIRST) and self._world.violation is None:
            self._world.keeper.start(FIRST, "the parent starts it again")


def _is_sick(stroke: Stroke) -> bool:
    return stroke.strength >= KINDS[stroke.kind].sick_from and not stroke.is_once
