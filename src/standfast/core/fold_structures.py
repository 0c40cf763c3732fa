"""How facts about structures change the book.

A structure's legs are positions like any other; what is kept here is what ties them together. Facts that positions know
too (a close asked for, a trail moved) come here when what they name is a structure.
"""

from dataclasses import replace
from decimal import Decimal

from standfast.core.book import Book, Cost
from standfast.core.folds import folds
from standfast.model import journal as j
from standfast.model.booked import BookedOrder, Stage
from standfast.model.ids import PositionId
from standfast.model.instrument import money_of_a_point
from standfast.model.order import ZERO, OrderType, Role, Side, Terms, TimeInForce
from standfast.model.position import Closing, Phase, Position, Standing, split_off
from standfast.model.structure import BookedStructure, TiedLeg


@folds(j.StructureRequested)
def _structure_requested(book: Book, fact: j.StructureRequested, entry: j.Entry) -> None:
    book.state.keys[fact.key] = fact.structure
    for leg in fact.legs:
        position = Position(
            id=leg.position,
            strategy=fact.strategy,
            holding=leg.holding,
            standing=Standing.OWNED,
            phase=Phase.OPENING,
            sign=1 if leg.ratio > 0 else -1,
            asked=fact.units * abs(leg.ratio),
            limit=leg.limit,
            asked_at=entry.at,
            structure=fact.structure,
        )
        book.put_position(position)
    legs = tuple(TiedLeg(position=leg.position, holding=leg.holding, ratio=leg.ratio) for leg in fact.legs)
    booked = BookedStructure(
        id=fact.structure,
        strategy=fact.strategy,
        standing=Standing.OWNED,
        legs=legs,
        units=fact.units,
        key=fact.key,
        limit=fact.limit,
        asked_at=entry.at,
        stop=fact.stop,
        stop_loss=fact.stop_loss,
        target=fact.target,
    )
    book.put_structure(booked)


@folds(j.LotSplit)
def _lot_split(book: Book, fact: j.LotSplit, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        rest, part = split_off(position, fact.part, fact.quantity)
        book.put_position(rest)
        book.put_position(part)


@folds(j.StructureFormed)
def _structure_formed(book: Book, fact: j.StructureFormed, entry: j.Entry) -> None:
    legs: list[TiedLeg] = []
    for leg in fact.legs:
        position = book.state.positions.get(leg.position)
        if position is None:
            return
        legs.append(TiedLeg(position=position.id, holding=position.holding, ratio=leg.ratio))
    for tied in legs:
        position = book.state.positions[tied.position]
        left = _take_cost(book, position, -1) * money_of_a_point(position.holding.instrument)
        book.put_position(replace(position, structure=fact.structure, pnl=position.pnl - left))
    booked = BookedStructure(
        id=fact.structure,
        strategy=fact.strategy,
        standing=fact.standing,
        legs=tuple(legs),
        units=fact.units,
        adopted_at=entry.at if fact.standing is Standing.ADOPTED else None,
        anchor=fact.anchor,
        gain_anchor=fact.gain_anchor,
    )
    book.put_structure(booked)


@folds(j.LegsSwapped)
def _legs_swapped(book: Book, fact: j.LegsSwapped, entry: j.Entry) -> None:
    one, other = book.state.structures.get(fact.structure), book.state.structures.get(fact.other)
    if one is None or other is None:
        return
    here, there = (next(leg for leg in each.legs if leg.holding == fact.holding) for each in (one, other))
    for structure, gone, come in ((one, here, there), (other, there, here)):
        legs = tuple(replace(leg, position=come.position) if leg is gone else leg for leg in structure.legs)
        book.put_structure(replace(structure, legs=legs))
        position = book.state.positions.get(come.position)
        if position is not None:
            book.put_position(replace(position, structure=structure.id))
        elif come.position in book.state.closed:
            book.state.closed[come.position] = replace(book.state.closed[come.position], structure=structure.id)


@folds(j.CloseMoved)
def _close_moved(book: Book, fact: j.CloseMoved, entry: j.Entry) -> None:
    profit = {each.position: each.realised for each in fact.corrections}
    booked, belongs = (book.state.positions.get(id) or book.state.closed.get(id) for id in (fact.booked, fact.belongs))
    if booked is None or belongs is None:
        return
    book.state.closed.pop(booked.id, None)
    ended = book.state.closed_structures.pop(booked.structure, None) if booked.structure is not None else None
    if ended is not None:
        book.put_structure(replace(ended, closed_at=None, close_reason=None, proof=""))
    given = replace(booked.with_closed(-fact.quantity, -fact.value), pnl=booked.pnl + profit.get(booked.id, ZERO))
    if booked.phase is Phase.CLOSED:
        given = replace(given, phase=Phase.OPEN, proof="")
    if not given.closed:
        given = replace(given, closed_at=None, close_reason=None)
    book.put_position(given)
    taken = replace(belongs.with_closed(fact.quantity, fact.value), pnl=belongs.pnl + profit.get(belongs.id, ZERO))
    book.put_position(replace(taken, closed_at=booked.closed_at, close_reason=booked.close_reason))


@folds(j.StructureDissolved)
def _structure_dissolved(book: Book, fact: j.StructureDissolved, entry: j.Entry) -> None:
    structure = book.state.structures.get(fact.structure)
    if structure is None:
        return
    for leg in structure.legs:
        position = book.state.positions.get(leg.position)
        if position is not None:
            book.put_position(replace(position, structure=None, apart=position.apart or fact.by != "guard"))
            _take_cost(book, position, 1)
    book.close_structure(replace(structure, closed_at=entry.at, closing=None, proof=f"taken apart: {fact.reason}"))


def _take_cost(book: Book, position: Position, sign: int) -> Decimal:
    """A leg has a cost of its own, by which its profit is figured: that much leaves the cost of its contract, or comes
    back to it. What stays behind when nothing else is held (points) was earned by others at an average it was part of.
    """
    holding = position.holding
    book.state.lately.pop(holding, None)  # what is held from here on has another base
    cost = book.state.costs.get(holding, Cost())
    quantity = cost.quantity + position.net * sign
    value = cost.value + position.net * sign * (position.entry_price or ZERO)
    if quantity:
        book.state.costs[holding] = Cost(quantity, value)
        return ZERO
    book.state.costs.pop(holding, None)
    return value


@folds(j.TogetherIntended)
def _together_intended(book: Book, fact: j.TogetherIntended, entry: j.Entry) -> None:
    structure = book.state.structures.get(fact.structure)
    if structure is None:
        return
    book.state.attempts[f"{fact.structure}/{fact.role}"] = fact.attempt
    if fact.role is Role.OPEN:
        book.state.openings = [*book.state.openings[-999:], entry.at]
    whole = BookedOrder(
        id=fact.id,
        position=fact.structure,
        role=fact.role,
        holding=structure.holding,
        stage=Stage.INTENDED,
        terms=_terms(fact),
        attempt=fact.attempt,
        reason=fact.reason,
        intended_at=entry.at,
        changed_at=entry.at,
        number=entry.number,
        rung=fact.rung,
    )
    book.put_order(whole)
    for leg in fact.legs:
        child = replace(whole, id=leg.id, position=leg.position, holding=leg.holding, terms=leg.terms, parent=fact.id)
        book.put_order(child)


def _terms(fact: j.TogetherIntended) -> Terms:
    """As brokers tell an order for several legs: bought, and what is received is a price below nothing."""
    return Terms(
        side=Side.BUY,
        quantity=fact.units,
        type=OrderType.MARKET if fact.net is None else OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=-fact.net if fact.net is not None else None,
        reduces=fact.role is not Role.OPEN,
    )


# --- facts that positions know too ----------------------------------------------------------------


def close_requested(book: Book, fact: j.CloseRequested, entry: j.Entry) -> None:
    structure = book.state.structures.get(fact.position)
    if structure is not None:
        closing = Closing(
            reason=fact.reason, by=fact.by, detail=fact.detail, remain=fact.remain, at=entry.at, request=fact.request
        )
        book.put_structure(replace(structure, closing=closing))


def close_withdrawn(book: Book, id: PositionId) -> None:
    structure = book.state.structures.get(id)
    if structure is not None:
        book.put_structure(replace(structure, closing=None))


def settled(book: Book, fact: j.PositionSettled, entry: j.Entry) -> None:
    structure = book.state.structures.get(fact.position)
    if structure is not None:
        ended = replace(structure, closing=None, closed_at=entry.at, close_reason=fact.reason, proof=fact.proof)
        book.close_structure(ended)


def trail_moved(book: Book, fact: j.TrailMoved) -> None:
    structure = book.state.structures.get(fact.position)
    if structure is not None:
        book.put_structure(replace(structure, trail=fact.trail))


def described(book: Book, fact: j.PositionDescribed) -> None:
    structure = book.state.structures.get(fact.position)
    if structure is not None:
        changed = replace(structure, strategy=fact.strategy or structure.strategy, key=fact.key or structure.key)
        book.put_structure(replace(changed, opened_at=fact.opened_at or structure.opened_at))


def protection_chosen(book: Book, fact: j.ProtectionChosen) -> None:
    structure = book.state.structures.get(fact.position)
    if structure is not None:
        book.put_structure(replace(structure, stop=fact.stop, target=fact.target))
