"""Every effect of every guard, counted, so that a guard can be killed or failed at any one of them.

An effect is a moment at which the world can tell that a guard was there: a commit, a request, an answer, an alert.
Each is named before and after, because what has just been done and what is about to be done are two places to die at.

    commit             the facts are handed over, nothing is durable     fails: nothing was written
    committed          they are durable, nobody knows it yet             fails: the acknowledgement is lost
    send OPERATION     a request is about to leave                       fails: nothing left (no name resolves)
    acted OPERATION    the exchange has done it, the answer is on its way  fails: the answer is lost
    answer OPERATION   the answer is there and has not been read         fails: it cannot be understood
    renew              the lease is about to be extended                 fails: the ledger cannot be written
    alert, alerted     a message to people goes out, has gone out        fails: the channel refuses it

Invariants
1. What a dead process tries is no effect: it raises `Died` and changes nothing.
2. Effects are numbered 1, 2, 3 ... over all guards of a run; the same seed gives the same numbers.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from standfast.sim.loop import PROCESS, Died, Process


class Happened(NamedTuple):
    """One effect: its number, what, whose, when."""

    number: int
    name: str
    process: str
    at: datetime


class Kind(Enum):
    KILL = "kill"
    """The guard dies there, as by kill -9."""
    FAIL_ONCE = "fail once"
    FAIL_ON = "fail on"
    """From there on every effect of that name fails, until so many seconds are over."""
    EXHAUST = "exhaust"
    """There is no memory left, there or at the next effect that the guard itself comes to."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What goes wrong at the effect of this number."""

    kind: Kind
    number: int
    seconds: float = 60.0
    """How long FAIL_ON goes on."""


class Effects:
    """The effects of one run. `kill` ends a process, `told` hears the name of every effect."""

    def __init__(
        self, now: Callable[[], datetime], kill: Callable[[Process], None], told: Callable[[str], None]
    ) -> None:
        self.log: list[Happened] = []
        self.struck: list[Happened] = []
        """Those at which something went wrong by plan."""
        self._now, self._kill, self._told = now, kill, told
        self._plan: dict[int, Anomaly] = {}
        self._failing: dict[str, datetime] = {}

    @property
    def count(self) -> int:
        return len(self.log)

    @property
    def digest(self) -> str:
        """Equal for equal runs."""
        told = [f"{at} {process} {name}\n" for _, name, process, at in self.log]
        return hashlib.blake2b("".join(told).encode(), digest_size=16).hexdigest()

    def plan(self, *anomalies: Anomaly) -> None:
        """What shall go wrong, each at its number; one at a number."""
        self._plan.update({anomaly.number: anomaly for anomaly in anomalies})

    def heal(self) -> None:
        """Nothing more goes wrong by plan."""
        self._plan.clear()
        self._failing.clear()

    def take(self, process: Process, name: str) -> bool:
        """Count one effect. True when it is to fail; raises `Died` when the process is dead, before or by it."""
        if not process.is_alive:
            raise Died(f"{process.name} is dead: {name}")
        happened = Happened(len(self.log) + 1, name, process.name, self._now())
        self.log.append(happened)
        self._told(name)
        anomaly = self._plan.get(happened.number) if self._plan else None
        if anomaly is not None and anomaly.kind is Kind.KILL:
            self.struck.append(happened)
            self._kill(process)
        if not process.is_alive:  # by plan, or by whoever heard of it
            raise Died(f"{process.name} died at effect {happened.number}, {name}")
        if anomaly is not None and anomaly.kind is Kind.EXHAUST:
            self._exhaust(happened, process, anomaly)
            return False
        return self._fails(happened, anomaly) if anomaly is not None or self._failing else False

    def _exhaust(self, happened: Happened, process: Process, anomaly: Anomaly) -> None:
        """Raised in the guard's own code only: what the exchange does for it has memory enough."""
        if PROCESS.get() is not process:
            self._plan.setdefault(happened.number + 1, anomaly)
            return
        self.struck.append(happened)
        raise MemoryError(f"planned at effect {happened.number}, {happened.name}")

    def _fails(self, happened: Happened, anomaly: Anomaly | None) -> bool:
        if anomaly is not None:
            if anomaly.kind is Kind.FAIL_ON:
                until = happened.at.timestamp() + anomaly.seconds
                self._failing[happened.name] = datetime.fromtimestamp(until, happened.at.tzinfo)
            self.struck.append(happened)
            return True
        if not self._failing:
            return False
        until_then = self._failing.get(happened.name)
        if until_then is None or happened.at >= until_then:
            return False
        self.struck.append(happened)
        return True


def effect(name: str, fails: Callable[[], Exception] | None = None) -> None:
    """The running guard has an effect here; `fails` makes the error it raises when it is planned to fail.

    Without effect outside a guard's process. Raises `Died` in a dead one.
    """
    process = PROCESS.get()
    if process is None:
        return
    if process.effects is None:
        effect_of(process, name, fails)
    elif process.effects.take(process, name) and fails is not None:
        raise fails()


def effect_of(process: Process, name: str, fails: Callable[[], Exception] | None = None) -> None:
    """As `effect`, for a process that is not the one running: what happens to a request of its own, elsewhere."""
    if process.effects is None:
        if not process.is_alive:
            raise Died(f"{process.name} is dead: {name}")
        return
    if process.effects.take(process, name) and fails is not None:
        raise fails()
