"""Profit at average cost, in the order in which fills happened, whatever the order in which they were heard of.

A fill that one read of the activities leaves out comes after later ones. Its profit, and that of every fill after it,
is figured anew in the order of the broker's own times; only the differences are booked. A leg of a structure is entered
at the average of its own fills, in whatever order they come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from standfast.core.book import Book, Cost, Earned
from standfast.model.ids import Holding, PositionId
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import Correction, FillBooked, ProfitRestated
from standfast.model.order import ZERO

SMALLEST = Decimal("0.000000001")
"""Differences below this are those of division."""


def restated(book: Book, fact: FillBooked) -> Iterator[ProfitRestated]:
    """What a fill about to be booked changes about those that happened after it; nothing if there are none."""
    fill, lately = fact.fill, book.state.lately.get(fact.fill.holding)
    if lately is None or all(each.at <= fill.at for each in lately.fills):
        return
    booked = [*lately.fills, *earned(book, fact)]
    cost, figured = replayed(fill.holding, lately.base, sorted(booked, key=lambda each: each.at))
    yield ProfitRestated(
        holding=fill.holding,
        late=fill.execution_id,
        corrections=corrections(booked, figured),
        quantity=cost.quantity,
        value=cost.value,
    )


def restated_legs(book: Book, fact: FillBooked) -> Iterator[ProfitRestated]:
    """What an opening fill of a leg changes about the profit of what was closed before it was heard of.

    A leg is entered at the average of all that opened it, so what has left it left at that: more of it, heard of late
    or filled later, moves the average, and the profit booked by it.
    """
    fill = fact.fill
    for part in fact.allocations:
        leg = book.state.positions.get(part.position) if part.opens and part.position is not None else None
        if leg is None or leg.structure is None or not leg.closed or not leg.entry_price:
            continue
        entered = (leg.entry_value + part.quantity * fill.price) / (leg.opened + part.quantity)
        change = leg.closed * (leg.entry_price - entered) * leg.sign * money_of_a_point(leg.holding.instrument)
        cost = book.state.costs.get(fill.holding, Cost())
        if abs(change) >= SMALLEST:
            moved = Correction(
                execution=fill.execution_id, position=leg.id, at=leg.closed_at or fill.at, realised=change
            )
            yield ProfitRestated(
                holding=fill.holding,
                late=fill.execution_id,
                corrections=(moved,),
                quantity=cost.quantity,
                value=cost.value,
            )


def corrections(booked: Sequence[Earned], figured: Sequence[Earned]) -> tuple[Correction, ...]:
    """What has to be added to what is booked, to have what was figured."""
    before = {(each.execution, each.position): each.realised for each in booked}
    changes = ((each, each.realised - before[each.execution, each.position]) for each in figured)
    return tuple(
        Correction(execution=each.execution, position=each.position, at=each.at, realised=change)
        for each, change in changes
        if abs(change) >= SMALLEST
    )


def earned(book: Book, fact: FillBooked) -> list[Earned]:
    """The parts of a fill that belong to positions, with the profit booked for them; a leg's has a cost of its own."""
    fill = fact.fill
    return [
        Earned(
            execution=fill.execution_id,
            position=part.position,
            at=fill.at,
            signed=part.quantity * fill.side.sign,
            price=fill.price,
            realised=part.realised,
        )
        for part in fact.allocations
        if part.position is not None and not is_leg(book, part.position)
    ]


def is_leg(book: Book, id: PositionId) -> bool:
    position = book.state.positions.get(id) or book.state.closed.get(id)
    return position is not None and position.structure is not None


def replayed(holding: Holding, base: Cost, fills: Sequence[Earned]) -> tuple[Cost, list[Earned]]:
    """The cost after these fills in this order, and what each of them earned."""
    cost, figured, money = base, [], money_of_a_point(holding.instrument)
    for each in fills:
        cost, points = _after(cost, each)
        figured.append(replace(each, realised=points * money))
    return cost, figured


def _after(cost: Cost, fill: Earned) -> tuple[Cost, Decimal]:
    """The cost after one more fill, and what was earned in points."""
    if cost.quantity * fill.signed >= 0:
        return Cost(cost.quantity + fill.signed, cost.value + fill.signed * fill.price), ZERO
    sign = 1 if cost.quantity > 0 else -1
    closed = min(abs(fill.signed), abs(cost.quantity)) * sign
    realised = closed * (fill.price - cost.average)
    left = cost.quantity + fill.signed
    if left * sign > 0:
        return Cost(left, cost.average * left), realised
    return Cost(left, left * fill.price), realised
