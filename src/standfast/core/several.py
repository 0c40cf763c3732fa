"""One stop for several positions of a contract, where the exchange takes no more of them.

Theory. Each position has a stop of its own for as long as the exchange takes so many. Beyond that those whose stops lie
nearest together share one: for what they hold together, at the nearest of their prices. Nobody is protected less than
by a stop of its own; some are closed earlier than their own would have, by as little as can be. Rules of each position
are judged by the guard as before.

Invariants
1. What rests for one position alone goes only when the shared one rests and covers it too; the shared one lets go of a
   position only when that has a stop of its own again. In between both may only reduce.
2. One place stays free where possible: for the stop that takes another's place before that goes.
3. Who shares stays as it is while it fits: a stop that follows its trail changes nobody's company. Nobody begins to
   share for whom a stop of its own rests, but for the sake of one that is bare.
4. Whose quantity a shared stop has taken is said in its intent: the positions it is for, in turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from standfast.core.cover import Resting, bounded, cover_of, for_several, is_in_force, stopped_alone, taken_by_others
from standfast.core.moving import (
    KEEPS,
    LOOK_AGAIN,
    cancel,
    due_after,
    in_place,
    is_too_near,
    restore_after,
    rests_until,
)
from standfast.core.orders import intent, reducing
from standfast.core.situation import Outcomes, Situation
from standfast.core.stays import being_closed, may_stay
from standfast.core.wanted import size, wanted_alone
from standfast.model.booked import BookedOrder
from standfast.model.effects import SubmitOrder, Urgency, WakeAt
from standfast.model.ids import Holding, InstrumentId, PositionId
from standfast.model.journal import OrderIntended
from standfast.model.order import ZERO, Role
from standfast.model.position import Position

SIDES = ("", "long", "short")
SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Positions of one holding that share a stop, and what it shall be."""

    members: tuple[Position, ...]
    """Nearest stop first: in this turn it closes them."""
    leaving: tuple[Position, ...]
    """Those it is for until they have one of their own."""
    wanted: Resting
    quantity: Decimal

    @property
    def keeper(self) -> Position:
        """Under whose name the stop is sent, and in whose turn it is looked after."""
        return self.members[0]

    @property
    def ids(self) -> tuple[PositionId, ...]:
        return tuple(each.id for each in (*self.members, *self.leaving))


def company_of(s: Situation, position: Position) -> Company | None:
    """With whom a position shares its stop; None where it has one to itself."""
    if s.contract.stops_of_instrument is None:
        return None
    name = position.holding.instrument
    found = _known(s, name).get(position.holding)
    return found if found is not None and any(each.id == position.id for each in found.members) else None


def _known(s: Situation, name: InstrumentId) -> Mapping[Holding, Company]:
    return s.once(("companies", name), lambda: _companies(s, name))


def can_share(s: Situation) -> bool:
    """Whether the broker's promises allow it: both may rest for a moment, and one takes another's place."""
    return s.contract.stops_of_instrument is not None and may_stay(s) and s.contract.native_replace


def places(s: Situation, name: InstrumentId) -> int:
    """How many stops of ours may rest on an instrument beside those of others, one place kept free if that can be."""
    left = left_by_others(s, name)
    return max(left - 1, min(left, len(sides_held(s, name))))


def left_by_others(s: Situation, name: InstrumentId) -> int:
    """How many places the stops of others leave."""
    most = s.contract.stops_of_instrument
    assert most is not None, "asked only where there is a limit"
    listed = (each for side in SIDES for each in s.orders_by_holding.get(Holding(name, side), ()))
    stops = [each for each in listed if each.stop_price is not None and not each.is_finished]
    known = (s.book.order_by_broker(each.broker_id) or s.book.state.orders.get(each.client_id) for each in stops)
    return most - sum(1 for order in known if order is None or not order.is_own)


def sides_held(s: Situation, name: InstrumentId) -> list[Holding]:
    sides = (Holding(name, side) for side in SIDES)
    return [holding for holding in sides if s.book.guarded_at(holding)]


def _companies(s: Situation, name: InstrumentId) -> Mapping[Holding, Company]:
    wanting = {holding: _wanting(s, holding) for holding in sides_held(s, name)}
    too_many = sum(map(len, wanting.values())) - places(s, name)
    found: dict[Holding, Company] = {}
    for holding in sorted(wanting, key=lambda each: -len(wanting[each])) if can_share(s) else ():
        sharing = min(too_many, len(wanting[holding]) - 1)
        if sharing > 0 and _has_reason(s, holding, wanting[holding]):
            too_many -= sharing
            company = _company(s, holding, wanting[holding], sharing + 1)
            found |= {holding: company} if company is not None else {}
    return found


def _has_reason(s: Situation, holding: Holding, wanting: Iterable[PositionId]) -> bool:
    return bool(for_several(s, holding)) or any(_is_bare(s, s.book.state.positions[id]) for id in wanting)


def _is_full(s: Situation, name: InstrumentId) -> bool:
    """Whether no stop more can rest there now."""
    own = [each for side in sides_held(s, name) for each in s.book.alive.at(side) if each.is_own and each.is_stop]
    return len([each for each in own if not each.is_finished]) >= left_by_others(s, name)


def _wanting(s: Situation, holding: Holding) -> dict[PositionId, Resting]:
    """What shall rest for each position here that wants a stop, in the order of their age."""
    positions = (each for each in s.book.guarded_at(holding) if size(s, s.book.held(each)) > 0)
    wanted = ((each, wanted_alone(s, each)) for each in positions)
    return {each.id: resting for each, resting in wanted if resting.stop is not None and resting.target is None}


def _company(s: Situation, holding: Holding, wanting: Mapping[PositionId, Resting], number: int) -> Company | None:
    chosen = _chosen(s, holding, wanting, number)
    if len(chosen) < 2:
        return None
    known = {id: s.book.state.positions[id] for id in wanting}
    leaving = [id for id in _sharing_now(s, holding) if id in wanting and id not in chosen and _is_bare(s, known[id])]
    sign = known[chosen[0]].sign

    def nearest_first(ids: Iterable[PositionId]) -> list[PositionId]:
        return sorted(ids, key=lambda id: -sign * (wanting[id].stop or ZERO))

    nearest = nearest_first([*chosen, *leaving])[0]
    return Company(
        members=tuple(known[id] for id in nearest_first(chosen)),
        leaving=tuple(known[id] for id in nearest_first(leaving)),
        wanted=wanting[nearest]._replace(target=None),
        quantity=sum((size(s, s.book.held(known[id])) for id in (*chosen, *leaving)), ZERO),
    )


def _chosen(s: Situation, holding: Holding, wanting: Mapping[PositionId, Resting], number: int) -> list[PositionId]:
    """Those that share already, as far as so many need to; then whoever is bare or nearest, one after the other."""
    stops = {id: resting.stop or ZERO for id, resting in wanting.items()}
    chosen = [id for id in _sharing_now(s, holding) if id in wanting]
    while len(chosen) > number:
        chosen.remove(max(chosen, key=lambda id: sum(abs(stops[id] - stops[each]) for each in chosen)))
    bare = {id for id in wanting if _is_bare(s, s.book.state.positions[id])}
    chosen = chosen or _first_two(stops, bare)
    while len(chosen) < number:
        fitting = [id for id in wanting if id not in chosen and _fit(s, holding, [*chosen, id])]
        if not fitting:
            break
        apart = {id: min(abs(stops[id] - stops[each]) for each in chosen) for id in fitting}
        chosen.append(min(fitting, key=lambda id: (id not in bare, apart[id])))
    return chosen if _fit(s, holding, chosen) else []


def _fit(s: Situation, holding: Holding, ids: Sequence[PositionId]) -> bool:
    """Whether one order may be for all they hold."""
    most = s.instrument(holding).most
    return most is None or sum((s.book.held(s.book.state.positions[id]) for id in ids), ZERO) <= most


def _first_two(stops: Mapping[PositionId, Decimal], bare: set[PositionId]) -> list[PositionId]:
    """Neighbours by price: a bare one if there is any, and the least apart."""
    ordered = sorted(stops, key=lambda id: stops[id])

    ranked = [
        (bare.isdisjoint((one, other)), stops[other] - stops[one], (one, other)) for one, other in pairwise(ordered)
    ]
    return list(min(ranked)[2])


def _sharing_now(s: Situation, holding: Holding) -> list[PositionId]:
    return [each.id for order in for_several(s, holding)[-1:] for each in bounded(s, order)]


def _is_bare(s: Situation, position: Position) -> bool:
    """Whether it has no stop, or not enough, to itself."""
    return stopped_alone(s, position) < size(s, s.book.held(position))


def keep_company(s: Situation, position: Position, company: Company) -> Outcomes:
    """The next step to one shared stop; in its keeper's turn only."""
    if company.keeper.id != position.id:
        return
    if any(cover_of(s, each).unsettled or cover_of(s, each).unknown for each in company.members):
        return
    shared = for_several(s, position.holding)
    if shared:
        yield from _cancel_all(s, shared[:-1], "another is for them all")
        yield from _brought_in_line(s, position, company, shared[-1])
    elif (carrier := _carrier(s, company)) is not None:
        if _is_full(s, position.holding.instrument):
            yield from cancel(s, (carrier,), "one for several takes its place, and no other is free")
        else:
            yield from _changed(s, position, company, carrier)
    else:
        yield from _placed(s, position, company)


def waits_in_company(s: Situation, position: Position) -> Outcomes:
    """When to look again, while one that shall have a stop of its own finds no place for it, or not for all of it."""
    if not cover_of(s, position).several or not _is_bare(s, position):
        return
    if _is_full(s, position.holding.instrument) or taken_by_others(s, position):
        yield WakeAt(at=s.now + SOON, holding=position.holding)


def leave_company(s: Situation, position: Position) -> Outcomes:
    """Take a shared stop away that nobody needs any more: each of its positions has its own, or wants none."""
    for order in for_several(s, position.holding):
        members = bounded(s, order)
        if members[:1] != [position] or position.holding in _known(s, position.holding.instrument):
            continue
        if not any(each.id in _wanting(s, position.holding) and _is_bare(s, each) for each in members):
            yield from _cancel_all(s, (order,), "each of its positions has its own again")


def why_not_shared(s: Situation, made: OrderIntended) -> str:
    """Why a stop for several shall not leave now; empty if it shall."""
    position = s.book.state.positions.get(made.position)
    company = company_of(s, position) if position is not None else None
    if position is None or company is None or set(company.ids) != {made.position, *made.also}:
        return "it is for other positions by now"
    if made.terms.stop_price != company.wanted.stop:
        return f"its price is {company.wanted.stop} by now"
    return f"only {company.quantity} is left to cover" if made.terms.quantity > company.quantity else ""


def _cancel_all(s: Situation, orders: Iterable[BookedOrder], reason: str) -> Outcomes:
    for order in orders:
        yield from cancel(s, (order,), reason)


def _not_before(s: Situation, position: Position) -> datetime:
    """When it may be tried again after refusals."""
    refusal = s.book.state.refusals.get(position.id)
    return due_after(refusal) if refusal is not None else s.now


def _brought_in_line(s: Situation, position: Position, company: Company, order: BookedOrder) -> Outcomes:
    ids, closed = set(company.ids), _being_closed(s, company)
    is_whole = ids <= set(order.bounds) and order.remaining >= company.quantity - closed
    if is_whole and closed:
        return  # it is made less when that is over
    if not is_whole or order.remaining != company.quantity or order.stop_price != company.wanted.stop:
        yield from _changed(s, position, company, order)
        return
    if is_in_force(s, order):
        for each in company.members:
            alone = (o for o in cover_of(s, each).own if o.is_stop)
            yield from _cancel_all(s, alone, f"{order.id} covers it, with others")


def _being_closed(s: Situation, company: Company) -> Decimal:
    return sum((being_closed(s, each) for each in company.members), ZERO)


def _carrier(s: Situation, company: Company) -> BookedOrder | None:
    """A stop at rest for one of them, to become the stop of all: the nearest to where that shall stand."""
    own = (order for each in company.members for order in cover_of(s, each).own)
    simple = [o for o in own if o.is_stop and o.parent is None and o.broker_id is not None and o.stop_price is not None]
    at = company.wanted.stop or ZERO
    return min(simple, key=lambda order: abs((order.stop_price or ZERO) - at), default=None)


def _changed(s: Situation, position: Position, company: Company, order: BookedOrder) -> Outcomes:
    wanted = company.wanted
    due = _not_before(s, position)
    only_moved = set(company.ids) == set(order.bounds) and order.remaining == company.quantity
    if only_moved:
        due = max(due, rests_until(order, wanted, in_place=True))
    if is_too_near(s, position, wanted.stop):
        due = max(due, s.now + LOOK_AGAIN)
    refusal = s.book.state.refusals.get(position.id)
    if s.now < due:
        yield WakeAt(at=due, holding=position.holding)
    elif refusal is not None and refusal.kind not in KEEPS and not only_moved and not order.also:
        yield from _placed(s, position, company)  # that one cannot be changed: another is placed beside it
    else:
        reason = f"one stop for {len(company.ids)} positions: {company.quantity} at {wanted.stop}"
        yield in_place(s, position, order, company.quantity, wanted, reason=reason, also=company.ids[1:])


def _placed(s: Situation, position: Position, company: Company) -> Outcomes:
    edits = s.book.state.edits.get(position.id)
    restored = edits.at + restore_after(edits.count) if edits is not None else s.now
    due = max(_not_before(s, position), restored)
    if s.now < due:
        yield WakeAt(at=due, holding=position.holding)
        return
    stop, quantity = company.wanted.stop, company.quantity
    terms = reducing(position.sign * quantity, quantity, stop_price=stop, resting=True)
    reason = f"one stop for {len(company.ids)} positions"
    made = intent(
        s.book, position, Role.STOP, terms, reason=reason, closes_as=company.wanted.reason, also=company.ids[1:]
    )
    yield SubmitOrder(intent=made, urgency=Urgency.PROTECT)
