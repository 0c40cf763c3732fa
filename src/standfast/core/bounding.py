"""Options that were bought and may bound what was sold beside them, while nobody has put the two together yet.

Legs that were found are judged one by one until they form a structure, and that may take long: a leg has no price, the
broker lists what is not booked, an order may still add to one. A bought option sold alone meanwhile would leave the
sold one bare. What it can still lose is what it is worth; what is bare may lose any amount. So it stays until what it
may bound is bought back: no rule closes it alone, and no stop rests for it.
"""

from collections.abc import Iterator

from standfast.core.shapes import underlying_of
from standfast.core.situation import Situation
from standfast.model.option import OptionContract, option_contract
from standfast.model.order import ZERO
from standfast.model.position import Position, Standing


def bounded_by(s: Situation, position: Position) -> Position | None:
    """A sold option that this bought one may bound: of the same right, and ending no later."""
    mine = option_contract(position.holding.instrument)
    if mine is None or position.sign < 0 or not _is_loose(position):
        return None
    return next((each for each, theirs in _sold(s, position) if _bounds(mine, theirs)), None)


def _is_loose(position: Position) -> bool:
    """Whether it was found, is part of nothing, and no operator has said that it stands alone."""
    return position.structure is None and not position.apart and position.standing is Standing.ADOPTED


def _sold(s: Situation, position: Position) -> Iterator[tuple[Position, OptionContract]]:
    name = underlying_of(position.holding)
    for each in s.book.state.positions.values():
        contract = option_contract(each.holding.instrument) if each.sign < 0 and _is_loose(each) else None
        if contract is not None and s.book.held(each) > ZERO and underlying_of(each.holding) == name:
            yield each, contract


def _bounds(bought: OptionContract, sold: OptionContract) -> bool:
    return bought.right is sold.right and bought.expiry >= sold.expiry
