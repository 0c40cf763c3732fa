"""Shares that make good calls sold against them, while the two form no structure; or when the calls of one are closed,
and others were sold meanwhile.

Sold before such a call is bought back, the shares leave it naked: what it may lose then has no bound, and most accounts
may not even hold it. So whatever asks for the close of these shares (a rule, an operator, a flatten), the calls go
first. Nor does a stop rest for them at the broker, where it would fill without asking anybody: the guard holds it.

Which lots they are: the oldest, as many as the calls need. What others hold of the shares covers first.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from standfast.core.shapes import underlying_of
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import open_legs, shares_under, structure_at
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import CloseRequested
from standfast.model.option import Right, option_contract
from standfast.model.order import CLOSING_ROLES, ZERO
from standfast.model.position import Position

OSI_LEAST = 16
"""Letters of the shortest name of an option: what is shorter is none, which is seen at once."""


def covers(s: Situation, position: Position) -> bool:
    """Whether calls sold beside it rest on these shares: it is no other's, and older lots do not suffice."""
    if position.structure is not None or not _is_long(position):
        return False
    needed = _needed(s, position.holding)
    if needed <= 0:
        return False
    lots = [each for each in s.book.guarded_at(position.holding) if each.structure is None and _is_long(each)]
    older = lots[: next(place for place, each in enumerate(lots) if each.id == position.id)]
    theirs = s.book.booked(position.holding) - _in_structures(s, position.holding) - _held(s, lots)
    return needed > max(theirs, ZERO) + _held(s, older)


def naked(s: Situation, option: Position) -> Decimal:
    """How much of a sold option that stands alone no share delivers: calls are covered in turn, puts never."""
    under = shares_of(s, option.holding)
    calls = _sold(s, under)
    left = _uncalled(s, under) + _shares(s, calls)
    for call in calls:
        size, held = money_of_a_point(call.holding.instrument), s.book.held(call)
        delivered = min(held, max(left, ZERO) // size)
        if call.id == option.id:
            return held - delivered
        left -= delivered * size
    return s.book.held(option)


def delivers(s: Situation, option: Holding, quantity: Decimal) -> bool:
    """Whether shares that no call needs yet deliver so many of this option, if it is sold."""
    contract = option_contract(option.instrument)
    if contract is None or contract.right is not Right.CALL:
        return False
    return _uncalled(s, shares_of(s, option)) >= quantity * money_of_a_point(option.instrument)


def _uncalled(s: Situation, under: Holding) -> Decimal:
    """Shares beyond what sold calls need, in structures and alone; below nothing: so many are lacking."""
    return s.book.booked(under) - _delivered(s, under) - _shares(s, _sold(s, under))


def closes_before(s: Situation, position: Position, to_close: Decimal) -> Outcomes | None:
    """What has to be closed before so many of these shares are sold, and a look when it may be; None: nothing has."""
    lacking = _lacking(s, position, to_close) if _sold(s, position.holding) else ZERO
    return _calls_first(s, position, lacking) if lacking > 0 else None


def _calls_first(s: Situation, position: Position, lacking: Decimal) -> Outcomes:
    why = position.closing
    assert why is not None, position.id
    for call in _sold(s, position.holding):
        size, held = money_of_a_point(call.holding.instrument), s.book.held(call)
        gone = min(held, (max(lacking, ZERO) / size).to_integral_value(rounding=ROUND_CEILING))
        lacking -= gone * size
        if gone and (call.closing is None or call.closing.remain > held - gone):
            yield CloseRequested(
                position=call.id,
                reason=why.reason,
                by=why.by,
                detail=f"{why.detail}; sold against {position.id}, which is to be closed",
                remain=held - gone,
            )
    yield WakeAt(at=s.now + timedelta(seconds=1), holding=position.holding)


def _is_long(position: Position) -> bool:
    return option_contract(position.holding.instrument) is None and position.sign > 0


def _lacking(s: Situation, position: Position, to_close: Decimal) -> Decimal:
    """Shares that sold calls would lack by that, and do not lack now."""
    needed = _needed(s, position.holding) if _is_long(position) else ZERO
    if needed <= 0:
        return ZERO
    needed += _delivered(s, position.holding)
    going = (
        order.remaining
        for order in s.book.alive.at(position.holding)
        if order.role in CLOSING_ROLES and not order.is_finished and order.position != position.id
    )
    left = s.book.booked(position.holding) - sum(going, ZERO)
    return max(needed - left + to_close, ZERO) - max(needed - left, ZERO)


def _delivered(s: Situation, under: Holding) -> Decimal:
    """Shares that sold calls of structures are good for: those beside them."""
    total = ZERO
    for place in s.book.structures_at(under):
        booked = structure_at(s.book, place)
        for leg, call in open_legs(s.book, booked) if booked is not None else ():
            if leg.sign < 0 and leg.leg.contract is not None:
                total += s.book.held(call) * money_of_a_point(call.holding.instrument)
    return total


def _needed(s: Situation, under: Holding) -> Decimal:
    """Shares that calls sold alone are good for; what is bought beside them, and lasts as long, bounds as well."""
    sold = _sold(s, under)
    if not sold:
        return ZERO
    last = max(_expiry(each) for each in sold)
    bought = [each for each in _calls(s).get((_named(under), 1), ()) if _expiry(each) >= last]
    return _shares(s, sold) - _shares(s, bought)


def _sold(s: Situation, under: Holding) -> Sequence[Position]:
    return _calls(s).get((_named(under), -1), ())


def _calls(s: Situation) -> Mapping[tuple[Holding, int], Sequence[Position]]:
    """Calls that stand alone, by what they are on and by their sign."""

    def figured() -> dict[tuple[Holding, int], list[Position]]:
        found: dict[tuple[Holding, int], list[Position]] = {}
        for holding in s.book.at_holding:
            contract = option_contract(holding.instrument) if len(holding.instrument) >= OSI_LEAST else None
            if contract is None or contract.right is not Right.CALL:
                continue
            for each in s.book.guarded_at(holding):
                if each.structure is None and s.book.held(each) > 0:
                    found.setdefault((_named(holding), each.sign), []).append(each)
        for calls in found.values():
            calls.sort(key=lambda call: (call.holding, call.id))
        return found

    return s.once("calls alone", figured)


def _expiry(call: Position) -> str:
    contract = option_contract(call.holding.instrument)
    assert contract is not None, call.id
    return contract.expiry.isoformat()


def _named(holding: Holding) -> Holding:
    """Shares, and what is on them, by one name."""
    return Holding(InstrumentId(underlying_of(holding)), holding.hedge)


def shares_of(s: Situation, option: Holding) -> Holding:
    """What an option is on and delivers, by the name under which it is held or listed."""
    rows = s.snapshot.positions.rows if s.snapshot.positions is not None else ()
    return s.once(f"shares of {_named(option)}", lambda: shares_under(s.book, option, rows))


def _shares(s: Situation, calls: Sequence[Position]) -> Decimal:
    return sum((s.book.held(each) * money_of_a_point(each.holding.instrument) for each in calls), ZERO)


def _in_structures(s: Situation, holding: Holding) -> Decimal:
    legs = (each for each in s.book.positions_at(holding) if each.structure is not None)
    return sum((s.book.held(each) * each.sign for each in legs), ZERO)


def _held(s: Situation, lots: Sequence[Position]) -> Decimal:
    return sum((s.book.held(each) for each in lots), ZERO)
