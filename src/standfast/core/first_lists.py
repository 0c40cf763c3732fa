"""What was held before the last trades, where a list may be older than those and an account is first guarded.

Theory. A list tells of some moment within its staleness: it may or may not count what has filled since. Believed as it
is, a fill it lacks would never be in the books, for what fills before guarding begins is not booked; and one that it
counts would be booked beside it. So those fills are booked, and what was held before them is figured: each list fits
some quantities, one for each moment it may be of. Lists read one after the other leave fewer, and one that was asked
for so long after the last fill that it must count it leaves a single one.

1. What was truly held fits every list that keeps to its staleness.
2. Where nothing has filled lately the first list says all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate

from standfast.model.ids import Holding
from standfast.model.order import ZERO, Fill, FilledTotal

Filled = Fill | FilledTotal


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One list of positions: it counts all that filled before `since` and nothing after `until` (broker's time)."""

    listed: Mapping[Holding, Decimal]
    since: datetime
    until: datetime


def held_at_first(looks: Sequence[Look], filled: Iterable[Filled], *, is_last: bool = False) -> dict[Holding, Decimal]:
    """What was held before these fills, of each holding they trade; without those of which no list leaves one quantity.

    `looks`: oldest first, at least one. `is_last`: nothing more is read, the newest list is believed to be of now.
    """
    traded: dict[Holding, list[Filled]] = {}
    for each in sorted(filled, key=lambda each: each.at):
        traded.setdefault(each.holding, []).append(each)
    found: dict[Holding, Decimal] = {}
    for holding, fills in sorted(traded.items()):
        fits = _fitting(looks, holding, fills)
        if len(fits) == 1:
            (found[holding],) = fits
        elif is_last:
            found[holding] = list(_quantities(looks[-1], holding, fills))[-1]
    return found


def _fitting(looks: Sequence[Look], holding: Holding, fills: Sequence[Filled]) -> set[Decimal]:
    """What fits the newest lists. Where older ones leave nothing, something came between that no fill tells."""
    fits = set(_quantities(looks[-1], holding, fills))
    for look in reversed(looks[:-1]):
        both = fits.intersection(_quantities(look, holding, fills))
        if not both:
            break
        fits = both
    return fits


def _quantities(look: Look, holding: Holding, fills: Sequence[Filled]) -> Iterator[Decimal]:
    """What was held before, if the list counts the first so many fills: from as few as it may to as many."""
    listed = look.listed.get(holding, ZERO)
    surely = sum((each.side.sign * each.quantity for each in fills if each.at < look.since), ZERO)
    maybe = (each.side.sign * each.quantity for each in fills if look.since <= each.at <= look.until)
    yield from (listed - counted for counted in accumulate(maybe, initial=surely))
