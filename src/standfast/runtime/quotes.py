"""The last quotes of every watched holding, and the gate that lets only rule-relevant ticks wake the loop.

A tick inside the band costs one look-up and one comparison of floats: it is kept as it came, and becomes an exact
quote when somebody looks at it (`sights`). A tick outside wakes the loop, whose check is exact. One that is only too
wide wakes it once, and so does the first that is none of both again: in between nothing fires, because a wide quote is
judged at prices inside it. A tick of a leg is put into the columns of structures too, and wakes those whose net price
has left its bounds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum

import structlog

from standfast.core.bands import NOTHING_WAKES, Band
from standfast.core.columns import Bounds, Columns
from standfast.core.situation import QUOTES_FRESH, Sight
from standfast.core.watching import Watch
from standfast.core.worth import is_usable
from standfast.model.errors import BrokerError
from standfast.model.greeks import Greeks
from standfast.model.ids import Holding, InstrumentId, PositionId, structure_holding
from standfast.model.option import option_contract
from standfast.model.quote import ExactTick, Quote
from standfast.ports import Broker, Clock, TellsGreeks, Tick, Ticks
from standfast.runtime.bell import Bell

log = structlog.get_logger("standfast.quotes")

POLL = timedelta(seconds=5)
GREEKS_EVERY = timedelta(seconds=60)
AGAIN = 1.0
"""Seconds until what is wanted is asked for again, however soon it is."""
LEAP = 1.4
"""A ratio from one tick to the next that is worth an exact look, up or down: the smallest split is 3 for 2."""

Seen = tuple[Tick, datetime]
"""A tick and when it was received."""


class Lies(IntEnum):
    """Where a tick lies: inside the band, inside it and too wide, or with a side outside."""

    QUIET = 0
    WIDE = 1
    OUTSIDE = 2


class Gate:
    """What is known of one instrument's price. The floats are the narrowest of its holdings' bands."""

    __slots__ = ("before", "good", "high", "holdings", "last", "leap", "looked", "low", "made", "made_of", "spread")

    def __init__(self) -> None:
        self.low, self.high, self.spread = NOTHING_WAKES
        self.holdings: dict[Holding, Band] = {}
        """Those whose rules need this price: more than one only where an account is hedged."""
        self.last: Seen | None = None
        self.before: Seen | None = None
        self.leap: Decimal | None = None
        """How far one tick lay from the one before, if far, since somebody last looked."""
        self.good: Quote | None = None
        """The last one looked at that could be used."""
        self.made: Sight | None = None
        self.made_of: Seen | None = None
        self.looked = Lies.QUIET
        """Where the last tick lies that somebody has looked at."""

    def put(self, holding: Holding, band: Band | None) -> None:
        if band is None:
            self.holdings.pop(holding, None)
        else:
            self.holdings[holding] = band
        bands = (NOTHING_WAKES, *self.holdings.values())
        self.low = max(each.low for each in bands)
        self.high = min(each.high for each in bands)
        self.spread = min(each.spread for each in bands)
        if self.made_of is not None:
            self.looked = self._lies(self.made_of[0])

    def _lies(self, tick: Tick) -> Lies:
        if not self.low < tick.bid <= tick.ask < self.high:
            return Lies.OUTSIDE
        return Lies.WIDE if tick.ask - tick.bid >= self.spread else Lies.QUIET

    def wakes(self, tick: Tick) -> bool:
        """Whether to look at the last tick: a rule could fire, or it can be trusted less or more than before."""
        lies = self._lies(tick)
        if lies is not Lies.QUIET:
            self.note_leap()
        return lies is Lies.OUTSIDE or lies is not self.looked or self.leap is not None

    def note_leap(self) -> None:
        """Keep a leap of a tick outside the band: a rule is about to be judged by it."""
        if self.before is None or self.last is None:
            return
        was, now = self.before[0], self.last[0]
        ratio = (now.bid + now.ask) / (was.bid + was.ask) if was.bid + was.ask > 0 else 1.0
        if ratio > LEAP or ratio * LEAP < 1:
            self.leap = Decimal(repr(ratio))

    def sight(self) -> Sight | None:
        """The last two quotes, made exact once."""
        last = self.last
        if last is None or last is self.made_of:
            return self.made
        before = None
        if self.before is not None:
            known = self.made is not None and self.before is self.made_of
            before = self.made.quote if known and self.made else self.before[0].quote(self.before[1])
        self.made, self.made_of = Sight(last[0].quote(last[1]), before), last
        self.looked = self._lies(last[0])
        if is_usable(self.made.quote):
            self.good = self.made.quote
        return self.made


class Sights(Mapping[Holding, Sight]):
    """What was last seen of each holding's price; exact quotes, made when they are looked at."""

    def __init__(self, gates: dict[InstrumentId, Gate]) -> None:
        self._gates = gates

    def __getitem__(self, holding: Holding) -> Sight:
        gate = self._gates.get(holding.instrument)
        sight = gate.sight() if gate is not None else None
        if sight is None:
            raise KeyError(holding)
        return sight

    def __iter__(self) -> Iterator[Holding]:
        return (Holding(name) for name, gate in self._gates.items() if gate.last is not None)

    def __len__(self) -> int:
        return sum(gate.last is not None for gate in self._gates.values())


class Good(Mapping[Holding, Quote]):
    """The last quote of each holding that could be used, however old it is."""

    def __init__(self, gates: dict[InstrumentId, Gate]) -> None:
        self._gates = gates

    def __getitem__(self, holding: Holding) -> Quote:
        gate = self._gates.get(holding.instrument)
        if gate is None or gate.good is None:
            raise KeyError(holding)
        return gate.good

    def __iter__(self) -> Iterator[Holding]:
        return (Holding(name) for name, gate in self._gates.items() if gate.good is not None)

    def __len__(self) -> int:
        return sum(gate.good is not None for gate in self._gates.values())


class Quotes:
    """Streamed where the broker streams, polled where a watched holding has gone without for five seconds."""

    def __init__(self, broker: Broker, clock: Clock, wake: Callable[[Holding], None]) -> None:
        self.broker, self.clock, self._wake = broker, clock, wake
        self._greeks_of = broker if isinstance(broker, TellsGreeks) else None
        self._gates: dict[InstrumentId, Gate] = {}
        self.sights: Mapping[Holding, Sight] = Sights(self._gates)
        self.good: Mapping[Holding, Quote] = Good(self._gates)
        self.greeks: dict[Holding, Greeks] = {}
        self._greeks_asked: datetime | None = None
        self._greeks_asked_of: set[Holding] = set()
        self.bands: dict[Holding, Band] = {}
        self.columns = Columns()
        """The net prices of structures."""
        self._places: dict[InstrumentId, int] = {}
        """Where the columns keep the quotes of an instrument; those no structure has a leg of are not in it."""
        self._beside: dict[Holding, frozenset[Holding]] = {}
        """Whose prices are needed because of what is held elsewhere, though no rule of their own needs them."""
        self._old: set[Holding] = set()
        """Watched, and without a fresh quote when that was last looked at."""
        self._wanted: set[Holding] = set()
        self._is_wanted = Bell()

    def watch(self, wanted: Watch) -> None:
        """Take over what was just figured; holdings without a band, and with nobody beside, are no longer watched."""
        is_other = self._watch_beside(wanted.beside)
        for holding, band in wanted.bands.items():
            known = self.bands.get(holding)
            if band == known:
                continue
            is_other = is_other or band is None or known is None
            if band is None:
                del self.bands[holding]
            else:
                self.bands[holding] = band
            self._gate(holding.instrument).put(holding, band)
        for id, bounds in wanted.bounds.items():
            if self.columns.put(id, bounds) and bounds is not None:
                self._place(bounds)
        if is_other:
            self.broker.watch(self.watched)

    def _place(self, bounds: Bounds) -> None:
        """Give the legs of a structure their places in the columns, with the prices that are known."""
        for leg in bounds.legs:
            gate = self._gate(leg.holding.instrument)
            place = self._places[leg.holding.instrument] = self.columns.contracts[leg.holding]
            if gate.last is not None:
                self.columns.note(place, gate.last[0].bid, gate.last[0].ask)

    def _watch_beside(self, beside: Mapping[Holding, frozenset[Holding]]) -> bool:
        is_other = False
        for holding, needed in beside.items():
            if needed == self._beside.get(holding, frozenset()):
                continue
            is_other = True
            if needed:
                self._beside[holding] = needed
            else:
                del self._beside[holding]
        return is_other

    @property
    def watched(self) -> frozenset[Holding]:
        """Everything whose quotes are wanted all the time."""
        return frozenset(self.bands).union(*self._beside.values())

    def take(self, ticks: Ticks) -> None:
        """Quotes that came together: each kept, compared with its band, and nothing more for one inside it."""
        received, each = ticks
        gates = self._gates
        for tick in each:
            gate = gates.get(tick.instrument)
            if gate is None:
                continue
            gate.before = gate.last
            gate.last = (tick, received)
            bid, ask = tick.bid, tick.ask
            if gate.low < bid <= ask < gate.high and ask - bid < gate.spread and not gate.looked:
                continue
            if gate.wakes(tick):
                for holding in gate.holdings:
                    self._wake(holding)
        if self._places:
            self._judge_structures(each)

    def _judge_structures(self, ticks: Sequence[Tick]) -> None:
        """Put quotes of legs into the columns, and wake the structures whose net price has left its bounds."""
        columns = self.columns
        legs = [(place, tick) for tick in ticks if (place := self._places.get(tick.instrument)) is not None]
        woken: list[PositionId] = []
        if 2 * len(legs) > len(self._places):
            for place, tick in legs:
                columns.note(place, tick.bid, tick.ask)
            woken = columns.sweep()
        else:
            for place, tick in legs:
                woken += columns.take(place, tick.bid, tick.ask)
        for id in woken:
            self._wake(structure_holding(id))

    def leaps(self, holdings: Iterable[Holding]) -> dict[Holding, Decimal]:
        """The leaps since these were last looked at; looked at now, they are forgotten."""
        found: dict[Holding, Decimal] = {}
        for holding in holdings:
            gate = self._gates.get(holding.instrument)
            if gate is not None and gate.leap is not None:
                found[holding], gate.leap = gate.leap, None
        return found

    async def follow_stream(self) -> None:
        async for ticks in self.broker.quote_events():
            self.take(ticks)

    def want(self, holding: Holding) -> None:
        """Have it asked for soon, together with whatever else is wanted, and looked at then."""
        self._wanted.add(holding)
        self._is_wanted.ring()

    async def poll(self) -> None:
        """Ask for what the stream has not brought, and for what is wanted."""
        while True:
            now = self.clock.now()
            wanted, self._wanted = self._wanted, set()
            self._is_wanted.hush()
            stale = {holding for holding in self.watched if self._is_stale(holding, now)} | self._without_greeks(now)
            if stale or wanted:
                await self.ask(sorted(stale | wanted))
            self._wake_blind()
            for holding in wanted:
                self._wake(holding)
            if wanted:  # one that is not quoted is wanted again by the look this brings
                await self.clock.sleep(AGAIN)
            await self._is_wanted.heard(self.clock, POLL.total_seconds())

    def _wake_blind(self) -> None:
        """Have those looked at that no quote comes for any more, and those that one comes for again."""
        now = self.clock.now()
        old = {holding for holding in self.watched if self._is_stale(holding, now, QUOTES_FRESH)}
        for holding in old ^ self._old:
            self._wake(holding)
        self._old = old

    async def ask(self, holdings: list[Holding]) -> None:
        try:
            found = await self.broker.quotes(holdings)
        except BrokerError as error:
            log.warning("quotes not read", holdings=len(holdings), error=f"{type(error).__name__}: {error}")
            return
        for holding, told in (self._told_greeks or {}).items():
            if self.greeks.get(holding) != told:
                self.greeks[holding] = told
                self._wake(holding)  # no price tells that a delta has gone beyond its limit
        for holding in found:
            self._gate(holding.instrument)
        by_receipt: dict[datetime, list[ExactTick]] = {}
        for holding, quote in found.items():
            by_receipt.setdefault(quote.received, []).append(ExactTick.of(holding.instrument, quote))
        for received, each in by_receipt.items():
            self.take(Ticks(received, each))

    @property
    def _told_greeks(self) -> Mapping[Holding, Greeks] | None:
        """None: no broker that tells any."""
        return self._greeks_of.greeks if self._greeks_of is not None else None

    def _without_greeks(self, now: datetime) -> set[Holding]:
        """Options whose greeks are due: no stream brings them, only a quote that is asked for does. All of them once a
        minute, and one that is new at once: what is sold may be beyond its limit already."""
        if self._told_greeks is None:
            return set()
        options = {holding for holding in self.bands if option_contract(holding.instrument) is not None}
        if options and (self._greeks_asked is None or abs(now - self._greeks_asked) >= GREEKS_EVERY):
            self._greeks_asked, self._greeks_asked_of = now, set()
        due = options - self._greeks_asked_of
        self._greeks_asked_of = options
        return due

    def _gate(self, instrument: InstrumentId) -> Gate:
        gate = self._gates.get(instrument)
        if gate is None:
            gate = self._gates[instrument] = Gate()
        return gate

    def _is_stale(self, holding: Holding, now: datetime, limit: timedelta = POLL) -> bool:
        last = self._gate(holding.instrument).last
        return last is None or abs(now - last[1]) >= limit  # ahead of now: the clock was put back since
