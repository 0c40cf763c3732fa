"""Operator's acts on structures: opened, closed and protected as one position."""

from collections.abc import Iterator
from decimal import Decimal

from standfast.core.asked import Arguments, Refuse, number_of, stop_share, text_of
from standfast.core.gate_structures import AskedStructure, against_exits, priced, reasons_against_structure
from standfast.core.shapes import whole_units
from standfast.core.situation import Situation
from standfast.core.structures import structure_of
from standfast.core.worth import worth
from standfast.model.ids import Holding, InstrumentId, PositionId, position_id
from standfast.model.journal import (
    CloseRequested,
    Fact,
    LegAsked,
    OpeningRefused,
    ProtectionChosen,
    RequestDone,
    RequestTaken,
    StructureRequested,
)
from standfast.model.order import ZERO
from standfast.model.position import CloseReason
from standfast.model.structure import Leg


def open_structure(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    a = taken.arguments
    asked = AskedStructure(
        legs=tuple(_leg(s, text) for text in text_of(a, "legs").split()),
        units=number_of(a, "quantity"),
        strategy=a.get("strategy") or "operator",
        key=a.get("key") or taken.request,
        limit=_limit(taken),
        stop=_optional(a, "stop"),
        stop_loss=stop_share(a),
        target=_optional(a, "target"),
    )
    known = s.book.state.keys.get(asked.key)
    if known is not None:
        _refuse_another(s, asked, known)
        return  # the same key is the same opening: watched, not repeated
    reasons = reasons_against_structure(s, asked)
    if reasons:
        yield OpeningRefused(key=asked.key, holding=asked.legs[0].holding, reasons=reasons, by=taken.by)
        yield RequestDone(request=taken.request, ok=False, detail="refused: " + "; ".join(reasons))
        return
    account = s.book.account
    yield StructureRequested(
        structure=position_id(account, "open", asked.key),
        key=asked.key,
        legs=tuple(
            LegAsked(
                position=position_id(account, "leg", asked.key, leg.holding),
                holding=leg.holding,
                ratio=leg.ratio,
                limit=priced(s, asked, leg),
            )
            for leg in asked.legs
        ),
        units=asked.units,
        strategy=asked.strategy,
        limit=asked.limit,
        stop=asked.stop,
        stop_loss=asked.stop_loss,
        target=asked.target,
        by=taken.by,
    )


def _leg(s: Situation, text: str) -> Leg:
    """`SPXW210106P03800000:-1`: a contract, and how many of it make a unit."""
    name, _, ratio = text.rpartition(":")
    if not name or not ratio.lstrip("+-").isdigit() or not int(ratio):
        raise Refuse(f"{text!r} is no leg: write CONTRACT:RATIO, for example SPXW210106P03800000:-1")
    return Leg.of(s.instrument(Holding(InstrumentId(name))), int(ratio))


def _limit(taken: RequestTaken) -> Decimal | None:
    """What a unit shall bring: a credit as it is, a debit below nothing."""
    a = taken.arguments
    for name, sign in (("credit", 1), ("debit", -1)):
        if a.get(name):
            price = number_of(a, name)
            if price <= 0:
                raise Refuse(f"{name} {price} is no price above zero")
            return price * sign
    return None


def _refuse_another(s: Situation, asked: AskedStructure, id: PositionId) -> None:
    """A key names one opening. Asked for something else under it, somebody has made a mistake."""
    known = s.book.state.structures.get(id) or s.book.state.closed_structures.get(id)
    is_single = id in s.book.state.positions or id in s.book.state.closed
    was = {(leg.holding, leg.ratio) for leg in known.legs} if known is not None else set()
    differs = known is not None and (known.units != asked.units or was != {(x.holding, x.ratio) for x in asked.legs})
    if is_single or differs:
        raise Refuse(f"key {asked.key!r} is another opening ({id}) already: use another key")


def close_structure(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    booked = s.book.state.structures[PositionId(taken.arguments["position"])]
    if not s.may_act:
        raise Refuse(s.why_not)
    whole, remain = whole_units(structure_of(s.book, booked)), ZERO
    if taken.arguments.get("quantity"):
        quantity = number_of(taken.arguments, "quantity")
        if not 0 < quantity <= whole or quantity != quantity.to_integral_value():
            raise Refuse(f"quantity {quantity} is no whole number between 0 and {whole} units held")
        remain = whole - quantity
    if booked.closing is not None and booked.closing.remain <= remain:
        raise Refuse(f"it is being closed already ({booked.closing.reason}), down to {booked.closing.remain}")
    yield CloseRequested(
        position=booked.id,
        reason=CloseReason.OPERATOR,
        by=taken.by,
        detail=taken.arguments.get("reason") or "asked for",
        remain=remain,
        request=taken.request,
    )


def protect_structure(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    """Net prices: what one unit brings when it is closed, negative for what closing costs. Neither: by policy.

    What has been made of its entry is no bound: a stop may be raised beyond it, or a target lowered.
    """
    a = taken.arguments
    booked = s.book.state.structures[PositionId(a["position"])]
    if a.get("none") == "true":
        raise Refuse("the rules of a structure are its policy's, or a stop of its own: it is not left without")
    stop, target = _optional(a, "stop"), _optional(a, "target")
    now = worth(s, structure_of(s.book, booked).shape).now
    wrong = next(against_exits(stop, target, entry=None, now=now), "")
    if wrong:
        raise Refuse(wrong)
    if (stop, target) != (None, None):  # neither: back to the policy
        stop = booked.stop if stop is None else stop
        target = booked.target if target is None else target
    if stop is not None and target is not None and stop >= target:
        raise Refuse(f"stop {stop} is not below target {target}")
    yield ProtectionChosen(position=booked.id, stop=stop, target=target, bare=False, by=taken.by)
    shown = [
        f"{name} {'by policy' if price is None else price}" for name, price in (("stop", stop), ("target", target))
    ]
    yield RequestDone(request=taken.request, ok=True, detail=f"{booked.id}: {', '.join(shown)}, held by the guard")


def _optional(arguments: Arguments, name: str) -> Decimal | None:
    return number_of(arguments, name) if arguments.get(name) else None
