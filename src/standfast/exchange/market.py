"""Where prices come from: `Prices`, and the seeded market, one of its three forms (the others: script.py, replay.py).

Whatever the form, `quotes(start, end)` gives quotes in time order, of one instant in alphabetical order of
instrument, from `start` on and before `end`. None keeps a clock, and asking twice gives the same quotes twice.

`Market` is a function of seed, walks, events and start alone. Its arithmetic is additions, multiplications and square
roots of floats, which IEEE 754 fixes to the bit, and random bits, which Python promises to keep; no library
logarithm, no hash, no set. So one seed gives one market on every Python and platform. The float is only the hidden
price: a quote is a whole number of ticks, in Decimal. Each instrument draws from its own stream and draws whether it
trades or not, so adding an instrument, a halt or a jump leaves all other noise as it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from math import sqrt
from random import Random
from typing import Protocol, TypeAlias

from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.sessions import Sessions

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


class Prices(Protocol):
    """What feeds an engine."""

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """Quotes with `start <= at < end`, aware UTC, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One instrument's random walk: geometric, and pulled back to where it started if asked to."""

    instrument: str
    price: Decimal
    """Mid at the start."""
    volatility: float = 0.004
    """Standard deviation of the return over one hour of trading."""
    reversion: float = 0.0
    """Share of the distance to the anchor undone per hour. Events move the anchor with the price."""
    spread: Decimal = Decimal("0.02")
    tick: Decimal = Decimal("0.01")
    size: Decimal = Decimal(100)
    """Sizes are one to eight times this."""


@dataclass(frozen=True, slots=True)
class Jump:
    """From `at` on the price is `price`: the next quote's mid lies within a tick of it."""

    instrument: str
    at: datetime
    price: Decimal


@dataclass(frozen=True, slots=True)
class Gap:
    """That day's session opens `by` (a fraction; -0.05 is 5 % lower) away from where the walk stood."""

    instrument: str
    day: date
    by: Decimal


@dataclass(frozen=True, slots=True)
class Drift:
    """Between `start` and `end` the price moves `by` (a fraction) in a straight line, noise on top."""

    instrument: str
    start: datetime
    end: datetime
    by: Decimal


@dataclass(frozen=True, slots=True)
class Halt:
    """No quotes from `start` until `end`, and no movement but that of events."""

    instrument: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Widen:
    """From `start` until `end` the spread is `spread`."""

    instrument: str
    start: datetime
    end: datetime
    spread: Decimal


Event: TypeAlias = Jump | Gap | Drift | Halt | Widen


@dataclass(frozen=True, slots=True)
class Slow:
    """Stretches (start, end), in order, in which a quote comes only each `every`, after a move for all of that time."""

    every: timedelta
    stretches: tuple[tuple[datetime, datetime], ...] = ()


NEVER_SLOW = Slow(SECOND)


class Market:
    """Several walks on one clock: each instrument is quoted each `every`, while `sessions` (if given) is open."""

    def __init__(
        self,
        seed: int,
        walks: Iterable[Walk],
        *,
        every: timedelta = SECOND,
        slow: Slow = NEVER_SLOW,
        events: Iterable[Event] = (),
        sessions: Sessions | None = None,
    ) -> None:
        """ValueError for an event of an unknown instrument, or a gap on a day without session."""
        if every <= timedelta(0):
            raise ValueError(f"quotes every {every}: not a positive interval")
        self._seed = seed
        self._walks = sorted(walks, key=lambda walk: walk.instrument)
        self._every = every
        self._slow = slow
        self._sessions = sessions
        self._events = [self._dated(event) for event in events]
        known = [walk.instrument for walk in self._walks]
        if unknown := [event for event in self._events if event.instrument not in known]:
            raise ValueError(f"event of an unknown instrument: {unknown[0]}; there are {', '.join(known)}")

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """The walks begin at `start` with their given price. Events before `start` do not happen."""
        paths = [
            _Path(
                walk, [event for event in self._events if event.instrument == walk.instrument], self._seed, self._every
            )
            for walk in self._walks
        ]
        previous = start - INSTANT
        for at, steps in self._instants(start.astimezone(UTC), end):
            for path in paths:
                if quote := path.quote(previous, at, steps):
                    yield quote
            previous = at

    def _instants(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
        """When quotes come, each with how many of the usual steps the walks have made since the one before."""
        at, steps = start, 1
        slow = iter(self._slow.stretches)
        stretch = next(slow, None)
        in_one = max(1, self._slow.every // self._every)
        while at < end:
            closes = end
            if self._sessions is not None:
                at = at if self._sessions.is_open(at) else self._sessions.next_open(at)
                closes = min(end, self._sessions.next_close(at))
            while at < closes:
                yield at, steps
                while stretch is not None and stretch[1] <= at:
                    stretch = next(slow, None)
                steps = 1
                if stretch is not None and stretch[0] <= at:
                    steps = max(1, min(in_one, (stretch[1] - at) // self._every))
                at += steps * self._every

    def _dated(self, event: Event) -> "_Dated":
        if not isinstance(event, Gap):
            return event
        session = self._sessions.calendar(event.day, event.day) if self._sessions else []
        if not session:
            raise ValueError(f"no session opens on {event.day}: {event}")
        return _OpeningGap(event.instrument, session[0].opens, event.by)


@dataclass(frozen=True, slots=True)
class _OpeningGap:
    instrument: str
    at: datetime
    by: Decimal


_Dated: TypeAlias = Jump | _OpeningGap | Drift | Halt | Widen


class _Path:
    """One instrument's hidden price, moved from quote to quote."""

    def __init__(self, walk: Walk, events: Sequence[_Dated], seed: int, every: timedelta) -> None:
        hours = every / HOUR
        self._instrument = walk.instrument
        self._walk, self._hours = walk, hours
        self._random = Random(f"{seed}/{walk.instrument}")  # a text seed is digested with SHA-512, not with hash()
        self._noise = {1: self._noise_of(1)}
        self._price = self._anchor = float(walk.price)
        self._tick, self._tick_size = walk.tick, float(walk.tick)
        self._spread = _ticks(walk.spread, walk.tick)
        self._sizes = [walk.size * n for n in range(1, 9)]
        self._moves = [event for event in events if isinstance(event, Jump | _OpeningGap)]
        self._drifts = [event for event in events if isinstance(event, Drift)]
        self._halts = [event for event in events if isinstance(event, Halt)]
        self._wide = [(event, _ticks(event.spread, walk.tick)) for event in events if isinstance(event, Widen)]

    def _noise_of(self, steps: int) -> tuple[float, float]:
        """What one coin of so many steps moves, and what share of the way to the anchor they undo."""
        hours = steps * self._hours
        return self._walk.volatility * sqrt(hours) / 4, min(1.0, self._walk.reversion * hours)

    def quote(self, previous: datetime, at: datetime, steps: int) -> FileQuote | None:
        """The quote at `at`, everything after `previous` applied, noise for so many steps; None while halted."""
        # 64 fair coins: mean 32, deviation 4. Exact on every platform, which a library logarithm would not be.
        coins, sizes = self._random.getrandbits(64).bit_count() - 32, self._random.getrandbits(6)
        is_halted = any(halt.start <= at < halt.end for halt in self._halts)
        if not is_halted:
            noise, reversion = self._noise.get(steps) or self._noise.setdefault(steps, self._noise_of(steps))
            self._price += (self._anchor - self._price) * reversion
            self._price *= max(0.5, 1.0 + coins * noise)
        self._happen(previous, at)
        if is_halted:
            return None
        spread = next((ticks for wide, ticks in self._wide if wide.start <= at < wide.end), self._spread)
        bid = max(1, round(self._price / self._tick_size - spread / 2))
        bid_size, ask_size = self._sizes[sizes & 7], self._sizes[sizes >> 3]
        return FileQuote(at, self._instrument, self._tick * bid, self._tick * (bid + spread), bid_size, ask_size)

    def _happen(self, previous: datetime, at: datetime) -> None:
        for drift in self._drifts:
            if drift.start < at and previous < drift.end:
                self._scale(_progress(drift, at) / _progress(drift, previous))
        for move in self._moves:
            if previous < move.at <= at:
                if isinstance(move, Jump):
                    self._price = self._anchor = float(move.price)
                else:
                    self._scale(1.0 + float(move.by))

    def _scale(self, factor: float) -> None:
        self._price *= factor
        self._anchor *= factor


def _ticks(spread: Decimal, tick: Decimal) -> int:
    return max(1, int((spread / tick).to_integral_value(ROUND_CEILING)))


def _progress(drift: Drift, at: datetime) -> float:
    """The factor reached at `at`: quotients of it telescope, so the whole drift is exactly `1 + by`."""
    share = min(1.0, max(0.0, (at - drift.start) / (drift.end - drift.start)))
    return 1.0 + float(drift.by) * share
