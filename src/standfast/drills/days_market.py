"""What rules have to do on a recorded day: figured from the recording and the rules alone, with no code of the guard.

Of every quote of the day it is asked whether a position that was held then had to be closed, and why. Prices of a
position are those of one unit: what it brings, leg by leg, at the worse side of every quote.

Invariants
- A leg with one side missing or crossed makes the whole unpriced; what nobody bids for and a dime buys is worthless.
- Where the sides lie further apart than the stop distance (half of it, for one contract alone) losses are judged at
  the mid.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from standfast.drills.days_plan import LAST, Kept, Legs
from standfast.exchange.contracts import contract_of
from standfast.exchange.quotes_file import quotes
from standfast.exchange.sessions import NEW_YORK

ZERO = Decimal(0)
DIME = Decimal("0.10")
STEPS = 10
"""A trailing stop follows in steps of so many parts of what its rung gives back."""
MINUTE = timedelta(minutes=1)
OVER = time(16, 15)
"""When options on an index are traded no more."""

Sides = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Due:
    """A close that had to come, from this moment on."""

    at: datetime
    reason: str
    told: str = ""


class Market:
    """The recorded quotes of one day."""

    def __init__(self, path: Path) -> None:
        self._quotes: dict[str, list[tuple[datetime, Sides]]] = {}
        instants: set[datetime] = set()
        for at, name, bid, ask, _, _ in quotes(path):
            self._quotes.setdefault(name, []).append((at, (bid or ZERO, ask or ZERO)))
            instants.add(at)
        self.instants = sorted(instants)

    def quote(self, name: str, at: datetime) -> Sides:
        """In force at that moment; zeros before the first."""
        rows = self._quotes.get(name, [])
        place = bisect_right(rows, at, key=lambda row: row[0])
        return rows[place - 1][1] if place else (ZERO, ZERO)

    def net(self, legs: Legs, at: datetime) -> Sides | None:
        """The worse and the better side of one unit; None while a leg has no price."""
        worst = best = ZERO
        for name, ratio in legs:
            bid, ask = self.quote(name, at)
            if not is_priced(bid, ask, alone=len(legs) == 1):
                return None
            worst += ratio * (bid if ratio > 0 else ask)
            best += ratio * (ask if ratio > 0 else bid)
        return worst, best

    def lacking(self, legs: Legs, at: datetime) -> list[str]:
        return [name for name, _ in legs if not is_priced(*self.quote(name, at), alone=len(legs) == 1)]

    def between(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The moment itself, and every later one at which something was quoted."""
        yield since
        yield from self.instants[bisect_right(self.instants, since) : bisect_right(self.instants, until)]

    def after(self, at: datetime) -> datetime:
        """The next quote of anything; a minute later at the most, when what has not changed is told again."""
        place = bisect_right(self.instants, at)
        following = self.instants[place] if place < len(self.instants) else at + MINUTE
        return min(following, at + MINUTE)


def is_priced(bid: Decimal, ask: Decimal, *, alone: bool) -> bool:
    return 0 < bid <= ask or (not alone and bid == 0 < ask <= DIME)


@dataclass(frozen=True, slots=True)
class Held:
    """A position as it was entered. `deltas`: what the broker told of its sold options, in order."""

    legs: Legs
    entry: Decimal
    since: datetime
    deltas: Sequence[tuple[datetime, str, float]] = ()
    resting: Decimal | None = None
    """The stop that rests at the broker for it, as a price of its one contract."""


def flat_at(day: date, held: Held, kept: Kept) -> datetime:
    """When the clock closes it."""
    contracts = [contract_of(name) for name, _ in held.legs]
    ends = any(contract is not None and contract.expiry == day for contract in contracts)
    times = [at for at in (kept.flat_by, LAST if ends else None) if at is not None]
    return datetime.combine(day, min(times, default=OVER), NEW_YORK)


def first_due(market: Market, day: date, held: Held, kept: Kept) -> Due:
    """The first close that had to come."""
    by_clock = flat_at(day, held, kept)
    ladder = _Ladder(kept)
    found = Due(by_clock, "flat_by")
    for at in market.between(held.since, by_clock - timedelta(microseconds=1)):
        sides = market.net(held.legs, at)
        reason = (
            None if sides is None else _reason(held, kept, ladder, sides, young=at < held.since + kept.minimum_hold)
        )
        if reason is not None:
            found = Due(at, reason, f"{sides} of {held.entry}")
            break
    told = (each for each in held.deltas if each[0] >= held.since and kept.delta is not None)
    beyond = next((each for each in told if abs(each[2]) >= (kept.delta or 0)), None)
    if beyond is not None and beyond[0] < found.at:
        return Due(beyond[0], "stop_loss", f"delta {beyond[2]:.2f} of {beyond[1]}")
    return found


def _reason(held: Held, kept: Kept, ladder: "_Ladder", sides: Sides, *, young: bool) -> str | None:
    worst, best = sides
    loss = worst if not is_wide(held, kept, sides) else (worst + best) / 2
    size = abs(held.entry)
    if not young:
        ladder.climb((worst - held.entry) / size)
    if kept.emergency is not None and loss <= held.entry - kept.emergency * size:
        return "emergency_stop"
    if young:
        return None
    stop = held.entry - kept.stop * size if kept.stop is not None else None
    if held.resting is not None:
        stop, loss = held.resting, worst  # the exchange fires it: it knows no spread that is too wide
    levels = [(stop, "stop_loss")] if stop is not None else []
    levels += [(held.entry + ladder.stop * size, "trailing")] if ladder.stop is not None else []
    if levels and loss <= max(levels)[0]:
        return max(levels)[1]
    return "take_profit" if kept.target is not None and worst >= held.entry + kept.target * size else None


def is_wide(held: Held, kept: Kept, sides: Sides) -> bool:
    distance = kept.stop if kept.stop is not None else kept.emergency
    share = Decimal(1) if len(held.legs) > 1 else Decimal("0.5")
    return distance is not None and sides[1] - sides[0] > distance * share * abs(held.entry)


class _Ladder:
    def __init__(self, kept: Kept) -> None:
        self._rungs = kept.ladder
        self._armed = 0
        self._peak: Decimal | None = None
        self.stop: Decimal | None = None
        """The result at which it closes."""

    def climb(self, result: Decimal) -> None:
        self._peak = result if self._peak is None else max(self._peak, result)
        armed = [(arm, back) for arm, back in self._rungs if self._peak >= arm]
        if not armed:
            return
        wanted = max(ZERO if back is None else self._peak - back for _, back in armed)
        step = (armed[-1][1] or ZERO) / STEPS
        is_new = len(armed) > self._armed
        if self.stop is None or is_new or (wanted > self.stop and wanted - self.stop >= step):
            self._armed = max(self._armed, len(armed))
            self.stop = wanted if self.stop is None else max(wanted, self.stop)


def by_minute(since: datetime, until: datetime) -> Iterator[datetime]:
    """Every full minute between them."""
    at = since.replace(second=0, microsecond=0) + MINUTE
    while at < until:
        yield at
        at += MINUTE
