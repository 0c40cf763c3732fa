"""What is opened on a recorded day of options, when, and by which rules it is kept: of whatever contracts there are.

Every shape that two strikes of each expiry allow: verticals on both sides, for a credit and for a debit, a straddle, a
strangle, a ratio, a calendar, a diagonal, single options. Some of them share contracts, bought in one and sold in
another. (Butterflies and condors need three strikes and four.) The rules are those a trader would write, each of them
at least once: stop, emergency stop and minimum hold, target, trailing ladder, short delta, flat by, the last day.

Strategy names tie everything together: policies match on them, and the judge is told by them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from standfast.drills.line import Spread
from standfast.exchange.contracts import Contract, contract_of

LAST = time(15, 10)
"""When what ends today is flat: the product's own default."""
EARLY, EVENING = time(15, 30), time(15, 50)
"""When some, and when everything else is."""
LATE = time(16, 5)
Legs = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The rules of one position: fractions of credit or debit. None: off."""

    stop: Decimal | None = None
    target: Decimal | None = None
    emergency: Decimal | None = None
    minimum_hold: timedelta = timedelta(0)
    ladder: tuple[tuple[Decimal, Decimal | None], ...] = ()
    """Rungs: armed at, gives back (None: down to the entry)."""
    delta: Decimal | None = None
    flat_by: time | None = EVENING
    held_by: Literal["guard", "broker"] = "guard"

    def by(self, at: time) -> "Kept":
        """Flat by then at the latest, if it is to be flat by any time."""
        return self if self.flat_by is None else replace(self, flat_by=min(self.flat_by, at))

    def policy(self, name: str) -> str:
        """As a table of standfast.toml."""
        lines = [
            "[[policies]]",
            f'name = "{name}"',
            f'match = {{ strategy = "{name}", kind = "option" }}',
            f'exits_held_by = "{self.held_by}"',
            "adopted_too = true",
        ]
        if self.flat_by is not None:
            lines.append(f'flat_by = "{self.flat_by:%H:%M} America/New_York"')
        rules = {"stop_loss": self.stop, "take_profit": self.target, "emergency_stop": self.emergency}
        lines += [f'{key} = "{100 * rule:f}%"' for key, rule in rules.items() if rule is not None]
        if self.minimum_hold:
            lines.append(f'minimum_hold = "{self.minimum_hold.total_seconds() / 60:.0f}m"')
        if self.ladder:
            lines.append(f"trailing = [{', '.join(_rung(arm, back) for arm, back in self.ladder)}]")
        if self.delta is not None:
            lines.append(f"short_delta_limit = {self.delta}")
        return "\n".join(lines) + "\n"


def _rung(arm: Decimal, back: Decimal | None) -> str:
    given = "to entry" if back is None else f"{100 * back:f}pt"
    return f'{{ arm = "{100 * arm:f}%", give_back = "{given}" }}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One position that somebody opens. `at`: New York time."""

    name: str
    at: time
    legs: Legs
    units: int
    kept: Kept
    by: Literal["operator", "bot", "bot, leg by leg"] = "operator"
    closed_at: time | None = None
    """When its operator closes it, if it is still open."""

    @property
    def spread(self) -> Spread:
        return Spread(legs=" ".join(f"{name}:{ratio:+d}" for name, ratio in self.legs), units=self.units)

    @property
    def closed_by(self) -> time:
        """When nobody does anything for it any more, but for its rules."""
        return self.closed_at or self.at


@dataclass(frozen=True, slots=True)
class _Board:
    """The two outermost strikes of one expiry, both rights."""

    expiry: date
    names: Mapping[tuple[str, Decimal], str] = field(repr=False)

    @property
    def strikes(self) -> list[Decimal]:
        puts, calls = ({strike for right, strike in self.names if right == kind} for kind in ("put", "call"))
        return sorted(puts & calls)

    def put(self, place: int) -> str:
        return self.names["put", self.strikes[place]]

    def call(self, place: int) -> str:
        return self.names["call", self.strikes[place]]


LOW, HIGH = 0, -1
MORNING, AFTERNOON = time(10, 0), time(12, 45)
NOON = time(12, 30)
"""When what was opened in the morning is flat: after it the same contracts are traded the other way."""


@dataclass(frozen=True, slots=True)
class _Phase:
    """Half a day on one expiry, in which every contract is held one way only: the broker takes no order that opens
    one way what is held the other way."""

    board: _Board
    number: int
    begins: time
    flat_by: time

    def wanted(self, name: str, minute: int, legs: Legs, kept: Kept, *, units: int = 1) -> Wanted:
        begins = datetime.combine(date.min, self.begins) + timedelta(minutes=minute * 4 + self.number)
        when = "am" if self.begins == MORNING else "pm"
        return Wanted(
            name=f"{name}-{when}{self.number + 1}",
            at=begins.time(),
            legs=legs,
            units=units,
            kept=kept.by(self.flat_by),
        )


def planned(instruments: Iterable[str], begins: time, ends: time) -> list[Wanted]:
    """What to open of these contracts between two times of the day, in their order; flat by the second. ValueError
    where they allow no spread."""
    found = [each for each in _whole_day(instruments) if begins < each.at and each.closed_by < ends]
    return [replace(each, kept=each.kept.by(ends)) for each in found]


def _whole_day(instruments: Iterable[str]) -> list[Wanted]:
    boards = list(_boards(instruments))
    if not boards:
        raise ValueError("no expiry with calls and puts at two strikes: no spread can be made of these contracts")
    found: list[Wanted] = []
    phases = [
        (_Phase(board, number, MORNING, NOON), _Phase(board, number, AFTERNOON, EVENING))
        for number, board in enumerate(boards)
    ]
    for number, (early, late) in enumerate(phases):
        is_even = number % 2 == 0
        found += [*(_debits(early) if is_even else _credits(early)), *(_credits(late) if is_even else _debits(late))]
        if is_even and number + 1 < len(boards):
            found += _of_two(late, boards[number + 1], boards[number + 2] if number + 2 < len(boards) else None)
    _, last = phases[-1]
    found.append(_after_the_close(last, is_sold=len(phases) % 2 == 1))
    return sorted(found, key=lambda each: (each.at, each.name))


def _boards(instruments: Iterable[str]) -> Iterator[_Board]:
    contracts: dict[tuple[date, str], list[Contract]] = {}
    for name in instruments:
        contract = contract_of(name)
        if contract is not None:
            contracts.setdefault((contract.expiry, contract.root), []).append(contract)
    for (expiry, _), each in sorted(contracts.items()):
        board = _Board(expiry, {(contract.right, contract.strike): contract.name for contract in each})
        if len(board.strikes) > 1:
            yield board


def _debits(phase: _Phase) -> Iterator[Wanted]:
    """Bought: the lower call and the upper put. Sold: the two others."""
    board, put, call = phase.board, phase.board.put, phase.board.call
    ladder = ((_percent(4), None), (_percent(8), _percent(3)))
    legs: Legs = ((call(LOW), 1), (call(HIGH), -1))
    yield phase.wanted("call-debit", 0, legs, Kept(stop=_percent(30), ladder=ladder), units=2)
    legs = ((put(HIGH), 1), (put(LOW), -1))
    yield phase.wanted("put-debit", 1, legs, Kept(stop=_percent(60), target=_percent(20)))
    legs = ((put(HIGH), 1), (put(LOW), -2))
    yield phase.wanted("ratio", 2, legs, Kept(emergency=_percent(300), delta=Decimal("0.2")))
    kept = Kept(stop=_percent(30), emergency=_percent(60), minimum_hold=timedelta(minutes=45))
    yield phase.wanted("single-put", 3, ((board.put(LOW), -1),), kept)
    legs = ((put(HIGH), 1), (put(LOW), -1))
    by_hand = phase.wanted("by-hand", 4, legs, Kept(stop=_percent(90)), units=2)
    yield replace(by_hand, closed_at=(datetime.combine(date.min, by_hand.at) + timedelta(minutes=90)).time())


def _credits(phase: _Phase) -> Iterator[Wanted]:
    """Sold: the lower call and the upper put. Bought: the two others."""
    put, call = phase.board.put, phase.board.call
    puts: Legs = ((put(HIGH), -1), (put(LOW), 1))
    calls: Legs = ((call(LOW), -1), (call(HIGH), 1))
    yield phase.wanted("put-credit", 0, puts, Kept(stop=_percent(15)), units=3)
    yield phase.wanted("call-credit", 1, calls, Kept(stop=_percent(20), target=_percent(10)), units=2)
    kept = Kept(emergency=_percent(40), delta=Decimal("0.95"))
    yield phase.wanted("strangle-sold", 2, ((call(LOW), -1), (put(HIGH), -1)), kept)
    yield phase.wanted("strangle", 3, ((call(HIGH), 1), (put(LOW), 1)), Kept(stop=_percent(50), flat_by=EARLY), units=2)
    single = Kept(stop=_percent(40), held_by="broker")
    yield phase.wanted("single-call", 4, ((call(HIGH), 1),), single, units=2)
    bot = phase.wanted("bot", 5, puts, Kept(stop=_percent(12), target=_percent(25)), units=2)
    yield replace(bot, by="bot")
    bot = phase.wanted("bot-by-legs", 6, calls[::-1], Kept(stop=_percent(20)))
    yield replace(bot, by="bot, leg by leg")


def _after_the_close(phase: _Phase, *, is_sold: bool) -> Wanted:
    """Options on an index are traded until a quarter past four; this one's operator closes it after four."""
    way = -1 if is_sold else 1
    legs: Legs = ((phase.board.put(HIGH), way), (phase.board.put(LOW), -way))
    found = phase.wanted("late", 9, legs, Kept(stop=_percent(95), flat_by=None))
    return replace(found, closed_at=LATE)


def _of_two(near: _Phase, next_: _Board, third: _Board | None) -> Iterator[Wanted]:
    kept = Kept(stop=_percent(25), target=_percent(30))
    yield near.wanted("calendar", 7, ((near.board.put(HIGH), -1), (next_.put(HIGH), 1)), kept, units=2)
    if third is not None:
        kept = Kept(stop=_percent(10), emergency=_percent(40), minimum_hold=timedelta(minutes=30))
        yield near.wanted("diagonal", 8, ((near.board.put(HIGH), -1), (third.put(LOW), 1)), kept)


def _percent(number: int) -> Decimal:
    return Decimal(number) / 100
