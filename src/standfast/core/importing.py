"""Entries of a bot's own record taken into the books: each as the position it is, none that the broker does not hold.

1. The broker says whether it is held, the books what of that is explained already. The record says whose it is, since
   when and at what price: words, which move no stop. Stops of what was held before are figured from the broker's
   average and the price of this moment, as in every adoption.
2. What the guard has adopted meanwhile is not taken again: it gets its name. Taken twice, an entry is one position.
3. An entry is taken whole or not at all, with every reason why not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import gcd

from standfast.core.adopt import adoption, price_now, taking_over
from standfast.core.asked import Arguments, Refuse, number_of, text_of
from standfast.core.shapes import entry as entry_of
from standfast.core.situation import Situation
from standfast.core.structures import is_still, structure_of
from standfast.core.worth import anchors, worth
from standfast.model.ids import Holding, InstrumentId, PositionId, position_id
from standfast.model.journal import (
    Fact,
    LegFormed,
    LotSplit,
    PositionDescribed,
    ProtectionChosen,
    RequestDone,
    RequestTaken,
    StructureFormed,
)
from standfast.model.order import ZERO
from standfast.model.position import Position, Standing, split_off
from standfast.model.structure import LEGS_MAX, BookedStructure, HeldLeg, Structure, TiedLeg, legs_text

PRICE_OFF = Decimal("0.5")
"""How far a recorded price may be from what the broker says, as a part of that: beyond it is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLeg:
    holding: Holding
    quantity: Decimal
    """Signed."""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One entry, as the record has it."""

    key: str
    legs: tuple[WantedLeg, ...]
    strategy: str
    price: Decimal | None
    opened_at: datetime | None
    stop: Decimal | None
    target: Decimal | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A position that a leg is, once its facts are in the books."""

    position: PositionId
    leg: WantedLeg
    price: Decimal
    """What it cost by the broker's word or its fills."""
    is_bare: bool
    """No fill says what it cost: then the record may know it better."""
    facts: tuple[Fact, ...] = ()

    @property
    def cost(self) -> Decimal:
        recorded = self.leg.price
        return recorded if recorded is not None and self.is_bare else self.price


def import_entry(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    """The facts that take one entry in; raises Refuse."""
    wanted = _wanted(s, taken)
    known = s.book.state.keys.get(wanted.key)
    if known is not None:
        is_open = known in s.book.state.positions or known in s.book.state.structures
        detail = f"{known} is in the books already" if is_open else f"{known} was taken in before, and has closed"
        yield RequestDone(request=taken.request, ok=is_open, detail=detail)
        return
    id, facts, words = _single(s, wanted) if len(wanted.legs) == 1 else _structure(s, wanted)
    yield from facts
    yield RequestDone(request=taken.request, ok=True, detail=f"{id}: {words}")


# --- one instrument -------------------------------------------------------------------------------


def _single(s: Situation, wanted: Wanted) -> tuple[PositionId, list[Fact], str]:
    (leg,) = wanted.legs
    leg = WantedLeg(holding=leg.holding, quantity=leg.quantity, price=leg.price or wanted.price)
    part = _part_of(s, leg, wanted)
    _refuse_slip(leg.price, part.price)
    now = price_now(s, leg.holding)
    assert now is not None, leg
    sign = 1 if leg.quantity > 0 else -1
    _refuse_breached([(wanted.stop, -sign), (wanted.target, sign)], now)
    price = part.cost if part.cost != part.price else None
    facts = [*part.facts, _described(wanted, part.position, price, key=wanted.key)]
    words = f"{leg.quantity} {leg.holding} at {part.cost}"
    return part.position, [*facts, *_exits(wanted, part.position, wanted.stop, wanted.target)], _in_words(wanted, words)


def _part_of(s: Situation, leg: WantedLeg, wanted: Wanted) -> Part:
    """What is adopted already, best in just this size; what nobody has booked; or a part of what is adopted."""
    _refuse_unclear(s, leg.holding)
    booked, reported = s.book.net(leg.holding).low, s.reported_net(leg.holding)
    size, sign = abs(leg.quantity), 1 if leg.quantity > 0 else -1
    if reported * sign < size:
        raise Refuse(_why_not(s, leg, reported, booked))
    if price_now(s, leg.holding) is None:
        raise Refuse(f"no quote for {leg.holding} that says its price: without one its stop could sell it at once")
    lots = [p for p in s.book.positions_at(leg.holding) if _is_free(s, p) and p.sign == sign]
    whole = next((lot for lot in lots if lot.held == size), None)
    if whole is not None:
        return _of_lot(s, whole, leg, wanted)
    if (reported - booked) * sign >= size:
        (fact,) = adoption(s, leg.holding, leg.quantity, by=wanted.by)
        return Part(position=fact.position, leg=leg, price=fact.price, is_bare=True, facts=(fact,))
    larger = next((lot for lot in lots if lot.held > size), None)
    if larger is not None and larger.standing is Standing.ADOPTED:
        id = position_id(s.book.account, "part", larger.id, larger.opened, size)
        _, part = split_off(larger, id, size)
        split = LotSplit(position=larger.id, part=id, quantity=size)
        found = _of_lot(s, part, leg, wanted)
        return Part(position=id, leg=leg, price=found.price, is_bare=found.is_bare, facts=(split, *found.facts))
    raise Refuse(_why_not(s, leg, reported, booked))


def _is_free(s: Situation, position: Position) -> bool:
    """Whether it is nobody's yet but the broker's: adopted or foreign, whole, and no entry's."""
    is_free = position.structure is None and position.standing is not Standing.OWNED and not position.key
    return is_free and is_still(s.book, position)


def _of_lot(s: Situation, lot: Position, leg: WantedLeg, wanted: Wanted) -> Part:
    price = lot.entry_price
    assert price is not None, lot.id
    over = (taking_over(s, lot, by=wanted.by),) if lot.standing is Standing.FOREIGN else ()
    return Part(position=lot.id, leg=leg, price=price, is_bare=lot.bare_adopted >= lot.held, facts=over)


def _refuse_unclear(s: Situation, holding: Holding) -> None:
    filled = s.book.state.filled.get(holding)
    is_late = filled is not None and s.snapshot.positions_asked_after < filled.number
    if s.snapshot.positions is None or is_late or not s.is_settled(holding):
        raise Refuse(f"{holding} has just moved: try again in a few seconds")
    if not s.book.net(holding).is_exact or holding in s.busy:
        raise Refuse(f"an order on {holding} is not settled: try again in a few seconds")


def _why_not(s: Situation, leg: WantedLeg, reported: Decimal, booked: Decimal) -> str:
    if reported * leg.quantity <= 0:
        held = f"holds {reported}" if reported else "does not hold it"
        return f"{leg.holding}: the record has {leg.quantity}, the broker {held}"
    if abs(reported) < abs(leg.quantity):
        return f"{leg.holding}: the record has {leg.quantity}, the broker holds only {reported}"
    ids = [each.structure or each.id for each in s.book.positions_at(leg.holding)]
    known = s.book.state.acknowledged.get(leg.holding, ZERO)
    ids += [PositionId(f"{known} acknowledged as foreign")] if known else []
    return f"{leg.holding}: of {reported} at the broker {booked} are explained already: {', '.join(dict.fromkeys(ids))}"


# --- several legs ---------------------------------------------------------------------------------


def _structure(s: Situation, wanted: Wanted) -> tuple[PositionId, list[Fact], str]:
    known = _adopted_as(s, wanted.legs)
    if known is not None:
        parts = [_of_leg(s, known, leg) for leg in wanted.legs]
        shape = structure_of(s.book, known)
        id, facts = known.id, []
    else:
        parts = _parts(s, wanted)
        shape = _shape(wanted, parts)
        id, facts = shape.id, [fact for part in parts for fact in part.facts]
    paid = entry_of(shape)
    assert paid is not None, wanted
    recorded = _recorded(wanted, parts, shape, paid)
    _refuse_slip(recorded, paid)
    now = worth(s, shape.shape).now
    if now is None:
        raise Refuse("no usable quotes for all legs: without the price of this moment its stop could close it at once")
    sign = 1 if paid > 0 else -1
    stop, target = (sign * abs(p) if p is not None else None for p in (wanted.stop, wanted.target))
    _refuse_breached([(stop, -1), (target, 1)], now.worst)
    if known is None:
        facts.append(_formed(wanted, parts, shape, anchors(paid, now)))
    facts.append(_described(wanted, id, None, key=wanted.key))
    facts += [_described(wanted, part.position, price) for part, price in _costs(parts, shape, recorded, paid)]
    words = f"{shape.units} x {legs_text(shape.shape)} for {abs(recorded)} {'received' if recorded < 0 else 'paid'}"
    return id, [*facts, *_exits(wanted, id, stop, target)], _in_words(wanted, words)


def _adopted_as(s: Situation, legs: Sequence[WantedLeg]) -> BookedStructure | None:
    """The structure that the guard has made of just these legs, and that is no entry's yet."""
    wanted = {leg.holding: leg.quantity for leg in legs}
    for booked in s.book.state.structures.values():
        is_free = booked.standing is Standing.ADOPTED and booked.closing is None and not booked.key
        if is_free and {held.leg.holding: held.net for held in structure_of(s.book, booked).legs} == wanted:
            return booked
    return None


def _of_leg(s: Situation, booked: BookedStructure, leg: WantedLeg) -> Part:
    tied = next(each for each in booked.legs if each.holding == leg.holding)
    position = s.book.state.positions[tied.position]
    price = position.entry_price
    assert price is not None, position.id
    return Part(position=position.id, leg=leg, price=price, is_bare=position.bare_adopted >= position.held)


def _parts(s: Situation, wanted: Wanted) -> list[Part]:
    """Every leg, or every reason."""
    parts, reasons = [], []
    for leg in wanted.legs:
        try:
            parts.append(_part_of(s, leg, wanted))
        except Refuse as refuse:
            reasons.append(str(refuse))
    if reasons:
        raise Refuse("; ".join(dict.fromkeys(reasons)))
    return parts


def _shape(wanted: Wanted, parts: Sequence[Part]) -> Structure:
    if len(parts) > LEGS_MAX or any(part.leg.quantity % 1 for part in parts):
        raise Refuse(f"a structure has at most {LEGS_MAX} legs of whole contracts or shares")
    units = Decimal(gcd(*(int(abs(part.leg.quantity)) for part in parts)))
    return Structure(
        id=position_id("structure", *sorted(part.position for part in parts)),
        strategy=wanted.strategy,
        legs=tuple(
            HeldLeg(
                leg=_tied(part, units).leg,
                opened=abs(part.leg.quantity),
                entry_value=abs(part.leg.quantity) * part.price,
            )
            for part in parts
        ),
        units=units,
    )


def _tied(part: Part, units: Decimal) -> TiedLeg:
    return TiedLeg(position=part.position, holding=part.leg.holding, ratio=int(part.leg.quantity / units))


def _recorded(wanted: Wanted, parts: Sequence[Part], shape: Structure, paid: Decimal) -> Decimal:
    """What one unit cost by the record, negative where it brought something; what the broker says where it is silent,
    and where fills prove it."""
    if not all(part.is_bare for part in parts):
        return paid
    if wanted.price is not None:
        return abs(wanted.price) * (1 if paid > 0 else -1)
    told = [HeldLeg(leg=h.leg, opened=h.opened, entry_value=h.opened * p.cost) for h, p in _aligned(shape, parts)]
    cost = entry_of(Structure(id=shape.id, strategy="", legs=tuple(told), units=shape.units))
    assert cost is not None, wanted
    return cost


def _aligned(shape: Structure, parts: Sequence[Part]) -> list[tuple[HeldLeg, Part]]:
    by_holding = {part.leg.holding: part for part in parts}
    return [(held, by_holding[held.leg.holding]) for held in shape.legs]


def _costs(
    parts: Sequence[Part], shape: Structure, recorded: Decimal, paid: Decimal
) -> Iterator[tuple[Part, Decimal | None]]:
    """Each leg's price, so that together they cost what is recorded; a net price is made up by the dearest leg."""
    told = all(part.leg.price is not None for part in parts)
    dearest = max(parts, key=lambda part: part.price)
    for held, part in _aligned(shape, parts):
        price = part.cost if told else part.price
        if not told and part is dearest:
            price += (recorded - paid) / held.leg.ratio * shape.multiplier / held.leg.multiplier
        yield part, price if part.is_bare and price != part.price and price > 0 else None


def _formed(wanted: Wanted, parts: Sequence[Part], shape: Structure, found: tuple[Decimal, Decimal]) -> StructureFormed:
    return StructureFormed(
        structure=shape.id,
        legs=tuple(LegFormed(position=p.position, ratio=int(p.leg.quantity / shape.units)) for p in parts),
        units=shape.units,
        strategy=wanted.strategy,
        standing=Standing.ADOPTED,
        anchor=found[0],
        gain_anchor=found[1],
        by=wanted.by,
        why="one position in the bot's record",
    )


# --- what is asked --------------------------------------------------------------------------------


def _wanted(s: Situation, taken: RequestTaken) -> Wanted:
    a = taken.arguments
    legs = [_leg(text) for text in text_of(a, "legs").split()]
    prices = a.get("prices", "").split()
    if len({leg.holding for leg in legs}) < len(legs):
        raise Refuse("two legs of one entry are the same instrument")
    if len(prices) == len(legs) > 1:
        told = zip(legs, prices, strict=True)
        legs = [WantedLeg(holding=leg.holding, quantity=leg.quantity, price=_price({"p": p}, "p")) for leg, p in told]
    opened = datetime.fromisoformat(a["opened_at"]) if a.get("opened_at") else None
    if opened is not None and opened > s.broker_now:
        raise Refuse(f"entered at {opened:%Y-%m-%d %H:%M} UTC, which is to come: see entry_time")
    return Wanted(
        key=text_of(a, "key"),
        legs=tuple(legs),
        strategy=a.get("strategy") or s.rules.foreign_strategy(""),
        price=_price(a, "price"),
        opened_at=opened,
        stop=_price(a, "stop"),
        target=_price(a, "target"),
        by=taken.by,
    )


def _leg(text: str) -> WantedLeg:
    name, _, quantity = text.rpartition(":")
    number = number_of({"quantity": quantity}, "quantity")
    if not name or not number:
        raise Refuse(f"{text!r} is no leg: write INSTRUMENT:QUANTITY")
    return WantedLeg(holding=Holding(InstrumentId(name)), quantity=number)


def _price(arguments: Arguments, name: str) -> Decimal | None:
    return number_of(arguments, name) if arguments.get(name) else None


def _refuse_slip(recorded: Decimal | None, known: Decimal) -> None:
    if recorded is not None and known and abs(recorded - known) > abs(known) * PRICE_OFF:
        raise Refuse(f"entered at {abs(recorded)} by the record, at {abs(known)} by the broker: see entry_price")


def _refuse_breached(prices: Sequence[tuple[Decimal | None, int]], now: Decimal) -> None:
    """An exit that is reached already would close it the moment it is taken in."""
    for name, (price, sign) in zip(("stop", "target"), prices, strict=True):
        if price is not None and (price - now) * sign <= 0:
            raise Refuse(
                f"its recorded {name} {abs(price)} is reached already, the price is {abs(now)}: close it first"
            )


def _described(wanted: Wanted, id: PositionId, price: Decimal | None, *, key: str = "") -> PositionDescribed:
    return PositionDescribed(
        position=id, key=key, strategy=wanted.strategy, price=price, opened_at=wanted.opened_at, by=wanted.by
    )


def _exits(wanted: Wanted, id: PositionId, stop: Decimal | None, target: Decimal | None) -> Iterator[Fact]:
    """Recorded exits are kept; of a structure they are net prices, below nothing where closing costs."""
    if stop is not None or target is not None:
        yield ProtectionChosen(position=id, stop=stop, target=target, bare=False, by=wanted.by)


def _in_words(wanted: Wanted, what: str) -> str:
    stop = f", stop {wanted.stop}" if wanted.stop is not None else ""
    target = f", target {wanted.target}" if wanted.target is not None else ""
    return f"{what}, as {wanted.strategy}{stop}{target}"
