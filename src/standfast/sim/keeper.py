"""Who starts, kills, pauses and restarts the guards of a world: the operator, the kernel and the parent process.

Invariants
1. One life of a name at a time.
2. A bug of ours ends the story: only what the parent is there for (a ledger that fails, a lost lease) is started again.
"""

from collections.abc import Callable
from functools import partial

from standfast.sim.guards import Guard, Habitat, is_death, is_for_the_parent
from standfast.sim.loop import Process, current
from standfast.sim.wire import Line


class Keeper:
    """`fail` ends the story with an error."""

    def __init__(
        self, habitat: Habitat, wire: Line, fail: Callable[[BaseException], None], restart_after: float | None
    ) -> None:
        self.guards: dict[str, Guard] = {}
        """The latest life of each, by name."""
        self.restart_after = restart_after
        """Seconds after which a guard that has ended is started again; None: never, and its failure is the story's."""
        self.lives = 0
        self.kills = 0
        self._habitat, self._wire, self._fail = habitat, wire, fail
        self._is_over = False
        self._dismissed: set[str] = set()

    def is_alive(self, holder: str) -> bool:
        """Whether this process is there, paused or not."""
        return any(guard.holder == holder and guard.is_alive for guard in self.guards.values())

    def start(self, name: str, restarted: str = "") -> Guard:
        """Another life; `restarted` is why the one before ended, where the parent starts it."""
        before = self.guards.get(name)
        assert before is None or not before.is_alive, f"{name} lives"
        self.lives += 1
        self._dismissed.discard(name)
        guard = Guard(name, f"{name}-{self.lives}", self._habitat, restarted)
        if before is not None:
            guard.clock.skew = before.clock.skew  # the machine's, not the process's
        self.guards[name] = guard
        guard.start(self._ended)
        return guard

    def kill(self, name: str | None, restart_after: float | None) -> None:
        """The only one, if no name is given; nothing, if it is dead already."""
        for guard in self._named(name):
            guard.kill()
            self.kills += 1
            if restart_after is not None:
                self._start_later(guard.name, restart_after, "the worker ended: killed by SIGKILL")

    def dismiss(self, name: str) -> None:
        """Kill it, and start it no more: not even where it has just ended, to be started again."""
        self._dismissed.add(name)
        self.kill(name, None)

    def kill_process(self, process: Process) -> None:
        """At an effect of its own; it is started again if the parent would."""
        guard = next(guard for guard in self.guards.values() if guard.process is process)
        self.kill(guard.name, self.restart_after)

    def stop(self, name: str | None) -> None:
        for guard in self._named(name):
            guard.stop()

    def pause(self, seconds: float, name: str | None) -> None:
        for guard in self._named(name):
            current().pause(guard.process)
            self._wire.later(seconds, partial(current().resume, guard.process))

    def still(self) -> None:
        """The story is over: nothing of any guard runs any more."""
        self._is_over = True
        for guard in self.guards.values():
            guard.process.is_alive = False

    def end(self) -> None:
        """Kill all of them, for good."""
        self._is_over = True
        for guard in self.guards.values():
            guard.kill()

    def _named(self, name: str | None) -> list[Guard]:
        living = [guard for guard in self.guards.values() if guard.is_alive and name in {None, guard.name}]
        assert name is not None or len(living) <= 1, "name the guard: there are several"
        return living

    def _ended(self, guard: Guard) -> None:
        """It ended by itself: see why, and start it again, as the parent does."""
        guard.ended()
        error = guard.failure
        if error is None or is_death(error):
            return
        if self.restart_after is None or not is_for_the_parent(error):
            failed = AssertionError(f"{guard.holder} has failed: {error}")
            failed.__cause__ = error
            self._fail(failed)
        else:
            self._start_later(guard.name, self.restart_after, f"the worker ended: {error}")

    def _start_later(self, name: str, seconds: float, reason: str) -> None:
        def again() -> None:
            if not self._is_over and name not in self._dismissed and not self.guards[name].is_alive:
                self.start(name, reason)

        self._wire.later(seconds, again)
