"""What is held and on its way in, as the limits of the account count it: money that may be lost, or that it cost.

A structure counts with the most it can lose at expiry, as the gate counts one that is asked for; where that has no
bound, with what its legs cost beside each other. Everything else counts with what it cost.
"""

from decimal import Decimal

from standfast.core.book import Book
from standfast.core.payoff import outlook_of
from standfast.core.shapes import entry
from standfast.core.situation import Situation
from standfast.core.structures import phase_of, structure_of
from standfast.model.ids import Holding, PositionId
from standfast.model.order import ZERO
from standfast.model.position import Phase
from standfast.model.structure import BookedStructure, HeldLeg, Leg, Structure, multiplier_of


def at_stake(s: Situation) -> Decimal:
    return sum((_of_structure(s.book, each) for each in s.book.state.structures.values()), ZERO) + _of_singles(s)


def unit_price(s: Situation, holding: Holding, sign: int, limit: Decimal | None) -> Decimal | None:
    """What one of them is opened at, as far as it can be known: for a limit bought at most, for a limit sold at least.

    A sale is met by what is bid, however low its limit: without a quote nobody can say what it comes to.
    """
    sight = s.sights.get(holding)
    quote = sight.quote if sight is not None and sight.quote.is_two_sided else None
    if sign > 0:
        return limit if limit is not None else quote.ask if quote is not None else None
    return max(quote.bid, limit or ZERO) if quote is not None else None


def counted_at(s: Situation, holding: Holding, sign: int, limit: Decimal | None) -> Decimal | None:
    """What one of them counts with. A sale with what is asked at least: a bid of next to nothing is not its price."""
    price = unit_price(s, holding, sign, limit)
    if price is None or sign > 0:
        return price
    return max(price, unit_price(s, holding, 1, None) or ZERO)


def as_entered(legs: tuple[Leg, ...], units: Decimal, net: Decimal) -> Structure:
    """As if it were held, entered at this net price; which leg cost how much of it does not matter."""
    first, *others = legs
    points = first.ratio * first.multiplier / multiplier_of(legs)
    opened = units * abs(first.ratio)
    held = [HeldLeg(leg=first, opened=opened, entry_value=opened * net / points)]
    held += [HeldLeg(leg=leg, opened=units * abs(leg.ratio)) for leg in others]
    return Structure(id=PositionId(""), strategy="", legs=tuple(held), units=units)


def _of_structure(book: Book, booked: BookedStructure) -> Decimal:
    structure = structure_of(book, booked)
    if phase_of(book, booked) is Phase.OPENING:
        net = entry(structure) or (-booked.limit if booked.limit is not None else ZERO)
        structure = as_entered(structure.shape, booked.units, net)
    worst = outlook_of(structure).worst.amount
    if worst is None:
        return sum((held.held * (held.entry_price or ZERO) * held.leg.multiplier for held in structure.legs), ZERO)
    return max(-worst, ZERO)


def _of_singles(s: Situation) -> Decimal:
    """What the broker lists beyond the legs of structures, and what is still being opened."""
    legs = _of_legs(s.book)
    read = s.snapshot.positions
    held = ZERO
    for row in read.rows.values() if read is not None else ():
        beyond = abs(row.quantity - legs.get(row.holding, ZERO))
        held += beyond * row.average_price * s.instrument(row.holding).multiplier
    for position in s.book.state.positions.values():
        if position.phase is Phase.OPENING and position.structure is None:
            price = counted_at(s, position.holding, position.sign, position.limit) or position.limit or ZERO
            held += (position.asked - position.opened) * price * s.instrument(position.holding).multiplier
    return held


def _of_legs(book: Book) -> dict[Holding, Decimal]:
    nets: dict[Holding, Decimal] = {}
    for position in book.state.positions.values():
        if position.structure is not None:
            nets[position.holding] = nets.get(position.holding, ZERO) + position.net
    return nets
