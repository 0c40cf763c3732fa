"""How options ended by the broker's own account of a day, beside what was inferred from its lists.

The account names no contracts, so sums are compared: how many expired worthless, how many became cash or shares, bought
and sold apart, and the money that came of it. What agrees is put down and nobody is told. Where a row can be of one
contract only, by its sign and its quantity, what that was worth at its end is the broker's word: the last price of what
lay under it is not the settlement. That is restated, and told; what differs besides is a person's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.situation import NEW_YORK, Situation
from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.evidence import EndTold
from standfast.model.ids import ExecutionId, Holding
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import AlertRaised, Correction, EndRestated, EndsCompared, Fact
from standfast.model.option import option_contract
from standfast.model.order import ZERO, Movement, MovementKind
from standfast.model.settlement import settlement

WAITED = timedelta(days=4)
"""How long the account of a day may be lacking: it is made at night, and a weekend may lie between."""
CENT = Decimal("0.01")

Sums = Counter[tuple[MovementKind, int]]


def days_to_compare(book: Book, today: date) -> list[date]:
    """Days that are over, on which options ended as nobody told."""
    days = {day for each in book.state.inferred.values() if (day := _day(each)) < today}
    return sorted(day for day in days if today - day >= WAITED or not _is_pending(book, day))


def _is_pending(book: Book, day: date) -> bool:
    """Whether it is not booked yet how some contract of that day has ended: the shares of it are waited for."""
    held = (option_contract(each.holding.instrument) for each in book.state.positions.values() if each.held)
    return any(contract is not None and contract.expiry == day for contract in held)


def compared(s: Situation, day: date, told: Sequence[EndTold]) -> Iterator[Fact]:
    """Put down whether the two agree; nothing while the broker's account of the day may still come."""
    ended = [each for each in s.book.state.inferred.values() if _day(each) == day]
    if not told and s.today - day < WAITED:
        return
    restated = list(_restated(s, ended, told))
    for fact, _ in restated:
        yield fact
        yield _told(s, fact)
    ended = [next((new for fact, new in restated if fact.movement == each.id), each) for each in ended]
    booked, said = _counted(ended), Counter[tuple[MovementKind, int]]()
    for row in told:
        said[row.kind, 1 if row.quantity < 0 else -1] += int(abs(row.quantity))
    money, paid = sum(map(_cash, ended), ZERO), sum((row.amount for row in told), ZERO)
    agrees = booked == said and abs(money - paid) < CENT
    words = f"booked {_words(booked)}, {money:+.2f} in cash; the broker tells {_words(said)}, {paid:+.2f}"
    yield EndsCompared(day=day.isoformat(), movements=tuple(each.id for each in ended), agrees=agrees, told=words)
    if not agrees:
        text = (
            f"How options ended on {day} is told otherwise than it is booked: {words}. Nothing is changed for that. "
            "Needed: compare the account's statement; the difference is missing in the profit, or in what is held."
        )
        yield alarm(s, Severity.WARNING, text, key=f"ends/{day}")


def _day(movement: Movement) -> date:
    """The day of the broker's account that tells of it. What ended with its last session may be booked on the next."""
    day = movement.at.astimezone(NEW_YORK).date()
    contract = option_contract(movement.holding.instrument) if movement.holding is not None else None
    return min(day, contract.expiry) if contract is not None else day


# --- restated -------------------------------------------------------------------------------------


def _restated(
    s: Situation, ended: Sequence[Movement], told: Sequence[EndTold]
) -> Iterator[tuple[EndRestated, Movement]]:
    """What the rows say of contracts that they can only be of, where it is not what was inferred."""
    sizes = Counter(-each.quantity for each in ended if _is_option(each))
    rows = Counter(_left(row) for row in told)
    for movement in ended:
        quantity = -movement.quantity
        if (
            not _is_option(movement)
            or movement.kind is not MovementKind.EXPIRY
            or not sizes[quantity] == rows[quantity] == 1
        ):
            continue
        row = next(each for each in told if _left(each) == quantity)
        price, was = _worth(row, movement), movement.price or ZERO
        corrections = tuple(_corrections(s, movement, price - was)) if price is not None and price != was else ()
        if price is not None and corrections:
            fact = EndRestated(
                holding=_holding(movement), movement=movement.id, price=price, was=was, corrections=corrections
            )
            yield fact, replace(movement, price=price)


def _is_option(movement: Movement) -> bool:
    return movement.holding is not None and option_contract(movement.holding.instrument) is not None


def _holding(movement: Movement) -> Holding:
    assert movement.holding is not None, movement.id
    return movement.holding


def _left(row: EndTold) -> Decimal:
    """Signed, as it was held."""
    return -row.quantity


def _worth(row: EndTold, movement: Movement) -> Decimal | None:
    """Of one contract, by the money that came of it; None where shares did."""
    if row.kind is MovementKind.EXPIRY:
        return ZERO
    contract = option_contract(_holding(movement).instrument)
    if contract is None or not settlement(contract).cash or row.amount * _left(row) < 0:
        return None
    return row.amount / _left(row) / money_of_a_point(_holding(movement).instrument)


def _corrections(s: Situation, movement: Movement, more: Decimal) -> Iterator[Correction]:
    """By position, where what left by it is all that was ever closed of each; else nobody can say whose it was."""
    holding, was = _holding(movement), movement.price or ZERO
    known = (*s.book.state.closed.values(), *s.book.positions_at(holding))
    lots = [each for each in known if each.holding == holding and movement.id in each.proof]
    is_all = all(each.exit_value == each.closed * was for each in lots)
    if not is_all or sum((each.closed for each in lots), ZERO) != abs(movement.quantity):
        return
    for each in lots:
        realised = each.closed * more * each.sign * money_of_a_point(holding.instrument)
        yield Correction(execution=ExecutionId(movement.id), position=each.id, at=movement.at, realised=realised)


def _told(s: Situation, fact: EndRestated) -> AlertRaised:
    changes = sum((each.realised for each in fact.corrections), ZERO)
    text = (
        f"{fact.holding}: worth {fact.price} at its end by the broker's account of the day, and booked at {fact.was}: "
        f"the profit is restated by {changes:+.2f}."
    )
    return alarm(s, Severity.WARNING, text, key=f"restated/{fact.movement}")


# --- the sums ---------------------------------------------------------------------------------------


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
