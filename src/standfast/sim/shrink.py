"""Makes a plan that fails shorter: the fewest faults and deeds that still break the same promise.

Delta debugging (Zeller): leave out halves, then quarters and so on, and keep whatever still fails in the same way. A
plan is a pure value and a run a function of it, so every attempt is a true experiment.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from standfast.sim.chaos import Outcome, play
from standfast.sim.plan import Plan
from standfast.sim.strokes import Stroke
from standfast.sim.workload import Deed

Item = Stroke | Deed
NEVER: Callable[[], bool] = lambda: False  # noqa: E731 - a default that reads as what it is


def shrink(
    plan: Plan,
    failed: Outcome,
    *,
    runs: int = 60,
    is_over: Callable[[], bool] = NEVER,
    play_it: Callable[[Plan], Outcome] = play,
) -> tuple[Plan, Outcome]:
    """The shortest plan found, and what became of it. Ends after so many runs, or when `is_over` says so.

    ValueError when `failed` did not fail.
    """
    if failed.violation is None:
        raise ValueError(f"seed {plan.seed} did not fail")
    search = _Search(plan, failed, runs, is_over, play_it)
    search.drop_what_came_later()
    search.leave_out()
    return search.plan, search.outcome


class _Search:
    def __init__(
        self,
        plan: Plan,
        outcome: Outcome,
        runs: int,
        is_over: Callable[[], bool],
        play_it: Callable[[Plan], Outcome],
    ) -> None:
        assert outcome.violation is not None, outcome
        self.plan, self.outcome = plan, outcome
        self._id = outcome.violation[0]
        self._left, self._is_over, self._play = runs, is_over, play_it

    @property
    def items(self) -> list[Item]:
        return [*self.plan.strokes, *self.plan.deeds]

    def drop_what_came_later(self) -> None:
        """What begins after the failure has no part in it."""
        kept = [item for item in self.items if item.at <= self.outcome.at]
        if len(kept) < len(self.items):
            self._try(kept)

    def leave_out(self) -> None:
        parts = 2
        while self.items and parts <= 2 * len(self.items) and not self._is_done():
            if any(self._try(rest) for rest in _without_each(self.items, min(parts, len(self.items)))):
                parts = max(2, parts - 1)
            elif parts >= len(self.items):
                return
            else:
                parts *= 2

    def _is_done(self) -> bool:
        return self._left <= 0 or self._is_over()

    def _try(self, items: Sequence[Item]) -> bool:
        """Keep only these if the same promise is broken all the same."""
        if self._is_done():
            return False
        self._left -= 1
        plan = replace(
            self.plan,
            strokes=tuple(item for item in items if isinstance(item, Stroke)),
            deeds=tuple(item for item in items if isinstance(item, Deed)),
        )
        outcome = self._play(plan)
        if outcome.violation is None or outcome.violation[0] != self._id:
            return False
        self.plan, self.outcome = plan, outcome
        return True


def _without_each(items: Sequence[Item], parts: int) -> list[list[Item]]:
    """The items without each of so many parts of about one size."""
    edges = [len(items) * n // parts for n in range(parts + 1)]
    return [[*items[:begin], *items[end:]] for begin, end in pairwise(edges)]
