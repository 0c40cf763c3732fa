"""Structures as the book has them, for decisions that are made of a structure's legs.

1. What a structure holds is what its legs hold, fills on their way included.
2. It is opening while a leg is, and closed once every leg is.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from standfast.core.book import Book
from standfast.model.ids import Holding, InstrumentId, PositionId
from standfast.model.option import listed_under, option_contract
from standfast.model.order import ZERO
from standfast.model.position import Phase, Position, Standing
from standfast.model.settlement import settlement
from standfast.model.structure import BookedStructure, HeldLeg, Structure, TiedLeg

LEG_BY_LEG = timedelta(seconds=15)
"""How long a bot that opens leg by leg may take from one to the next."""


def structure_at(book: Book, holding: Holding) -> BookedStructure | None:
    """The structure that is looked at here, if this is where one is, and it is not closed."""
    found = book.state.structures.get(PositionId(holding.instrument))
    return found if found is not None and found.holding == holding else None


def position_of(book: Book, leg: TiedLeg) -> Position | None:
    """A leg's position, closed ones too; None where it closed so long ago that only the journal has it."""
    return book.state.positions.get(leg.position) or book.state.closed.get(leg.position)


def open_legs(book: Book, structure: BookedStructure) -> Iterator[tuple[TiedLeg, Position]]:
    """Legs that are not closed, each with its position."""
    for leg in structure.legs:
        position = book.state.positions.get(leg.position)
        if position is not None:
            yield leg, position


def phase_of(book: Book, structure: BookedStructure) -> Phase:
    phases = {position.phase for _, position in open_legs(book, structure)}
    if structure.closed_at is not None:
        return Phase.CLOSED
    if Phase.OPENING in phases:
        return Phase.OPENING
    return Phase.CLOSING if structure.closing is not None or Phase.CLOSING in phases else Phase.OPEN


def structure_of(book: Book, booked: BookedStructure) -> Structure:
    """The structure with what its legs hold, as everything decides about it."""
    positions = [position for leg in booked.legs if (position := position_of(book, leg)) is not None]
    opened = [each.opened_at for each in positions if each.opened_at is not None]
    return Structure(
        id=booked.id,
        strategy=booked.strategy,
        legs=tuple(_held(book, leg) for leg in booked.legs),
        units=booked.units,
        standing=booked.standing,
        anchor=booked.anchor,
        gain_anchor=booked.gain_anchor,
        stop=booked.stop,
        stop_loss=booked.stop_loss,
        target=booked.target,
        opened_at=min(opened, default=None),
        adopted_at=booked.adopted_at if booked.standing is Standing.ADOPTED else None,
        trail=booked.trail,
        closing=booked.closing,
    )


def _held(book: Book, tied: TiedLeg) -> HeldLeg:
    position = position_of(book, tied)
    if position is None:
        return HeldLeg(leg=tied.leg)
    if position.id not in book.state.positions:  # also where it was written off, or taken out of the books
        return _held_once(tied, position)
    late = book.held(position) - position.held
    opened, entry = position.opened, position.entry_value
    if late > 0:
        opened += late
        entry += late * (book.entry_price(position) or ZERO)
    return HeldLeg(
        leg=tied.leg,
        opened=opened,
        closed=position.closed - min(late, ZERO),
        entry_value=entry,
        exit_value=position.exit_value,
        fees=position.fees,
    )


def _held_once(tied: TiedLeg, position: Position) -> HeldLeg:
    return HeldLeg(
        leg=tied.leg,
        opened=position.opened,
        closed=position.opened,
        entry_value=position.entry_value,
        exit_value=position.exit_value,
        fees=position.fees,
    )


def shares_under(book: Book, option: Holding, listed: Iterable[Holding] = ()) -> Holding:
    """What is delivered for an option, as books or broker spell it: of a class of shares options leave the mark out."""
    contract = option_contract(option.instrument)
    assert contract is not None, option
    becomes = settlement(contract)
    plain = Holding(InstrumentId(becomes.underlying), option.hedge)
    if becomes.cash or plain in book.at_holding:
        return plain
    known = (each for each in (*book.at_holding, *book.state.acknowledged, *listed) if each.hedge == option.hedge)
    return min((each for each in known if listed_under(each.instrument) == plain.instrument), default=plain)


def is_option(position: Position) -> bool:
    return option_contract(position.holding.instrument) is not None


def is_still(book: Book, position: Position) -> bool:
    """Whether it is held, nothing opens or closes it, and none of its fills is on its way."""
    return position.phase is Phase.OPEN and position.closing is None and position.held == book.held(position) > 0


def may_be_joined(position: Position, now: datetime) -> datetime | None:
    """Until when a bought option may be the first leg of what a bot opens one by one, if that lies ahead; not what was
    taken from a list. `now`: by the broker's clock, which dates its fills."""
    is_listed = position.anchor is not None or bool(position.bare_adopted)
    if position.sign < 0 or not is_option(position) or position.opened_at is None or is_listed:
        return None
    until = position.opened_at + LEG_BY_LEG
    return until if now < until else None


def alone(book: Book, position: Position) -> Structure:
    """One option as a structure of one leg: what ends with it ends so for both."""
    tied = TiedLeg(position=position.id, holding=position.holding, ratio=position.sign)
    return Structure(id=position.id, strategy=position.strategy, legs=(_held(book, tied),), units=position.held)
