"""How facts about positions change the book."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from standfast.core import fold_structures
from standfast.core.book import Book, Cost
from standfast.core.fold_orders import tie_entry
from standfast.core.folds import folds
from standfast.model import journal as j
from standfast.model.order import ZERO
from standfast.model.position import Closing, Phase, Position, Standing


@folds(j.OpeningRequested)
def _opening_requested(book: Book, fact: j.OpeningRequested, entry: j.Entry) -> None:
    book.state.keys[fact.key] = fact.position
    book.put_position(
        Position(
            id=fact.position,
            strategy=fact.strategy,
            holding=fact.holding,
            standing=Standing.OWNED,
            phase=Phase.OPENING,
            sign=1 if fact.quantity > 0 else -1,
            asked=abs(fact.quantity),
            stop=fact.stop,
            stop_loss=fact.stop_loss,
            target=fact.target,
            limit=fact.limit,
            asked_at=entry.at,
            key=fact.key,
        )
    )


@folds(j.OpeningRefused)
def _opening_refused(book: Book, fact: j.OpeningRefused, entry: j.Entry) -> None:
    pass


@folds(j.LotFound)
def _lot_found(book: Book, fact: j.LotFound, entry: j.Entry) -> None:
    position = Position(
        id=fact.position,
        strategy=fact.strategy,
        holding=fact.holding,
        standing=fact.standing,
        phase=Phase.OPEN,
        sign=fact.sign,
        asked=ZERO,
        adopted_at=entry.at if fact.standing is Standing.ADOPTED else None,
    )
    book.put_position(position)
    order = book.order_by_broker(fact.order)
    if order is not None:
        tie_entry(book, order, position.id)


@folds(j.PositionAdopted)
def _position_adopted(book: Book, fact: j.PositionAdopted, entry: j.Entry) -> None:
    book.state.moves.pop(fact.holding, None)  # what came by no trade is in the books now
    quantity = abs(fact.quantity)
    book.put_position(
        Position(
            id=fact.position,
            strategy=fact.strategy,
            holding=fact.holding,
            standing=Standing.ADOPTED,
            phase=Phase.OPEN,
            sign=1 if fact.quantity > 0 else -1,
            asked=ZERO,
            opened=quantity,
            entry_value=quantity * fact.price,
            opened_at=entry.at,
            adopted_at=entry.at,
            counted_until=fact.seen_at or entry.at,
            bare_adopted=quantity,
            anchor=fact.anchor,
            gain_anchor=fact.gain_anchor,
        )
    )
    book.state.lately.pop(fact.holding, None)  # what is held from here on has another base
    cost = book.state.costs.get(fact.holding, Cost())
    book.state.costs[fact.holding] = Cost(cost.quantity + fact.quantity, cost.value + fact.quantity * fact.price)


@folds(j.PositionDescribed)
def _position_described(book: Book, fact: j.PositionDescribed, entry: j.Entry) -> None:
    if fact.key:
        book.state.keys[fact.key] = fact.position
    position = book.state.positions.get(fact.position)
    if position is None:
        fold_structures.described(book, fact)
        return
    changed = replace(
        position,
        strategy=fact.strategy or position.strategy,
        key=fact.key or position.key,
        opened_at=fact.opened_at or position.opened_at,
    )
    if fact.price is not None:
        changed = replace(changed, entry_value=position.opened * fact.price)
        _restate_cost(book, position, fact.price)
    book.put_position(changed)


def _restate_cost(book: Book, position: Position, price: Decimal) -> None:
    """What it cost is known better: the average of its holding follows. A leg has an average of its own."""
    cost = book.state.costs.get(position.holding)
    if position.structure is None and cost is not None:
        book.state.lately.pop(position.holding, None)  # what is held from here on has another base
        more = position.net * (price - (position.entry_price or ZERO))
        book.state.costs[position.holding] = Cost(cost.quantity, cost.value + more)


@folds(j.StandingChanged)
def _standing_changed(book: Book, fact: j.StandingChanged, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        adopted_at = entry.at if fact.standing is Standing.ADOPTED else None
        position = replace(position, anchor=fact.anchor, gain_anchor=fact.gain_anchor)
        book.put_position(replace(position, standing=fact.standing, adopted_at=adopted_at))


@folds(j.CloseRequested)
def _close_requested(book: Book, fact: j.CloseRequested, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is None:
        fold_structures.close_requested(book, fact, entry)
        return
    closing = Closing(
        reason=fact.reason, by=fact.by, detail=fact.detail, remain=fact.remain, at=entry.at, request=fact.request
    )
    phase = Phase.CLOSING if position.opened > 0 else position.phase
    book.put_position(replace(position, phase=phase, closing=closing))


@folds(j.CloseWithdrawn)
def _close_withdrawn(book: Book, fact: j.CloseWithdrawn, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, phase=Phase.OPEN, closing=None))
    else:
        fold_structures.close_withdrawn(book, fact.position)


@folds(j.CloseStalled)
def _close_stalled(book: Book, fact: j.CloseStalled, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None and position.closing is not None:
        book.put_position(replace(position, closing=position.closing.refused(fact.reason, entry.at)))


@folds(j.PositionSettled)
def _position_settled(book: Book, fact: j.PositionSettled, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.close_position(_ended(position, entry, fact.reason, fact.proof))
    else:
        fold_structures.settled(book, fact, entry)


@folds(j.PositionWrittenOff)
def _position_written_off(book: Book, fact: j.PositionWrittenOff, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is None:
        return
    book.state.lately.pop(position.holding, None)  # what is held from here on has another base
    cost = book.state.costs.get(position.holding, Cost())
    left = cost.quantity - position.net
    if left:
        book.state.costs[position.holding] = Cost(left, cost.average * left)
    else:
        book.state.costs.pop(position.holding, None)
    book.close_position(_ended(position, entry, fact.reason, f"{fact.by}: {fact.detail}"))


@folds(j.PositionReinstated)
def _position_reinstated(book: Book, fact: j.PositionReinstated, entry: j.Entry) -> None:
    position = book.state.closed.pop(fact.position, None)
    if position is None:
        return
    book.state.lately.pop(position.holding, None)  # what is held from here on has another base
    cost = book.state.costs.get(position.holding, Cost())
    average = cost.average if cost.quantity else position.entry_price or ZERO
    value = cost.value + position.net * average
    book.state.costs[position.holding] = Cost(cost.quantity + position.net, value)
    book.put_position(
        replace(position, phase=Phase.OPEN, closed_at=None, close_reason=None, proof="", opened_at=position.opened_at)
    )


def _ended(position: Position, entry: j.Entry, reason: Any, proof: str) -> Position:
    naked = position.naked_seconds
    if position.naked_since is not None:
        naked += Decimal(str((entry.at - position.naked_since).total_seconds()))
    return replace(
        position,
        phase=Phase.CLOSED,
        closing=None,
        closed_at=position.closed_at or entry.at,
        close_reason=reason,
        proof=proof,
        naked_since=None,
        naked_seconds=naked,
    )


@folds(j.TrailMoved)
def _trail_moved(book: Book, fact: j.TrailMoved, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, trail=fact.trail))
    else:
        fold_structures.trail_moved(book, fact)


@folds(j.ProtectionChosen)
def _protection_chosen(book: Book, fact: j.ProtectionChosen, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, stop=fact.stop, target=fact.target, bare=fact.bare))
    else:
        fold_structures.protection_chosen(book, fact)


@folds(j.OpeningVerified)
def _opening_verified(book: Book, fact: j.OpeningVerified, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.keep_position(replace(position, verified=fact.answer))


@folds(j.NakedBegan)
def _naked_began(book: Book, fact: j.NakedBegan, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, naked_since=entry.at))


@folds(j.NakedEnded)
def _naked_ended(book: Book, fact: j.NakedEnded, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None and position.naked_since is not None:
        spent = Decimal(str((entry.at - position.naked_since).total_seconds()))
        book.put_position(replace(position, naked_since=None, naked_seconds=position.naked_seconds + spent))
