"""Operator's acts: what each verb writes into the journal, and when it is done and proven.

A request is taken once (its id is in the book until it is done), answered at once when it is refused or purely
about the books, and otherwise watched until what it asked for is so.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from standfast.core.acknowledge import acknowledging
from standfast.core.acts_structures import close_structure, open_structure, protect_structure
from standfast.core.adopt import adoption, price_now, taking_over
from standfast.core.asked import Arguments, Refuse, number_of, refuse_late, stop_share, text_of
from standfast.core.gate import Asked, reasons_against
from standfast.core.importing import import_entry
from standfast.core.reconcile import POSITION_KINDS
from standfast.core.situation import Situation
from standfast.core.undo import undo
from standfast.model.breaks import BreakKind
from standfast.model.ids import AlertId, BreakId, EntryNumber, Holding, PositionId, holding_named, position_id
from standfast.model.instrument import Kind
from standfast.model.journal import (
    AlertAcknowledged,
    BreakActed,
    CloseRequested,
    Entry,
    Fact,
    FlattenRequested,
    Frozen,
    OpeningRefused,
    OpeningRequested,
    PositionWrittenOff,
    ProtectionChosen,
    RequestDone,
    RequestTaken,
    StructureFormed,
    Thawed,
)
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Position

BUGS = (AssertionError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a mistake of ours looks like; whoever takes acts answers it, once, instead of dying of it again and again."""


def take(
    s: Situation,
    taken: RequestTaken,
    entries: Callable[[EntryNumber], Entry | None],
    *,
    now: datetime | None = None,
) -> Iterator[Fact]:
    """The facts an act begins with. `entries` looks an old entry up, for `undo`.

    `now` is the machine's time, by which those who ask say until when it shall be done; None: it is only tried out.
    """
    yield taken
    verb = VERBS.get(taken.verb, _unknown)
    try:
        if now is not None:
            refuse_late(taken.arguments, now)
        facts = list(undo_act(s, taken, entries) if taken.verb == "undo" else verb(s, taken))
    except Refuse as error:
        yield RequestDone(request=taken.request, ok=False, detail=str(error))
        return
    yield from facts


def _unknown(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    raise Refuse(f"unknown verb {taken.verb!r}")


def _open(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    a = taken.arguments
    if a.get("legs"):
        yield from open_structure(s, taken)
        return
    asked = Asked(
        holding=holding_named(text_of(a, "instrument")),
        quantity=number_of(a, "quantity"),
        strategy=a.get("strategy") or "operator",
        key=a.get("key") or taken.request,
        limit=number_of(a, "limit") if a.get("limit") else None,
        stop=number_of(a, "stop") if a.get("stop") else None,
        stop_loss=stop_share(a),
        target=number_of(a, "target") if a.get("target") else None,
    )
    known = s.book.state.keys.get(asked.key)
    if known is not None:
        _refuse_another(s, asked, known)
        return  # the same key is the same opening: watched, not repeated
    reasons = reasons_against(s, asked)
    if reasons:
        yield OpeningRefused(key=asked.key, holding=asked.holding, reasons=reasons, by=taken.by)
        yield RequestDone(request=taken.request, ok=False, detail="refused: " + "; ".join(reasons))
        return
    yield OpeningRequested(
        position=position_id(s.book.account, "open", asked.key),
        key=asked.key,
        holding=asked.holding,
        quantity=asked.quantity,
        strategy=asked.strategy,
        limit=asked.limit,
        stop=asked.stop,
        stop_loss=asked.stop_loss,
        target=asked.target,
        by=taken.by,
    )


def _refuse_another(s: Situation, asked: Asked, id: PositionId) -> None:
    """A key names one opening. Asked for something else under it, somebody has made a mistake."""
    known = s.book.state.positions.get(id) or s.book.state.closed.get(id)
    if known is None:
        return  # so old that it is only in the journal
    was = (known.holding, known.asked * known.sign, known.limit)
    if (asked.holding, asked.quantity, asked.limit) != was:
        limit = f" at {known.limit}" if known.limit is not None else ""
        raise Refuse(f"key {asked.key!r} is the opening of {was[1]} {known.holding}{limit} already: use another key")


def _close(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    if taken.arguments.get("position") in s.book.state.structures:
        yield from close_structure(s, taken)
        return
    position = _guarded(s, taken.arguments)
    if not s.may_act:
        raise Refuse(s.why_not)
    held = s.book.held(position)
    remain = ZERO
    if taken.arguments.get("quantity"):
        quantity = number_of(taken.arguments, "quantity")
        if not 0 < quantity <= held:
            raise Refuse(f"quantity {quantity} is not between 0 and {held} held")
        _refuse_part_of_a_step(s, position, quantity)
        remain = held - quantity
    if position.closing is not None and position.closing.remain <= remain:
        when = (
            "" if s.in_session or s.snapshot.clock is None else f", due at {s.snapshot.clock.next_open:%d %b %H:%M} UTC"
        )
        raise Refuse(f"it is being closed already ({position.closing.reason}), down to {position.closing.remain}{when}")
    yield CloseRequested(
        position=position.id,
        reason=CloseReason.OPERATOR,
        by=taken.by,
        detail=taken.arguments.get("reason") or "asked for",
        remain=remain,
        request=taken.request,
    )


def _refuse_part_of_a_step(s: Situation, position: Position, quantity: Decimal) -> None:
    """What no order may be for could never be closed: an exchange of contracts takes whole steps only."""
    instrument = s.instrument(position.holding)
    if instrument.kind is Kind.PERPETUAL and quantity % instrument.lot:
        raise Refuse(f"quantity {quantity} is no multiple of {instrument.lot}, the least step of {position.holding}")


def _protect(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    if taken.arguments.get("position") in s.book.state.structures:
        yield from protect_structure(s, taken)
        return
    a, position = taken.arguments, _guarded(s, taken.arguments)
    bare = a.get("none") == "true"
    stop, target = _exit_price(s, position, a, "stop"), _exit_price(s, position, a, "target")
    if not bare and (stop, target) != (None, None):  # neither: back to the policy
        stop = position.stop if stop is None else stop
        target = position.target if target is None else target
    yield ProtectionChosen(position=position.id, stop=stop, target=target, bare=bare, by=taken.by)


def _exit_price(s: Situation, position: Position, arguments: Arguments, name: str) -> Decimal | None:
    """A stop or target as asked for. On the wrong side of the price it would close the position for a slip."""
    if not arguments.get(name):
        return None
    price = number_of(arguments, name)
    if price <= 0:
        raise Refuse(f"{name} {price} is no price")
    sight = s.sights.get(position.holding)
    sign = position.sign if name == "target" else -position.sign
    if sight is not None and sight.quote.is_two_sided:
        now = sight.quote.closing_price(position.sign)
        if (price - now) * sign <= 0:
            raise Refuse(f"{name} {price} is not beyond {now}")
    return price


def _flatten(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    if not s.may_act:
        raise Refuse(s.why_not)
    yield FlattenRequested(request=taken.request, everything=taken.arguments.get("everything") == "true", by=taken.by)


def _freeze(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    scope = taken.arguments.get("scope", "")
    yield Frozen(scope=scope, by=taken.by, reason=taken.arguments.get("reason", ""))
    yield RequestDone(request=taken.request, ok=True, detail=f"no openings on {scope or 'the account'}")


def _thaw(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    scope = taken.arguments.get("scope", "")
    if scope not in s.book.state.frozen:
        raise Refuse(f"{scope or 'the account'} is not frozen")
    yield Thawed(scope=scope, by=taken.by)
    yield RequestDone(request=taken.request, ok=True, detail=f"{scope or 'the account'} may open again")


def _adopt(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    holding = _break_holding(s, taken)
    lots = [p for p in s.book.positions_at(holding) if not p.is_guarded and p.held > 0]
    if lots:
        _refuse_without_quote(s, holding)
    adopted = [f"{lot.net} as {lot.id}" for lot in lots]
    for lot in lots:
        yield taking_over(s, lot, by=taken.by)
    _refuse_in_doubt(s, holding)
    booked, reported = s.book.net(holding).low, s.reported_net(holding)
    extra = reported - booked
    if extra and (extra * reported <= 0 or booked * reported < 0):
        raise Refuse(f"the broker holds {reported}, the books {booked}: there is nothing to adopt")
    if extra:
        if not s.is_comparable(holding):
            raise Refuse(f"{holding} has just moved: try again in a few seconds")
        _refuse_without_quote(s, holding)
        for fact in adoption(s, holding, extra, by=taken.by):
            adopted.append(f"{fact.quantity} as {fact.position}")
            yield fact
    if not adopted:
        raise Refuse(f"{holding} holds nothing the books do not explain")
    follows = "its exits follow" if s.may_act else f"nothing is placed for it: {s.why_not}"
    yield RequestDone(request=taken.request, ok=True, detail=f"{holding}: adopted {', '.join(adopted)}; {follows}")


def _refuse_without_quote(s: Situation, holding: Holding) -> None:
    if price_now(s, holding) is None:
        raise Refuse(f"no quote for {holding} that says its price: without one its stop could sell it at once")


def _refuse_in_doubt(s: Situation, holding: Holding) -> None:
    """While an order may or may not have filled nobody can say what is held beyond the books."""
    booked = s.book.net(holding)
    if not booked.is_exact:
        raise Refuse(f"an order on {holding} is not settled ({booked} booked): try again in a few seconds")


def _ignore(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    id = BreakId(text_of(taken.arguments, "break"))
    holding = _break_holding(s, taken)
    found = s.book.state.breaks[id]
    if found.finding.kind is BreakKind.GHOST_POSITION:
        yield from _write_off(s, holding, by=taken.by, detail=f"ghost {id} accepted as gone")
    elif found.finding.kind in POSITION_KINDS:
        yield from _leave_alone(s, holding, by=taken.by)
    yield BreakActed(id=id, action=f"accepted by {taken.by}")
    yield RequestDone(request=taken.request, ok=True, detail=f"{id} on {holding} accepted")


def _write_off(s: Situation, holding: Holding, *, by: str, detail: str) -> Iterator[Fact]:
    for position in s.book.positions_at(holding):
        if s.book.held(position):
            yield PositionWrittenOff(position=position.id, reason=CloseReason.FOREIGN, by=by, detail=detail)
    known = s.book.state.acknowledged.get(holding, ZERO)
    if known:
        yield acknowledging(s.book, holding, ZERO, by=by)


def _leave_alone(s: Situation, holding: Holding, *, by: str) -> Iterator[Fact]:
    """What is held beside ours is somebody else's. Less than ours cannot be explained that way."""
    _refuse_in_doubt(s, holding)
    ours = sum((s.book.held(p) * p.sign for p in s.book.guarded_at(holding)), ZERO)
    reported = s.reported_net(holding)
    theirs = reported - ours
    if theirs * ours < 0:
        raise Refuse(
            f"the broker holds {reported}, less than the books ({ours}): close the position, or wait for its fills"
        )
    lots = [p for p in s.book.positions_at(holding) if not p.is_guarded]
    for lot in lots:
        yield PositionWrittenOff(
            position=lot.id, reason=CloseReason.FOREIGN, by=by, detail="foreign, left alone", acknowledged=True
        )
    known = s.book.state.acknowledged.get(holding, ZERO) + sum((s.book.held(p) * p.sign for p in lots), ZERO)
    yield acknowledging(s.book, holding, theirs, by=by, bare=theirs - known, seen_at=s.broker_now)


def _ack(s: Situation, taken: RequestTaken) -> Iterator[Fact]:
    id = AlertId(text_of(taken.arguments, "alert"))
    if id not in s.book.state.alerts:
        raise Refuse(f"no alert {id}")
    yield AlertAcknowledged(id=id, by=taken.by)
    yield RequestDone(request=taken.request, ok=True, detail=f"{id} acknowledged")


def undo_act(s: Situation, taken: RequestTaken, entries: Callable[[EntryNumber], Entry | None]) -> Iterator[Fact]:
    text = text_of(taken.arguments, "entry")
    entry = entries(EntryNumber(int(text))) if text.isdigit() else None
    if entry is None:
        raise Refuse(f"no entry {text}")
    facts = list(undo(s, entry, by=taken.by))
    if not facts:
        raise Refuse(f"entry {text} ({type(entry.fact).__name__}) is not a repair that can be undone")
    yield from facts
    more = ": its legs are judged alone from now on" if isinstance(entry.fact, StructureFormed) else ""
    yield RequestDone(request=taken.request, ok=True, detail=f"entry {text} undone{more}")


VERBS: Mapping[str, Callable[[Situation, RequestTaken], Iterator[Fact]]] = {
    "open": _open,
    "close": _close,
    "protect": _protect,
    "flatten": _flatten,
    "freeze": _freeze,
    "thaw": _thaw,
    "adopt": _adopt,
    "ignore": _ignore,
    "import": import_entry,
    "ack": _ack,
    "undo": lambda s, taken: iter(()),
}


# --- arguments ----------------------------------------------------------------------------------


def _guarded(s: Situation, arguments: Arguments) -> Position:
    id = PositionId(text_of(arguments, "position"))
    position = s.book.state.positions.get(id)
    if position is None:
        closed = id in s.book.state.closed
        raise Refuse(f"{id} is closed already" if closed else f"no position {id}")
    if not position.is_guarded:
        raise Refuse(f"{id} is foreign: adopt it first")
    if position.structure is not None:
        raise Refuse(f"{id} is a leg of {position.structure}: that is closed and protected as a whole")
    return position


def _break_holding(s: Situation, taken: RequestTaken) -> Holding:
    id = BreakId(text_of(taken.arguments, "break"))
    found = s.book.state.breaks.get(id)
    if found is None:
        raise Refuse(f"no open break {id}")
    if found.finding.holding is None:
        raise Refuse(f"{id} is about the account, not about a holding")
    return found.finding.holding
