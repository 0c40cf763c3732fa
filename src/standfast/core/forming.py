"""Legs that were adopted one by one become the structures they are, before any rule of a single position is judged.

1. What one order of somebody else opened is one structure, without guessing, as soon as all its fills are booked.
2. What was held before is grouped by `recognise`, once all there is of an underlying is in the books and agrees.
3. A contract may be a leg of several structures: then its lot is split, each part at what it cost. What belongs to none
   goes on alone, and is told (`core/unexplained.py`). So it is with shares beyond those that cover what is sold.
4. What is bought both ways waits a moment for what a bot sells between: leg by leg it opens a condor so.
5. What an operator has taken apart stays apart, and what an order may still add to is not guessed at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from math import gcd

from standfast.core.adopt import WIDEST
from standfast.core.recognise import BOTH_WAYS, Found, recognise
from standfast.core.shapes import entry, kind_of, least_loss, underlying_of
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import is_option, is_still, may_be_joined
from standfast.core.worth import Sides, anchors, worth
from standfast.model.booked import BookedOrder
from standfast.model.effects import ReadPositions, ReadQuotes, WakeAt
from standfast.model.ids import Holding, PositionId, position_id
from standfast.model.journal import LegFormed, LotSplit, StructureFormed
from standfast.model.option import Right, option_contract
from standfast.model.order import ZERO
from standfast.model.position import Position, Standing, split_off
from standfast.model.structure import HeldLeg, Leg, Structure, StructureKind, TiedLeg


def forming(s: Situation, holdings: Iterable[Holding]) -> Outcomes:
    """The structures that legs looked at now belong to."""
    done: set[PositionId] = set()
    loose = [each for holding in sorted(holdings) for each in s.book.positions_at(holding) if _is_loose(s, each)]
    for position in loose:
        legs = _of_one_order(s, position) if position.id not in done else []
        if legs:
            done.update(each.id for each in legs)
            yield _formed(s, legs, why="opened by one order")
    left = {underlying_of(position.holding) for position in loose if position.id not in done}
    if not done:  # what the books say after that is looked at anew
        for name in sorted(left):
            yield from _recognised(s, name)


def _is_loose(s: Situation, position: Position) -> bool:
    """Whether a structure may be made of it: an option that is free, or shares that may cover one."""
    return _is_free(s, position) and (is_option(position) or _way(position) in _sold_on(s, position.holding))


def _is_free(s: Situation, position: Position) -> bool:
    """Whether it was adopted, stands still, is tied to nothing, and nobody has said that it shall not be."""
    is_tied = position.structure is not None or position.apart
    return position.standing is Standing.ADOPTED and not is_tied and is_still(s.book, position)


def _way(position: Position) -> Right:
    """What is sold against shares: calls where they are held, puts where they are owed."""
    return Right.CALL if position.sign > 0 else Right.PUT


def _sold_on(s: Situation, under: Holding) -> set[Right]:
    """The options on these shares that are free and sold."""

    def figured() -> dict[str, set[Right]]:
        found: dict[str, set[Right]] = {}
        for each in s.book.state.positions.values():
            contract = option_contract(each.holding.instrument) if each.sign < 0 else None
            if contract is not None and _is_free(s, each):
                found.setdefault(underlying_of(each.holding), set()).add(contract.right)
        return found

    return s.once("sold on", figured).get(underlying_of(under), set())


# --- what one order opened ------------------------------------------------------------------------


def _of_one_order(s: Situation, position: Position) -> list[Position]:
    """The positions that the legs of one order opened, and hold whole; none where it is not so.

    While it works it may fill more: what it has opened belongs together from its first unit on.
    """
    for order in s.book.orders_for(position.id):
        whole = s.book.state.orders.get(order.parent) if order.parent is not None else None
        if whole is None or not whole.is_together or order.side.sign != position.sign:
            continue
        legs = _legs_of(s, whole)
        lots = [s.book.state.positions.get(leg.position) for leg in legs if leg.position is not None]
        found = [lot for lot in lots if lot is not None and _is_free(s, lot)]
        if len(found) == len(legs) > 1 and all(_is_whole(*pair) for pair in zip(legs, found, strict=True)):
            return found if _is_even(legs) else []
    return []


def _legs_of(s: Situation, whole: BookedOrder) -> list[BookedOrder]:
    return [order for order in s.book.state.orders.values() if order.parent == whole.id]


def _is_whole(leg: BookedOrder, lot: Position) -> bool:
    return leg.side.sign == lot.sign and leg.executed == lot.held == leg.filled


def _is_even(legs: list[BookedOrder]) -> bool:
    """Whether each leg has filled as much of what it asked for as the others."""
    return len({leg.filled / leg.quantity for leg in legs}) == 1


# --- what was held before -------------------------------------------------------------------------


def _recognised(s: Situation, name: str) -> Outcomes:
    pools = _pools(s, name)
    yield from _wakes(s, chain.from_iterable(pools.values()))
    if len(pools) < 2 or any(len({lot.sign for lot in pool}) > 1 for pool in pools.values()):
        return
    options = _listed(s, name)
    shares = [holding for holding in pools if option_contract(holding.instrument) is None]
    if not all(s.is_comparable(holding) for holding in (*options, *shares)):
        if not s.was_asked_lately("positions"):  # until then its legs are judged alone (see `bounding`, `covering`)
            yield ReadPositions(reason=f"to see what is held of {name}")
        return
    if not all(_agrees(s, holding) for holding in options):
        return
    nets = {holding: sum((lot.net for lot in pool), ZERO) for holding, pool in pools.items()}
    known = {holding: net for holding, net in nets.items() if holding not in shares or _agrees(s, holding)}
    for found in recognise(known, s.instruments).structures:
        is_one = len(found.legs) > 1 and found.kind is not StructureKind.PROTECTED_STOCK
        if is_one and not _may_be_joined(s, found, pools):
            yield from _of_lots(s, found, pools)


def _pools(s: Situation, name: str) -> dict[Holding, list[Position]]:
    """The loose lots of an underlying, by contract."""
    pools: dict[Holding, list[Position]] = {}
    for lot in s.book.state.positions.values():
        if _is_loose(s, lot) and underlying_of(lot.holding) == name and not _still_opens(s, lot):
            pools.setdefault(lot.holding, []).append(lot)
    return pools


def _wakes(s: Situation, lots: Iterable[Position]) -> Iterator[WakeAt]:
    for lot in lots:
        until = may_be_joined(lot, s.broker_now)
        if until is not None:
            yield WakeAt(at=s.by_our_clock(until), holding=lot.holding)


def _may_be_joined(s: Situation, found: Found, pools: dict[Holding, list[Position]]) -> bool:
    """What is bought both ways may be the wings of a condor: what is sold between them comes a moment later, and as two
    strangles it would be judged, and closed, by halves."""
    lots = (lot for leg in found.legs for lot in pools[leg.holding])
    return found.kind in BOTH_WAYS and any(may_be_joined(lot, s.broker_now) is not None for lot in lots)


def _agrees(s: Situation, holding: Holding) -> bool:
    return s.reported_net(holding) in s.book.net(holding)


def _still_opens(s: Situation, position: Position) -> bool:
    """Whether an order that opened it may open more of it: what it is part of is not known yet."""
    orders = s.book.alive.of(position.id)
    return any(order.side.sign == position.sign and not order.is_finished for order in orders)


def _of_lots(s: Situation, found: Found, pools: dict[Holding, list[Position]]) -> Outcomes:
    """So many units of a shape, made of lots of its contracts: whole ones where their sizes agree, else parts of them.

    Lots keep their fills and what they cost, so units of several lots become several structures.
    """
    left = found.units
    while left > 0:
        units = _size(found, pools, left)
        if not units:
            return
        left -= units
        lots = [_with_at_least(pools[leg.holding], units * abs(leg.ratio)) for leg in found.legs]
        wanted = [_part(s, lot, units * abs(leg.ratio)) for lot, leg in zip(lots, found.legs, strict=True)]
        made = list(with_anchors(s, wanted))
        if not any(isinstance(outcome, StructureFormed) for outcome in made):
            yield from (outcome for outcome in made if isinstance(outcome, ReadQuotes))
            return
        for lot, part in zip(lots, wanted, strict=True):
            pool = pools[lot.holding]
            place = pool.index(lot)
            pool[place : place + 1] = [] if part.id == lot.id else [_without(lot, part)]
            if part.id != lot.id:
                yield LotSplit(position=lot.id, part=part.id, quantity=part.held)
        yield from made


def _size(found: Found, pools: dict[Holding, list[Position]], left: int) -> int:
    """Units of the next structure: as many as are whole lots of every leg, or as many as one lot of each leg allows."""
    held = [{lot.held / abs(leg.ratio) for lot in pools[leg.holding]} for leg in found.legs]
    whole = [size for size in set.intersection(*held) if size == int(size) and 0 < size <= left]
    if whole:
        return int(max(whole))
    return min(left, *(int(max(sizes, default=ZERO)) for sizes in held))


def _with_at_least(pool: list[Position], quantity: int) -> Position:
    """The lot that is just so large, or else the oldest that is larger."""
    whole = next((lot for lot in pool if lot.held == quantity), None)
    return whole if whole is not None else next(lot for lot in pool if lot.held > quantity)


def _part(s: Situation, lot: Position, quantity: int) -> Position:
    """The lot, or as much of it as a position of its own."""
    if lot.held == quantity:
        return lot
    id = position_id(s.book.account, "part", lot.id, lot.opened, quantity)
    return split_off(lot, id, Decimal(quantity))[1]


def _without(lot: Position, part: Position) -> Position:
    return split_off(lot, part.id, part.held)[0]


def _listed(s: Situation, name: str) -> list[Holding]:
    """The options of this underlying that the broker lists: all of them have to be in the books."""
    rows = s.snapshot.positions.rows if s.snapshot.positions is not None else {}
    options = (holding for holding in rows if option_contract(holding.instrument) is not None)
    return [holding for holding in options if underlying_of(holding) == name]


def with_anchors(s: Situation, lots: list[Position], *, why: str = "held together") -> Outcomes:
    """Stops of what was held before are figured from the worse of entry and now: so the price of now is needed."""
    if not any(_was_held_before(lot) for lot in lots):
        yield _formed(s, lots, why=why)
        return
    shape = _shape(lots)
    now, cost = worth(s, tuple(held.leg for held in shape.legs)).now, entry(shape)
    if now is None or cost is None or not _says_the_price(s, shape, now, cost):
        if s.in_session:  # outside it nobody quotes, and nothing could be closed
            yield from (ReadQuotes(holding=lot.holding, reason="to form a structure of it") for lot in lots)
        return
    anchor, gain_anchor = anchors(cost, now)
    yield _formed(s, lots, why=why, anchor=anchor, gain_anchor=gain_anchor)


def _says_the_price(s: Situation, shape: Structure, now: Sides, cost: Decimal) -> bool:
    """Whether these quotes are near enough for a stop that is figured from them once and for all (as `adopt`)."""
    policy = s.policy_of(shape.strategy, [leg.holding for leg in shape.shape])
    nearest = policy.stop_loss or policy.emergency_stop or policy.take_profit
    if nearest is None:
        return True
    distance = max(nearest * abs(cost), least_loss(replace(shape, anchor=ZERO), nearest, cost))
    return now.best - now.worst <= WIDEST * distance


def _was_held_before(lot: Position) -> bool:
    """Taken from a list, and by no fill of a time when the account was guarded."""
    return lot.anchor is not None or bool(lot.bare_adopted)


# --- the structure --------------------------------------------------------------------------------


def _formed(
    s: Situation,
    lots: list[Position],
    *,
    why: str,
    anchor: Decimal | None = None,
    gain_anchor: Decimal | None = None,
) -> StructureFormed:
    shape = _shape(lots)
    kind = kind_of(shape.shape)
    named = kind.value.replace("_", " ") if kind is not StructureKind.OTHER else "legs without a name together"
    return StructureFormed(
        structure=shape.id,
        legs=tuple(LegFormed(position=lot.id, ratio=int(lot.net / shape.units)) for lot in lots),
        units=shape.units,
        strategy=lots[0].strategy,
        standing=lots[0].standing,
        anchor=anchor,
        gain_anchor=gain_anchor,
        by="policy",
        why=f"{named}, {why}",
    )


def _shape(lots: list[Position]) -> Structure:
    units = Decimal(gcd(*(int(lot.held) for lot in lots)))
    return Structure(
        id=position_id("structure", *sorted(f"{lot.id}:{lot.held}" for lot in lots)),
        strategy=lots[0].strategy,
        legs=tuple(
            HeldLeg(leg=_leg(lot, int(lot.net / units)), opened=lot.opened, entry_value=lot.entry_value) for lot in lots
        ),
        units=units,
    )


def _leg(position: Position, ratio: int) -> Leg:
    return TiedLeg(position=position.id, holding=position.holding, ratio=ratio).leg
