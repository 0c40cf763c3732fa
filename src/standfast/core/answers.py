"""When an operator's act is done and proven, and what its operator is told."""

from collections.abc import Callable, Iterator, Mapping

from standfast.core.cover import cover_of
from standfast.core.protect import protect
from standfast.core.reconcile import cover_gap
from standfast.core.situation import Outcome, Situation
from standfast.model.ids import PositionId
from standfast.model.journal import RequestDone, RequestTaken
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Phase, Position


def finish_acts(s: Situation) -> Iterator[Outcome]:
    """Answer every watched request whose outcome is known."""
    for taken in list(s.book.state.requests.values()):
        done = WATCHED[taken.verb](s, taken) if taken.verb in WATCHED else None
        if done is not None:
            yield done


def _open_done(s: Situation, taken: RequestTaken) -> RequestDone | None:
    id = s.book.state.keys.get(taken.arguments.get("key") or taken.request)
    if id is None:
        return None
    closed = s.book.state.closed.get(id)
    if closed is not None:
        return RequestDone(
            request=taken.request,
            ok=closed.opened > 0 and closed.close_reason is not CloseReason.ROLLBACK,
            detail=f"{id} {closed.proof}",
        )
    position = s.book.state.positions.get(id)
    if position is None or position.phase is not Phase.OPEN:
        return None
    gap = cover_gap(s, position)
    if gap is not None and gap[1] < gap[0]:
        return None
    detail = f"{id} open: {position.net} at {position.entry_price}, {_in_words(s, position)}"
    return RequestDone(request=taken.request, ok=True, detail=detail)


def _close_done(s: Situation, taken: RequestTaken) -> RequestDone | None:
    id = PositionId(taken.arguments["position"])
    closed = s.book.state.closed.get(id)
    if closed is not None:
        detail = f"{id} closed at {closed.exit_price}, P&L {closed.pnl}: {closed.proof}"
        return RequestDone(request=taken.request, ok=True, detail=detail)
    position = s.book.state.positions.get(id)
    if position is not None and position.closing is None:
        out = f", out at {position.exit_price}, P&L so far {position.pnl}" if position.exit_price is not None else ""
        return RequestDone(request=taken.request, ok=True, detail=f"{id} reduced to {position.net}{out}")
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
    stops = [order for order in cover_of(s, position).own if order.is_stop]
    rest = s.book.held(position) - sum((order.remaining for order in stops), ZERO)
    parts = [f"stop {order.stop_price} for {order.remaining}" for order in stops]
    if rest > 0:
        parts.append(f"exits of {rest} held by the guard")
    return ", ".join(parts)


WATCHED: Mapping[str, Callable[[Situation, RequestTaken], RequestDone | None]] = {
    "open": _open_done,
    "close": _close_done,
    "protect": _protect_done,
}
