"""When an operator's act is done and proven, and what its operator is told."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from standfast.core.cover import cover_of
from standfast.core.freeing import is_fraction_left
from standfast.core.protect import protect
from standfast.core.proven import is_listed, is_over, sources
from standfast.core.reconcile import cover_gap
from standfast.core.shapes import broken, entry, whole_units
from standfast.core.situation import Outcome, Situation
from standfast.core.structures import phase_of, position_of, structure_of
from standfast.model.effects import ReadPositions, WakeAt
from standfast.model.ids import PositionId
from standfast.model.journal import RequestDone, RequestTaken
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Phase, Position
from standfast.model.structure import legs_text

LOOK_AGAIN = timedelta(seconds=1)
UNWANTED = frozenset({CloseReason.ROLLBACK, CloseReason.LIQUIDATION})
"""Why an opening that is gone again was none."""


def finish_acts(s: Situation) -> Iterator[Outcome]:
    """Answer every watched request whose outcome is known."""
    for taken in list(s.book.state.requests.values()):
        done = WATCHED[taken.verb](s, taken) if taken.verb in WATCHED else None
        if done is None:
            continue
        opened = _just_opened(s, taken) if done.ok else None
        if opened is None or is_listed(s, opened) or is_over(s, opened):
            yield done
        else:
            yield from _look_at_the_list(s, opened)


def _just_opened(s: Situation, taken: RequestTaken) -> Position | None:
    """The position that an opening has made, while it is held."""
    id = s.book.state.keys.get(taken.arguments.get("key") or taken.request) if taken.verb == "open" else None
    return s.book.state.positions.get(id) if id is not None else None


def _look_at_the_list(s: Situation, position: Position) -> Iterator[Outcome]:
    """The third source, beside the order and its executions: asked for at once, and again until it is too late."""
    if not s.was_asked_lately("positions"):
        yield ReadPositions(reason=f"is {position.id} listed?")
    yield WakeAt(at=s.now + LOOK_AGAIN, holding=position.holding)


def _open_done(s: Situation, taken: RequestTaken) -> RequestDone | None:
    id = s.book.state.keys.get(taken.arguments.get("key") or taken.request)
    if id is None:
        return None
    whole = _structure_opened(s, taken, id)
    if whole is not None:
        return whole
    closed = s.book.state.closed.get(id)
    if closed is not None:
        ok = closed.opened > 0 and closed.close_reason not in UNWANTED
        return RequestDone(request=taken.request, ok=ok, detail=f"{id} {_what_became_of(closed)}{closed.proof}")
    position = s.book.state.positions.get(id)
    if position is None or position.phase is not Phase.OPEN or not s.book.held(position):
        return None
    gap = cover_gap(s, position)
    if gap is not None and gap[1] < gap[0]:
        return None
    detail = f"{id} open: {position.net} at {position.entry_price}, {_in_words(s, position)}; {sources(s, position)}"
    return RequestDone(request=taken.request, ok=True, detail=detail)


def _what_became_of(closed: Position) -> str:
    """Of an opening that is over before its answer; empty where nothing had filled."""
    if not closed.opened:
        return ""
    out = f" at {closed.exit_price}" if closed.exit_price is not None else ""
    reason = f" ({closed.close_reason})" if closed.close_reason is not None else ""
    return f"was opened for {closed.opened} at {closed.entry_price} and is gone again{reason}{out}: "


def _structure_opened(s: Situation, taken: RequestTaken, id: PositionId) -> RequestDone | None:
    closed = s.book.state.closed_structures.get(id)
    if closed is not None:
        ok = closed.close_reason is not CloseReason.ROLLBACK
        legs = [position_of(s.book, leg) for leg in closed.legs]
        is_rolled_back = not ok and any(leg is not None and leg.opened for leg in legs)
        what = "was not opened whole, what had filled is closed again: " if is_rolled_back else ""
        return RequestDone(request=taken.request, ok=ok, detail=f"{id} {what}{closed.proof}")
    booked = s.book.state.structures.get(id)
    if booked is None or phase_of(s.book, booked) is not Phase.OPEN or s.book.alive.of(id):
        return None
    structure = structure_of(s.book, booked)
    cost = entry(structure)
    if broken(structure) is not None or cost is None:
        return None  # being put right, or its fills are on their way
    words = f"for {-cost} received" if cost < 0 else f"for {cost} paid"
    detail = f"{id} open: {whole_units(structure)} x {legs_text(structure.shape)} {words}, exits held by the guard"
    return RequestDone(request=taken.request, ok=True, detail=detail)


def _structure_closed(s: Situation, taken: RequestTaken, id: PositionId) -> RequestDone | None:
    closed = s.book.state.closed_structures.get(id)
    if closed is not None:
        legs = [position for leg in closed.legs if (position := position_of(s.book, leg)) is not None]
        pnl = sum((leg.pnl for leg in legs), ZERO)
        return RequestDone(request=taken.request, ok=True, detail=f"{id} closed, P&L {pnl}: {closed.proof}")
    booked = s.book.state.structures.get(id)
    if booked is None or booked.closing is not None:
        return None
    left = whole_units(structure_of(s.book, booked))
    return RequestDone(request=taken.request, ok=True, detail=f"{id} reduced to {left} units")


def _close_done(s: Situation, taken: RequestTaken) -> RequestDone | None:
    id = PositionId(taken.arguments["position"])
    if id in s.book.state.structures or id in s.book.state.closed_structures:
        return _structure_closed(s, taken, id)
    closed = s.book.state.closed.get(id)
    if closed is not None:
        detail = f"{id} closed at {closed.exit_price}, P&L {closed.pnl}: {closed.proof}"
        return RequestDone(request=taken.request, ok=True, detail=detail)
    position = s.book.state.positions.get(id)
    if position is not None and position.closing is None:
        out = f", out at {position.exit_price}, P&L so far {position.pnl}" if position.exit_price is not None else ""
        return RequestDone(request=taken.request, ok=True, detail=f"{id} reduced to {position.net}{out}")
    if position is not None and is_fraction_left(s, position):
        left = f"{id} is closed down to {position.net}: the broker takes no order for a fraction of a share"
        return RequestDone(request=taken.request, ok=False, detail=left)
    return None


def _protect_done(s: Situation, taken: RequestTaken) -> RequestDone | None:
    position = s.book.state.positions.get(PositionId(taken.arguments["position"]))
    if position is None:
        return RequestDone(request=taken.request, ok=False, detail="the position has closed meanwhile")
    cover = cover_of(s, position)
    if position.bare:
        if cover.own:
            return None
        return RequestDone(request=taken.request, ok=True, detail=f"{position.id} is bare by {taken.by}")
    gap = cover_gap(s, position)
    if cover.unsettled or (gap is not None and gap[0] != gap[1]) or list(protect(s, position)):
        return None
    return RequestDone(request=taken.request, ok=True, detail=f"{position.id} {_in_words(s, position)}")


def _in_words(s: Situation, position: Position) -> str:
    """What protects it: each stop with its quantity, and what is left to the guard."""
    cover = cover_of(s, position)
    stops = [order for order in cover.own if order.is_stop]
    parts = [f"stop {order.stop_price} for {order.remaining}" for order in stops]
    alone = sum((order.remaining for order in stops), ZERO)
    shared = cover.stopped - cover.foreign - alone if cover.several else ZERO
    for order in cover.several if shared > 0 else ():
        others = ", ".join(id for id in order.bounds if id != position.id)
        parts.append(f"stop {order.stop_price} for {shared}, shared with {others}")
    rest = s.book.held(position) - alone - shared
    if rest > 0:
        parts.append(f"exits of {rest} held by the guard")
    return ", ".join(parts)


WATCHED: Mapping[str, Callable[[Situation, RequestTaken], RequestDone | None]] = {
    "open": _open_done,
    "close": _close_done,
    "protect": _protect_done,
}
