"""How far executions have been told, for exchanges that give them times and no running number.

Theory. One may be listed a moment after a later one. So a read goes back a little behind what it has told, and a
watermark says how far, and which executions from there on are told: `MILLISECONDS/DIGEST DIGEST ...`.

Invariant: an execution is told once, and one that turns up late by less than OVERLAP is told.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from standfast.brokers.shared.reading import shown
from standfast.model.errors import Malformed
from standfast.model.ids import digest

OVERLAP = 15_000
"""Milliseconds behind the newest one told in which one may turn up late."""
FIRST_BACK = 50_000
"""Milliseconds that a first watermark reaches back: further than a list of positions may be late, because who begins by
such a list needs the trades it may lack."""
AT_REST, MOVED_ON = 7_200_000, 3_600_000
"""A watermark this old with nothing new is moved on, to this long ago."""
TOLD_KEPT = 300


class Watermark(NamedTuple):
    since: int
    told: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.since}/{' '.join(self.told)}"

    def moved_on(self, times: Mapping[str, int], until: int) -> "Watermark":
        """As far behind the newest as one may be late, and no further back than that is of use.

        `times`: of every execution read, by its mark.
        """
        newest = max(times.values(), default=self.since)
        since = max(self.since, newest - OVERLAP)
        if until - since > AT_REST:
            since = until - MOVED_ON
        told = sorted((each for each, at in times.items() if at >= since), key=lambda each: (times[each], each))
        if len(told) > TOLD_KEPT:
            told = told[-TOLD_KEPT:]
            since = max(since, times[told[0]])
            told = [each for each, at in times.items() if at >= since]
        return Watermark(since, tuple(sorted(told)))


def first(until: int, told: Iterable[str] = ()) -> Watermark:
    """To begin with. `told`: marks of what is not to be told, though it is no longer ago."""
    return Watermark(until - FIRST_BACK, tuple(sorted(told)))


def parsed(watermark: str) -> Watermark:
    """Raises Malformed for a watermark that is not ours."""
    stamp, slash, told = watermark.partition("/")
    if not slash or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 15:
        raise Malformed(f"watermark is {shown(watermark)}")
    return Watermark(int(stamp), tuple(told.split()))


def mark_of(execution: str) -> str:
    return digest(execution)[:12]
