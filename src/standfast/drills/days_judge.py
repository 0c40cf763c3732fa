"""Was everything opened on a recorded day kept as its rules say? Judged by the exchange, the recording and the ledger.

What was due and when is figured by `days_market`, who held what by the exchange's own fills; the guard is asked for
nothing. The ledger is read for what it claims (`days_claims`).

1. No uncovered minute: in every minute in which the exchange held a position, the guard asked for quotes, its stop
   rested where it shall, and where a leg had no price a break said so. It was in the books soon after its fills.
2. Every exit left the guard before the quote after the one that made it due, for the reason that was due, and none
   without one. What is due by the clock and has no price may wait for one, if that is said.
3. What the books earned is what the exchange's fills brought, position by position and in all, to the cent.
4. What a price made due brought no less than the worse side of the quote it was due by, where that still stood when
   it filled.
5. Every position that is closed has its proof, and nothing is left at the exchange.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.drills.days_claims import Claims
from standfast.drills.days_market import Due, Held, Market, by_minute, first_due
from standfast.drills.days_plan import Wanted
from standfast.drills.days_play import ACCOUNT, Notes
from standfast.exchange.events import Event
from standfast.exchange.sessions import NEW_YORK
from standfast.model.order import Role

ZERO = Decimal(0)
CENT = Decimal("0.01")
TAKEN_IN = timedelta(seconds=10)
"""How long after its fills a position of a bot may take to be in the books."""
PROMPT = timedelta(seconds=60)
"""How long a price may be lacking before it has to be said, and an exit take to leave: a minute's quotes."""
STEP_MAX = Decimal("0.10")
"""The widest step of prices of an option."""
PRICELESS = timedelta(minutes=3, seconds=5)
"""How long what is due by the clock may wait for a price that is lacking, aloud."""
BY_CLOCK = frozenset({"flat_by", "operator"})


@dataclass(slots=True, kw_only=True)
class Kept:
    """How one position was kept."""

    name: str
    by: str
    opened: datetime
    entry: Decimal
    due: Due
    sent: datetime | None = None
    """When the first order to close it came to the exchange, or the stop that rested fired."""
    reason: str = ""
    """Why, as the ledger says."""
    over: datetime | None = None
    """Its last fill."""
    minutes: int = 0
    blind: int = 0
    """Minutes without a price of every leg."""
    earned: Decimal = ZERO
    booked: Decimal = ZERO
    wrong: list[str] = field(default_factory=list)

    @property
    def lag(self) -> float | None:
        """Seconds from what made it due to the order."""
        return None if self.sent is None else (self.sent - self.due.at).total_seconds()


@dataclass(slots=True, kw_only=True)
class Judged:
    """One day."""

    notes: Notes
    kept: list[Kept] = field(default_factory=list)
    booked: Decimal = ZERO
    refused: list[str] = field(default_factory=list)
    """Openings that the guard refused, and rightly: their delta was beyond its limit already."""
    wrong: list[str] = field(default_factory=list)
    """What is wrong with the day as a whole; its positions have their own."""

    @property
    def held(self) -> bool:
        return bool(self.kept) and not self.wrong and not any(each.wrong for each in self.kept)

    @property
    def minutes(self) -> int:
        return sum(each.minutes for each in self.kept)


def judge(notes: Notes) -> Judged:
    return _Judge(notes).judged()


class _Judge:
    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.market = Market(notes.path)
        self.claims = Claims(ACCOUNT, notes.entries)
        tags = {event.order.id: event.order.tag for event in notes.events}
        self.fills: defaultdict[str, list[Event]] = defaultdict(list)
        for event in notes.events:
            if event.quantity is not None:
                whole = tags.get(event.order.parent_id, "") if event.order.parent_id is not None else ""
                self.fills[self._whose(whole or event.order.tag)].append(event)
        self.asked_at = Counter(
            request.at.replace(second=0, microsecond=0) for request in notes.requests if request.operation == "quotes"
        )

    def _whose(self, tag: str) -> str:
        """The guard's by its intents, a bot's by its own name in it."""
        return self.claims.sent_by[tag][0] if tag in self.claims.sent_by else tag.rpartition("-")[0]

    def judged(self) -> Judged:
        notes, found = self.notes, Judged(notes=self.notes, booked=self.claims.earned)
        for wanted in notes.wanted:
            kept = self._kept(wanted)
            if kept is not None:
                found.kept.append(kept)
            elif self._was_beyond(wanted):
                found.refused.append(f"{wanted.name}: {notes.refused[wanted.name]}")
            else:
                found.wrong.append(f"{wanted.name} was not opened: {notes.refused.get(wanted.name, 'not filled')}")
        names = {wanted.name for wanted in notes.wanted}
        found.wrong += [f"{name}: {why}" for name, why in notes.refused.items() if name not in names]
        found.wrong += [f"fills of nobody: {name}" for name in sorted(self.fills.keys() - names)]
        found.wrong += [f"left at the exchange: {held:+f} {name}" for name, held in sorted(notes.left.items())]
        if notes.working:
            found.wrong.append(f"{notes.working} orders still work")
        if not notes.left and found.booked.quantize(CENT) != notes.earned.quantize(CENT):
            found.wrong.append(f"the books earned {found.booked}, the account {notes.earned}")
        return found

    def _kept(self, wanted: Wanted) -> Kept | None:
        fills = self.fills.get(wanted.name, [])
        opening = self._opening(wanted, fills)
        if opening is None:
            return None
        held = Held(wanted.legs, *opening, deltas=self._deltas(wanted), resting=self._stop(wanted))
        due = first_due(self.market, self.notes.day, held, wanted.kept)
        if wanted.closed_at is not None:
            by_hand = datetime.combine(self.notes.day, wanted.closed_at, NEW_YORK)
            due = due if due.at < by_hand else Due(by_hand, "operator")
        kept = Kept(name=wanted.name, by=wanted.by, opened=held.since, entry=held.entry, due=due)
        kept.sent, kept.reason = self._sent(wanted, fills), self.claims.reason(wanted.name)
        kept.over = max(event.at for event in fills)
        kept.wrong += self._stop_is_wrong(wanted, held)
        kept.wrong += self._exit_is_wrong(wanted, kept)
        kept.wrong += self._is_uncovered(wanted, held, kept)
        kept.wrong += self._money_is_wrong(wanted, fills, kept)
        kept.wrong += self._brought_too_little(wanted, held, kept)
        return kept

    def _was_beyond(self, wanted: Wanted) -> bool:
        """Whether its opening was refused, and one of what it would have sold stood beyond its limit."""
        at = datetime.combine(self.notes.day, wanted.at, NEW_YORK)
        told = [delta for when, _, delta in self._deltas(wanted) if at - PROMPT <= when <= at]
        limit = wanted.kept.delta
        return wanted.name in self.notes.refused and limit is not None and any(abs(each) >= limit for each in told)

    def _opening(self, wanted: Wanted, fills: Sequence[Event]) -> tuple[Decimal, datetime] | None:
        """What a unit cost, and when it was whole; None where it never was."""
        entry, whole = ZERO, []
        for name, ratio in wanted.legs:
            left, value = Decimal(wanted.units * abs(ratio)), ZERO
            for event in fills:
                if event.order.instrument == name and event.order.side.sign * ratio > 0 and left > 0:
                    quantity, price = _filled(event)
                    left -= quantity
                    value += quantity * price
                    whole.append(event.at)
            if left:
                return None
            entry += ratio * value / (wanted.units * abs(ratio))
        return entry, max(whole)

    def _deltas(self, wanted: Wanted) -> list[tuple[datetime, str, float]]:
        sold = {name for name, ratio in wanted.legs if ratio < 0}
        return [(at, name, delta) for at, name, delta in self.notes.deltas if name in sold]

    def _stop(self, wanted: Wanted) -> Decimal | None:
        """The price of the stop that the guard rested for it."""
        tickets = (asked.ticket for asked in self.notes.asked if asked.ticket is not None)
        stops = (ticket for ticket in tickets if self.claims.sent_by.get(ticket.tag) == (wanted.name, Role.STOP))
        return next((ticket.terms.stop_price for ticket in stops), None)

    # --- exits ------------------------------------------------------------------------------------

    def _sent(self, wanted: Wanted, fills: Sequence[Event]) -> datetime | None:
        """When the first order to close it came, or the first fill of the stop that rested."""
        asked = [(each.at, each.ticket) for each in self.notes.asked]
        times = [at for at, sent in asked if sent is not None and self.claims.is_closing(sent.tag, wanted.name)]
        ways = dict(wanted.legs)
        times += [event.at for event in fills if event.order.side.sign * ways[event.order.instrument] < 0]
        return min(times, default=None)

    def _stop_is_wrong(self, wanted: Wanted, held: Held) -> Iterator[str]:
        """One that rests stands where the rule says, or up to one step of prices nearer."""
        if wanted.kept.held_by != "broker" or wanted.kept.stop is None:
            return
        level = held.entry - wanted.kept.stop * abs(held.entry)
        if held.resting is None or not 0 <= held.resting - level <= STEP_MAX:
            yield f"a stop rests at {held.resting}, and {level} is what its rule says"

    def _exit_is_wrong(self, wanted: Wanted, kept: Kept) -> Iterator[str]:
        due = kept.due
        was_due = f"{due.reason} was due at {_clock(due.at)} ({due.told or 'by the clock'})"
        if kept.sent is None:
            yield f"{was_due} and nothing was sent"
        elif kept.sent < due.at:
            yield f"closed at {_clock(kept.sent)} as {kept.reason}, and {was_due}"
        elif kept.sent >= due.at + self._time_for(wanted, due):
            yield f"{was_due} and left at {_clock(kept.sent)}"
        elif kept.reason != due.reason:
            yield f"closed as {kept.reason}, and {was_due}"

    def _time_for(self, wanted: Wanted, due: Due) -> timedelta:
        is_priceless = due.reason == "flat_by" and self.market.lacking(wanted.legs, due.at)
        return PRICELESS if is_priceless and self.claims.is_said_to_have_no_price(wanted.name) else PROMPT

    def _brought_too_little(self, wanted: Wanted, held: Held, kept: Kept) -> Iterator[str]:
        due, sides = kept.due, self.market.net(wanted.legs, kept.due.at)
        is_quick = kept.over is not None and kept.sent is not None and kept.over < self.market.after(kept.sent)
        if due.reason in BY_CLOCK or not is_quick or sides is None:
            return
        least = (sides[0] - held.entry) * wanted.units * 100
        if kept.earned < least:
            yield f"it brought {kept.earned}, and {least} was to be had when {due.reason} was due"

    # --- cover ------------------------------------------------------------------------------------

    def _is_uncovered(self, wanted: Wanted, held: Held, kept: Kept) -> Iterator[str]:
        """Every minute that it was held and nothing was under way to close it."""
        since = self.claims.guarded_since(wanted.name)
        if since is None or since - held.since > TAKEN_IN:
            yield f"held since {_clock(held.since)}, in the books since {_clock(since)}"
        for at in by_minute(held.since, kept.sent or self.notes.closes):
            kept.minutes += 1
            if not self.asked_at[at]:
                yield f"no quote was asked for from {_clock(at)} on"
            if wanted.kept.held_by == "broker":
                if (covered := self._resting(wanted, at)) != wanted.units:
                    yield f"{covered} of {wanted.units} under a stop at {_clock(at)}"
            elif lacking := self.market.lacking(wanted.legs, at):
                kept.blind += 1
                if at < kept.due.at and not self._is_said(wanted, at):
                    yield f"{', '.join(lacking)} without a price at {_clock(at)}, and it was not said"

    def _is_said(self, wanted: Wanted, at: datetime) -> bool:
        places = self.claims.places(wanted.name)
        return any(where in places and since < at + PROMPT and until > at for where, since, until in self.claims.blind)

    def _resting(self, wanted: Wanted, at: datetime) -> Decimal:
        """Contracts that stops of the guard for it cover at the exchange at that moment."""
        alive: dict[str, Decimal] = {}
        for event in self.notes.events:
            if event.at >= at:
                break
            if self.claims.sent_by.get(event.order.tag) == (wanted.name, Role.STOP):
                alive[event.order.id] = ZERO if event.order.is_finished else event.order.remaining
        return sum(alive.values(), ZERO)

    # --- money ------------------------------------------------------------------------------------

    def _money_is_wrong(self, wanted: Wanted, fills: Sequence[Event], kept: Kept) -> Iterator[str]:
        held: defaultdict[str, Decimal] = defaultdict(Decimal)
        for event in fills:
            quantity, price = _filled(event)
            held[event.order.instrument] += quantity * event.order.side.sign
            kept.earned -= quantity * event.order.side.sign * price * 100
        kept.booked = self.claims.earned_by(wanted.name)
        left = ", ".join(f"{quantity:+f} {name}" for name, quantity in held.items() if quantity)
        if left:
            yield f"not closed: {left}"
        elif kept.booked.quantize(CENT) != kept.earned.quantize(CENT):
            yield f"the books earned {kept.booked}, its fills brought {kept.earned}"
        elif unproven := self.claims.unproven(wanted.name):
            yield f"closed without proof: {', '.join(unproven)}"


def _filled(event: Event) -> tuple[Decimal, Decimal]:
    assert event.quantity is not None, event
    assert event.price is not None, event
    return event.quantity, event.price


def _clock(at: datetime | None) -> str:
    return "never" if at is None else f"{at.astimezone(NEW_YORK):%H:%M:%S}"
