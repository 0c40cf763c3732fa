"""More faulty functions: those of structures (see `bugs`)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from standfast.core import closing, moved, results, unwinding, way_out, worth
from standfast.core.situation import Outcomes, Situation
from standfast.core.unwinding import is_half_made
from standfast.model import journal as j
from standfast.model.ids import Holding
from standfast.model.option import option_contract
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Position
from standfast.model.structure import BookedStructure, Leg
from standfast.sim.planted.bugs import Change, everywhere


def shorts_go_last() -> Iterator[Change]:
    right: Any = way_out._leg_by_leg  # noqa: SLF001 - what is to be made wrong

    def leg_by_leg(to_close: Sequence[tuple[Leg, Decimal]], nets: Any) -> Any:
        bought = [(leg, quantity) for leg, quantity in to_close if leg.sign > 0]
        return right(bought or to_close, nets)

    yield way_out, "_leg_by_leg", leg_by_leg


def together_for_more() -> Iterator[Change]:
    right: Any = way_out._together  # noqa: SLF001 - what is to be made wrong

    def together(way: Any, rung: int) -> Any:
        step = right(way, rung)
        more = [replace(each, terms=replace(each.terms, quantity=each.terms.quantity + 1)) for each in step.orders]
        return replace(step, orders=tuple(more), units=step.units + 1)

    yield way_out, "_together", together


def ratio_lost_unseen() -> Iterator[Change]:
    yield from everywhere(unwinding.lost_ratio, lambda s, booked: None)


def worse_side_for_better() -> Iterator[Change]:
    right = worth.sides

    def sides(legs: tuple[Leg, ...], quotes: Any) -> worth.Sides:
        found = right(legs, quotes)
        return worth.Sides(found.best, found.worst)

    yield from everywhere(right, sides)


def target_at_the_better_side() -> Iterator[Change]:
    right = worth.judge_structure

    def judge_structure(found: worth.Worth, structure: Any, policy: Any) -> Any:
        judged = right(found, structure, policy)
        return judged if found.now is None else judged._replace(gain=found.now.best)

    yield from everywhere(right, judge_structure)


def expired_is_gone() -> Iterator[Change]:
    right = closing.settle

    def settle(s: Situation, position: Position) -> Outcomes:
        yield from right(s, position)
        contract = option_contract(position.holding.instrument)
        close = s.session_close(contract.expiry) if contract is not None else None
        if position.held and close is not None and s.broker_now >= close:
            yield j.PositionSettled(position=position.id, reason=CloseReason.EXPIRY, proof="its last day is over")

    yield from everywhere(right, settle)


def half_made_is_kept() -> Iterator[Change]:
    right = unwinding.lost_ratio

    def lost_ratio(s: Situation, booked: BookedStructure) -> Any:
        return None if is_half_made(s, booked) else right(s, booked)

    yield from everywhere(right, lost_ratio)


def a_leg_trails_alone() -> Iterator[Change]:
    right = results.levels

    def levels(book: Any, position: Position, policy: Any, *, of: Decimal | None = None) -> Any:
        return right(book, replace(position, structure=None), policy, of=of)

    yield from everywhere(right, levels)


def nothing_leaves_beyond_zero() -> Iterator[Change]:
    right = moved.moved_out

    def moved_out(s: Situation, holding: Holding) -> Iterator[j.MovedOut]:
        booked, listed = s.book.net(holding).low, s.reported_net(holding)
        if booked * listed >= ZERO:
            yield from right(s, holding)

    yield from everywhere(right, moved_out)
