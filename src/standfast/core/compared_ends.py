"""How options ended by the broker's own account of a day, beside what was inferred from its lists.

The account names no contracts, so sums are compared: how many expired worthless, how many became cash or shares, bought
and sold apart, and the money that came of it. What agrees is put down and nobody is told; what differs is a person's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.situation import NEW_YORK, Situation
from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.evidence import EndTold
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import EndsCompared, Fact
from standfast.model.option import option_contract
from standfast.model.order import ZERO, Movement, MovementKind
from standfast.model.settlement import settlement

WAITED = timedelta(days=4)
"""How long the account of a day may be lacking: it is made at night, and a weekend may lie between."""
CENT = Decimal("0.01")

Sums = Counter[tuple[MovementKind, int]]


def days_to_compare(book: Book, today: date) -> list[date]:
    """Days that are over, on which options ended as nobody told."""
    return sorted({day for each in book.state.inferred.values() if (day := _day(each)) < today})


def compared(s: Situation, day: date, told: Sequence[EndTold]) -> Iterator[Fact]:
    """Put down whether the two agree; nothing while the broker's account of the day may still come."""
    ended = [each for each in s.book.state.inferred.values() if _day(each) == day]
    if not told and s.today - day < WAITED:
        return
    booked, said = _counted(ended), Counter[tuple[MovementKind, int]]()
    for row in told:
        said[row.kind, 1 if row.quantity < 0 else -1] += int(abs(row.quantity))
    money, paid = sum(map(_cash, ended), ZERO), sum((row.amount for row in told), ZERO)
    agrees = booked == said and abs(money - paid) < CENT
    words = f"booked {_words(booked)}, {money:+.2f} in cash; the broker tells {_words(said)}, {paid:+.2f}"
    yield EndsCompared(day=day.isoformat(), movements=tuple(each.id for each in ended), agrees=agrees, told=words)
    if not agrees:
        text = (
            f"How options ended on {day} is told otherwise than it was inferred: {words}. Nothing is changed. Needed: "
            "compare the account's statement; the difference is missing in the profit, or in what is held."
        )
        yield alarm(s, Severity.WARNING, text, key=f"ends/{day}")


def _day(movement: Movement) -> date:
    return movement.at.astimezone(NEW_YORK).date()


def _counted(ended: Iterable[Movement]) -> Sums:
    counted: Sums = Counter()
    for each in ended:
        sign = 1 if each.quantity < 0 else -1
        counted[_kind(each, sign), sign] += int(abs(each.quantity))
    return counted


def _kind(movement: Movement, sign: int) -> MovementKind:
    """What becomes cash is told as exercised or assigned, however it was inferred."""
    if movement.kind is MovementKind.EXPIRY and not movement.price:
        return MovementKind.EXPIRY
    return MovementKind.EXERCISE if sign > 0 else MovementKind.ASSIGNMENT


def _cash(movement: Movement) -> Decimal:
    """What came of one that settles in cash; where shares are delivered, those are told as a trade."""
    assert movement.holding is not None, movement.id
    contract = option_contract(movement.holding.instrument)
    if contract is None or not settlement(contract).cash or not movement.price:
        return ZERO
    return -movement.quantity * movement.price * money_of_a_point(movement.holding.instrument)


def _words(sums: Sums) -> str:
    named = {MovementKind.EXPIRY: "expired", MovementKind.EXERCISE: "exercised", MovementKind.ASSIGNMENT: "assigned"}
    return ", ".join(f"{count} {named[kind]}" for (kind, _), count in sorted(sums.items()) if count) or "nothing"
