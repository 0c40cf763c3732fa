"""How fills and movements change the book: quantities, average cost, splits."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from standfast.core.acknowledge import bare_of, put_bare
from standfast.core.average import earned, is_leg, replayed
from standfast.core.book import Book, Cost, LastFill, Lately
from standfast.core.busted import TRADE, is_left_to_the_list
from standfast.core.fold_orders import after_order, tie_entry
from standfast.core.folds import folds
from standfast.core.forget import HOLDINGS_KEPT, MOVEMENTS_KEPT, remember, shorten
from standfast.core.said import net_of, note
from standfast.model import journal as j
from standfast.model.booked import BookedOrder, Stage
from standfast.model.ids import Holding
from standfast.model.option import option_contract
from standfast.model.order import INFERRED, ZERO, Fill, Movement, MovementKind, OrderState, Role
from standfast.model.position import Closing, Phase, Position

BY_NO_TRADE = frozenset(
    {
        MovementKind.TRANSFER,
        MovementKind.RENAMED,
        MovementKind.OTHER,
        MovementKind.EXPIRY,
        MovementKind.ASSIGNMENT,
        MovementKind.EXERCISE,
    }
)
EXECUTIONS_KEPT = 50_000
"""Execution ids remembered: far more than any read of activities can bring again."""
TOTALS_KEPT = 10_000
"""Orders: more than a broker lists for as long as any of them may still fill."""
MOVES_KEPT = 50
LATELY_KEPT = 500
"""Holdings whose last fills are remembered."""
FILLS_KEPT = 200
"""Fills of a holding among which a late one can take its place."""


@folds(j.FillBooked)
def _fill_booked(book: Book, fact: j.FillBooked, entry: j.Entry) -> None:
    fill, before = fact.fill, net_of(book, fact.fill.holding)
    assert fill.execution_id not in book.state.executions, fill.execution_id
    book.state.executions[fill.execution_id] = fill.at
    shorten(book.state.executions, EXECUTIONS_KEPT)
    _note_total(book, fill)
    remember(book.state.filled, fill.holding, LastFill(entry.number, entry.at), HOLDINGS_KEPT)
    order = book.order_by_broker(fill.broker_order_id)
    if order is not None:
        book.put_order(_filled(replace(order, executed=order.executed + fill.quantity, number=entry.number), entry))
    fee = fill.fee
    _remember(book, fact)
    for part in fact.allocations:
        if part.position is None:
            _put_acknowledged(book, fill.holding, part.quantity * fill.side.sign)
        else:
            _allocate(book, fill, part, fee, fact)
            fee = ZERO
    note(book, fill.holding, before)
    book.touch_quantity(fill.holding)
    if order is not None:
        after_order(book, order.id, entry)


def _note_total(book: Book, fill: Fill) -> None:
    if fill.filled_after is not None:
        before = book.state.totals.get(fill.broker_order_id, Cost())
        total = Cost(fill.filled_after, before.value + fill.quantity * fill.price)
        remember(book.state.totals, fill.broker_order_id, total, TOTALS_KEPT)


def _remember(book: Book, fact: j.FillBooked) -> None:
    """Keep what was earned when: a fill that comes late takes its place among the last ones."""
    holding, made = fact.fill.holding, earned(book, fact)
    lately = book.state.lately.get(holding) or Lately(base=book.state.costs.get(holding, Cost()))
    fills = sorted((*lately.fills, *made), key=lambda each: each.at)
    settled, kept = fills[:-FILLS_KEPT], fills[-FILLS_KEPT:]
    base, _ = replayed(holding, lately.base, settled)
    if made:
        remember(book.state.lately, holding, Lately(base=base, fills=tuple(kept)), LATELY_KEPT)


@folds(j.ProfitRestated)
def _profit_restated(book: Book, fact: j.ProfitRestated, entry: j.Entry) -> None:
    _correct(book, fact.holding, fact.corrections, Cost(fact.quantity, fact.value))


def _correct(book: Book, holding: Holding, corrections: Sequence[j.Correction], cost: Cost) -> None:
    changed = {(each.execution, each.position): each.realised for each in corrections}
    for each in corrections:
        position = book.state.positions.get(each.position)
        if position is not None:
            book.put_position(replace(position, pnl=position.pnl + each.realised))
        elif (closed := book.state.closed.get(each.position)) is not None:
            book.state.closed[each.position] = replace(closed, pnl=closed.pnl + each.realised)
    lately = book.state.lately.get(holding)
    if lately is not None:
        fills = (
            replace(each, realised=each.realised + changed.get((each.execution, each.position), ZERO))
            for each in lately.fills
        )
        book.state.lately[holding] = replace(lately, fills=tuple(fills))
    _put_cost(book, holding, cost)


def _filled(order: BookedOrder, entry: j.Entry) -> BookedOrder:
    """An order whose booked fills add up to all it asked for is over, whether or not it has been read since."""
    if order.report is None or order.is_finished or order.executed < order.quantity:
        return order
    report = replace(order.report, state=OrderState.FILLED, filled=order.executed)
    return replace(order, stage=Stage.FINISHED, report=report, changed_at=entry.at)


def _put_acknowledged(book: Book, holding: Holding, added: Decimal) -> None:
    total = book.state.acknowledged.get(holding, ZERO) + added
    if total:
        book.state.acknowledged[holding] = total
    else:
        book.state.acknowledged.pop(holding, None)


def _put_cost(book: Book, holding: Holding, cost: Cost) -> None:
    if cost.quantity:
        book.state.costs[holding] = cost
    else:
        book.state.costs.pop(holding, None)


def _allocate(book: Book, fill: Fill, part: j.Allocation, fee: Decimal, fact: j.FillBooked) -> None:
    assert part.position is not None
    if not is_leg(book, part.position):
        _book_cost(book, fill, part)
    position = book.state.positions.get(part.position) or book.state.closed.get(part.position)
    assert position is not None, part.position
    value = part.quantity * fill.price
    if part.opens:
        position = replace(
            position,
            opened=position.opened + part.quantity,
            entry_value=position.entry_value + value,
            opened_at=position.opened_at or fill.at,
            fees=position.fees + fee,
        )
    else:
        position = replace(
            position,
            closed=position.closed + part.quantity,
            exit_value=position.exit_value + value,
            pnl=position.pnl + part.realised,
            fees=position.fees + fee,
            closed_at=fill.at,
            close_reason=fact.reason or position.close_reason,
        )
    if position.id in book.state.positions:
        book.put_position(_closing_reached(position))
    else:
        book.state.closed[position.id] = position


def _closing_reached(position: Position) -> Position:
    """A partial close ends by itself when only what shall remain is left."""
    closing = position.closing
    if closing is not None and closing.remain > 0 and position.held <= closing.remain:
        return replace(position, closing=None, phase=Phase.OPEN)
    return position


def _book_cost(book: Book, fill: Fill, part: j.Allocation) -> None:
    cost = book.state.costs.get(fill.holding, Cost())
    signed = part.quantity * fill.side.sign
    if part.opens:
        cost = Cost(cost.quantity + signed, cost.value + signed * fill.price)
    else:
        left = cost.quantity + signed
        cost = Cost(left, cost.average * left) if left else Cost()
    _put_cost(book, fill.holding, cost)


@folds(j.FillMatched)
def _fill_matched(book: Book, fact: j.FillMatched, entry: j.Entry) -> None:
    fill = fact.fill
    book.state.executions[fill.execution_id] = fill.at
    _note_total(book, fill)
    order = book.order_by_broker(fill.broker_order_id)
    if order is not None:
        book.put_order(replace(order, executed=order.executed + fill.quantity, number=entry.number))
    if fact.position is None:
        put_bare(book, fill.holding, bare_of(book, fill.holding) - fill.signed, fill.at)
        return
    position = book.state.positions.get(fact.position)
    closed = book.state.closed.get(fact.position)
    if closed is not None:
        lacking = closed.bare_adopted - fill.signed * closed.sign
        book.state.closed[closed.id] = replace(closed, bare_adopted=lacking)
    if position is not None:
        lacking = position.bare_adopted - fill.signed * position.sign
        # Wholly explained, it was bought under our eyes: its stop is figured from its entry like anybody's.
        anchor = position.anchor if lacking else None
        book.put_position(replace(position, bare_adopted=lacking, anchor=anchor))
        order = book.order_by_broker(fill.broker_order_id)
        if order is not None and order.role is Role.FOREIGN and order.side.sign == position.sign:
            tie_entry(book, order, position.id)  # what it fills yet, and its exits, are of the same lot


@folds(j.MovementBooked)
def _movement_booked(book: Book, fact: j.MovementBooked, entry: j.Entry) -> None:
    movement = fact.movement
    remember(book.state.movements, f"{movement.id}/{movement.status}", movement.at, MOVEMENTS_KEPT)
    _note_inferred(book, movement)
    if movement.kind is MovementKind.SPLIT and movement.holding is not None and movement.status == "executed":
        book.state.split_rows.setdefault(movement.holding, []).append(movement)
    elif movement.kind in BY_NO_TRADE and movement.broker_kind != TRADE and movement.holding and movement.quantity:
        quantity = movement.quantity if movement.status == "executed" else -movement.quantity
        _note_move(book, movement.holding, replace(movement, quantity=quantity))
    elif movement.holding is not None and is_left_to_the_list(book, movement):
        _note_move(book, movement.holding, movement)
    if fact.movement.holding is not None:
        book.touch(fact.movement.holding)


def _note_inferred(book: Book, movement: Movement) -> None:
    """How an option ended was inferred: to be compared with the broker's own account of the day."""
    option = movement.holding is not None and option_contract(movement.holding.instrument) is not None
    if option and movement.broker_kind == INFERRED and movement.kind is not MovementKind.SPLIT:
        remember(book.state.inferred, movement.id, movement, MOVES_KEPT)


@folds(j.EndRestated)
def _end_restated(book: Book, fact: j.EndRestated, entry: j.Entry) -> None:
    movement = book.state.inferred.get(fact.movement)
    if movement is not None:
        book.state.inferred[fact.movement] = replace(movement, price=fact.price)
    for each in fact.corrections:
        position = book.state.positions.get(each.position) or book.state.closed.get(each.position)
        if position is None:
            continue
        value = position.exit_value + position.closed * (fact.price - fact.was)
        position = replace(position, exit_value=value, pnl=position.pnl + each.realised)
        if position.id in book.state.positions:
            book.put_position(position)
        else:
            book.state.closed[position.id] = position


@folds(j.EndsCompared)
def _ends_compared(book: Book, fact: j.EndsCompared, entry: j.Entry) -> None:
    for id in fact.movements:
        book.state.inferred.pop(id, None)


def _note_move(book: Book, holding: Holding, movement: Movement) -> None:
    moves = book.state.moves.setdefault(holding, [])
    moves.append(movement)
    del moves[:-MOVES_KEPT]


@folds(j.MovedOut)
def _moved_out(book: Book, fact: j.MovedOut, entry: j.Entry) -> None:
    before = net_of(book, fact.holding)
    book.state.moves.pop(fact.holding, None)
    book.state.lately.pop(fact.holding, None)
    price = fact.price
    for part in fact.parts:
        if part.position is None:
            _put_acknowledged(book, fact.holding, part.quantity * -fact.sign)
            continue
        cost = book.state.costs.get(fact.holding, Cost())
        position = book.state.positions.get(part.position)
        average = cost.average
        if position is not None and position.structure is not None:
            average = position.entry_price or ZERO  # its cost is its own, and no part of its contract's
        else:
            left = cost.quantity - part.quantity * fact.sign
            _put_cost(book, fact.holding, Cost(left, cost.average * left))
        if position is not None:
            book.put_position(
                _closing_reached(
                    replace(
                        position,
                        closed=position.closed + part.quantity,
                        exit_value=position.exit_value + part.quantity * (average if price is None else price),
                        pnl=position.pnl + part.realised,
                        closed_at=entry.at,
                        close_reason=fact.reason,
                        proof=f"left by no trade ({', '.join(fact.movements)})",
                    )
                )
            )
    note(book, fact.holding, before)
    book.touch_quantity(fact.holding)


@folds(j.FillBusted)
def _fill_busted(book: Book, fact: j.FillBusted, entry: j.Entry) -> None:
    for part in fact.parts:
        assert part.position is not None, fact
        position = book.state.positions.get(part.position) or book.state.closed.pop(part.position)
        value = part.quantity * fact.price
        if part.opens:
            position = replace(
                position, opened=position.opened - part.quantity, entry_value=position.entry_value - value
            )
        else:
            position = replace(
                position,
                closed=position.closed - part.quantity,
                exit_value=position.exit_value - value,
                pnl=position.pnl - part.realised,
            )
        if position.phase is Phase.CLOSED:  # it was proven flat by a trade that never was
            position = replace(position, phase=Phase.OPEN, closed_at=None, close_reason=None, proof="")
        book.put_position(position)
    lately = book.state.lately.get(fact.holding)
    if lately is not None:
        left = tuple(each for each in lately.fills if each.execution != fact.execution)
        book.state.lately[fact.holding] = replace(lately, fills=left)
    _correct(book, fact.holding, fact.corrections, Cost(fact.quantity, fact.value))
    book.touch_quantity(fact.holding)


@folds(j.Rescaled)
def _rescaled(book: Book, fact: j.Rescaled, entry: j.Entry) -> None:
    ratio, before = fact.ratio, net_of(book, fact.holding)
    book.state.split_rows.pop(fact.holding, None)
    remember(book.state.rescaled, fact.movement, ratio, MOVEMENTS_KEPT)
    split_at = book.state.movements.get(f"{fact.movement}/executed", entry.at)
    remember(book.state.split_at, fact.holding, split_at, HOLDINGS_KEPT)
    for position in book.positions_at(fact.holding):
        trail_free = replace(
            position,
            asked=position.asked * ratio,
            opened=position.opened * ratio,
            closed=position.closed * ratio,
            bare_adopted=position.bare_adopted * ratio,
            closing=_rescaled_closing(position, ratio),
            anchor=position.anchor / ratio if position.anchor is not None else None,
            gain_anchor=position.gain_anchor / ratio if position.gain_anchor is not None else None,
            stop=position.stop / ratio if position.stop is not None else None,
            target=position.target / ratio if position.target is not None else None,
        )
        book.put_position(trail_free)
    book.state.lately.pop(fact.holding, None)
    cost = book.state.costs.get(fact.holding)
    if cost is not None:
        book.state.costs[fact.holding] = Cost(cost.quantity * ratio, cost.value)
    known = book.state.acknowledged.get(fact.holding)
    if known is not None:
        book.state.acknowledged[fact.holding] = known * ratio
    lacking = book.state.bare.get(fact.holding)
    if lacking is not None:
        put_bare(book, fact.holding, lacking.quantity * ratio, lacking.until)
    note(book, fact.holding, before)
    book.touch(fact.holding)


def _rescaled_closing(position: Position, ratio: Decimal) -> Closing | None:
    closing = position.closing
    return replace(closing, remain=closing.remain * ratio) if closing is not None else None


@folds(j.PricesSuspended)
def _prices_suspended(book: Book, fact: j.PricesSuspended, entry: j.Entry) -> None:
    book.state.suspended[fact.holding] = fact.reason
    book.state.suspended_at[fact.holding] = entry.at
    book.touch(fact.holding)


@folds(j.PricesResumed)
def _prices_resumed(book: Book, fact: j.PricesResumed, entry: j.Entry) -> None:
    book.state.suspended.pop(fact.holding, None)
    book.state.suspended_at.pop(fact.holding, None)
    book.touch(fact.holding)
