"""How a planted bug is put into the real code for a simulation, and hunted in a story of its own (see `known`).

Invariants
1. Everything is as it was when `switched_on` ends.
2. `hunt` without a bug finds nothing in any of these stories.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from standfast.sim.loop import run
from standfast.sim.planted.bugs import Change
from standfast.sim.planted.stories import Setting
from standfast.sim.watch import Violation
from standfast.sim.world import World

CRASH = "crash"
"""Caught by an assertion of the guard's own: it ends, and is not started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One bug: why it was one, where it comes from, how it is put in, and the story in which it shows."""

    name: str
    why: str
    origin: str
    changes: Callable[[], Iterator[Change]]
    setting: Setting
    caught_by: frozenset[str]
    """The invariants and bounds one of which its story breaks."""

    def switched_on(self) -> AbstractContextManager[None]:
        """It is in the code until the end of the block."""
        return switched_on(self)


@contextmanager
def switched_on(*planted: Planted) -> Iterator[None]:
    """These bugs are in the code until the end of the block."""
    with put_in(*(each.changes for each in planted)):
        yield


@contextmanager
def put_in(*changes: Callable[[], Iterator[Change]]) -> Iterator[None]:
    """These changes are made until the end of the block."""
    before: list[Change] = []
    try:
        for each in changes:
            for owner, name, wrong in list(each()):
                before.append((owner, name, _get(owner, name)))
                _put(owner, name, wrong)
        yield
    finally:
        for owner, name, right in reversed(before):
            _put(owner, name, right)


def _get(owner: Any, name: Any) -> Any:
    return owner[name] if isinstance(owner, Mapping) else vars(owner)[name]


def _put(owner: Any, name: Any, value: Any) -> None:
    if isinstance(owner, MutableMapping):
        owner[name] = value
    else:
        setattr(owner, name, value)


def hunt(setting: Setting, *planted: Planted, real_seconds: float = 240.0) -> Violation | None:
    """Tell the story with these bugs switched on; what the checkers found, None when they found nothing.

    A guard that ends by an assertion of its own is found too: `Violation(CRASH)`. Whatever else fails is raised.
    """

    async def story() -> None:
        async with World(setting.rules, setting.prices, **setting.wishes) as world:
            checker = setting.judge(world)
            world.watchers.append(checker)
            await setting.tell(world)
            world.faults.clear()
            checker.quiet()
            await world.run_for(setting.quiet)
            await checker.finish(*world.people.lines.leaks)

    with switched_on(*planted):
        try:
            run(story(), start=setting.start, real_seconds=real_seconds)
        except Violation as found:
            return found
        except AssertionError as failed:
            if "has failed" not in str(failed) or not planted:
                raise
            return Violation(CRASH, repr(failed.__cause__))
    return None
