"""Keep under every position exactly the protection its policy asks for.

1. What rests for a position never exceeds what it holds: orders are added for the difference only, and
   surplus is taken away before anything is added.
2. While an exit's fate is unsettled nothing is placed beside it (what is not needed goes); a missing exit is
   replaced only after it has been read by id as finished.
3. Refused protection is tried again for ever, at growing intervals, with the guard holding the rule meanwhile;
   an opening of ours that cannot be protected is rolled back.
4. Protection is only placed against a quantity that fills (or two agreeing reads) prove.
"""

from datetime import timedelta
from decimal import Decimal

from standfast.core.book import Refusal
from standfast.core.cover import (
    NOTHING,
    Cover,
    Resting,
    cover_of,
    exits_by_group,
    group_quantity,
    is_cancelling,
    taken_by_others,
)
from standfast.core.freeing import blocking, entries_beside, waits
from standfast.core.moving import (
    KEEPS,
    LOOK_AGAIN,
    cancel,
    due_after,
    in_place,
    is_too_near,
    restore_after,
    rests_until,
)
from standfast.core.orders import intent, reducing
from standfast.core.policy import Mode
from standfast.core.results import Clarity, judge
from standfast.core.several import company_of, keep_company, leave_company, waits_in_company
from standfast.core.situation import Outcomes, Situation
from standfast.core.splits import is_restated, is_split
from standfast.core.stays import being_closed, may_stay, rests_beside_close
from standfast.core.surplus import take_surplus_away
from standfast.core.vanished import waits_for_fills
from standfast.core.wanted import size as size_of
from standfast.core.wanted import wanted_alone
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import BreakKind
from standfast.model.effects import SubmitOrder, Urgency, WakeAt
from standfast.model.journal import CloseRequested
from standfast.model.order import ZERO, OrderType, Role
from standfast.model.position import CloseReason, Position, Standing

ROLLBACK_AFTER = 3
"""Refusals in a row after which an opening of ours that has no stop is closed again."""
RENEW_BEFORE = timedelta(days=5)
"""A resting exit that ends within this time is renewed: a long weekend and two days to notice."""
TOO_MUCH_FOR = timedelta(seconds=5)
"""How long exits that others placed may cover more than is held before they are replaced."""


def protect(s: Situation, position: Position) -> Outcomes:
    """Orders that bring what rests in line with what the policy wants, one step at a time."""
    if not s.may_act:
        return
    if position.is_guarded and is_split(s, position.holding):
        yield from _take_old_away(s, position)
    elif position.holding not in s.book.state.suspended:
        yield from _let_go_of_the_old(s, position)
        company = company_of(s, position) if position.is_guarded else None
        if company is not None:
            yield from keep_company(s, position, company)
        else:
            waits = list(waits_in_company(s, position))
            yield from waits or _bring_in_line(s, position)
            yield from leave_company(s, position)


def _take_old_away(s: Situation, position: Position) -> Outcomes:
    """Stops at prices of before a split; those the broker has restated are of after it."""
    for group in exits_by_group(cover_of(s, position).own):
        if not any(is_restated(order) for order in group):
            yield from cancel(s, group, "it is of before a split")


def _let_go_of_the_old(s: Situation, position: Position) -> Outcomes:
    """Where a stop is moved by placing the new one first, cancel the old one again that a list still shows after that.

    Both may only reduce; but whoever trades beside us may open anew, and the old one would close that.
    """
    if not s.contract.reduce_only:
        return
    orders = [o for o in s.book.alive.at(position.holding) if position.id in (o.position, *o.also)]
    movers = {o.replaces: o for o in orders if o.replaces is not None and o.stage is Stage.WORKING}
    listed = {each.broker_id for each in s.orders_by_holding.get(position.holding, ())}
    for order in orders if movers else ():
        mover = movers.get(order.id)
        if mover is None or order.is_finished or order.broker_id not in listed or is_cancelling(s, order):
            continue
        if s.snapshot.orders_asked_after >= mover.number:
            yield from cancel(s, (order,), f"{mover.id} has taken its place")


def _bring_in_line(s: Situation, position: Position) -> Outcomes:
    if not position.is_guarded:
        yield from _remove(s, cover_of(s, position), "what is foreign is not protected")
        return
    held = s.book.held(position) - being_closed(s, position)
    if held < 0 or not may_size(s, position):
        return
    wanted = wanted_alone(s, position)
    cover = cover_of(s, position)
    if cover.unknown:
        return
    if cover.unsettled:
        yield from take_surplus_away(s, cover, held)
        return
    size = size_of(s, held)
    if cover.stopped >= size and being_closed(s, position) and rests_beside_close(s, position, cover):
        return  # it goes, or shrinks, when the close is over
    if wanted.is_none or size <= 0:
        yield from _remove(s, cover, "not wanted any more")
    else:
        yield from _adjust(s, position, cover, wanted, size)


def _adjust(s: Situation, position: Position, cover: Cover, wanted: Resting, size: Decimal) -> Outcomes:
    own = exits_by_group(cover.own)
    resting = sum((group_quantity(group) for group in own), ZERO)
    surplus = resting + cover.foreign - size
    too_much = surplus + cover.reserved if own else surplus
    if too_much > 0:
        yield from _shrink(s, position, own, too_much, wanted)
        if surplus > resting:
            yield from _shrink_tied(s, position, cover, surplus - resting)
        return
    moved = [group for group in own if _differs(group, wanted) or _ages(s, group)]
    if moved:
        yield from _move(s, position, moved[0], wanted)
        return
    if surplus < 0:
        taken = sum((each.quantity for each in blocking(s, position) if not each.stops), cover.reserved)
        taken += taken_by_others(s, position)
        room = min(-surplus, size_of(s, s.book.held(position) - resting - cover.foreign - taken))
        doubt = list(waits_for_fills(s, position)) if room > 0 else []
        yield from doubt
        if room > 0 and not any(isinstance(each, WakeAt) for each in doubt):
            yield from _add(s, position, wanted, s.instrument(position.holding).at_most(room))


def _differs(group: tuple[BookedOrder, ...], wanted: Resting) -> bool:
    """Whether a resting exit no longer asks for what is wanted."""
    stops = [order for order in group if order.is_stop]
    targets = [order for order in group if order.type is OrderType.LIMIT]
    if bool(stops) != (wanted.stop is not None) or bool(targets) != (wanted.target is not None):
        return True
    if any(order.stop_price != wanted.stop for order in stops):
        return True
    return any(order.report is not None and order.report.limit_price != wanted.target for order in targets)


def _ages(s: Situation, group: tuple[BookedOrder, ...]) -> bool:
    """Brokers age resting orders out: one that will soon be gone is placed anew while it still protects.

    By the broker's clock, and so not before that was read.
    """
    if s.snapshot.clock is None or any(s.now - order.intended_at < timedelta(days=1) for order in group):
        return False  # a fresh one that ends so soon cannot be made to last by placing it anew
    ends = [order.report.expires_at for order in group if order.report is not None and order.report.expires_at]
    return bool(ends) and min(ends) - s.broker_now < RENEW_BEFORE


def _move(s: Situation, position: Position, group: tuple[BookedOrder, ...], wanted: Resting) -> Outcomes:
    """Change a resting exit in place where the broker can; else take it away, and `_add` follows next cycle.

    What rests is never taken away for a stop that the broker would refuse for its price, as it has said or as the price
    shows: the old one bounds the loss meanwhile, and the loop watches the new level. Nor while nothing gets through.
    """
    refusal = s.book.state.refusals.get(position.id)
    if refusal is not None and s.now < due_after(refusal):
        yield WakeAt(at=due_after(refusal), holding=position.holding)
        return
    if is_too_near(s, position, wanted.stop):
        yield WakeAt(at=s.now + LOOK_AGAIN, holding=position.holding)
        return
    only = group[0]
    simple = len(group) == 1 and only.is_stop and wanted.stop is not None and wanted.target is None
    may_replace = simple and s.contract.native_replace and only.broker_id is not None
    rests = rests_until(only, wanted, in_place=may_replace)
    if s.now < rests:
        yield WakeAt(at=rests, holding=position.holding)
        return
    keeps = refusal is not None and refusal.kind in KEEPS
    if not may_replace or (refusal is not None and not keeps):
        if not keeps:
            yield from cancel(s, group, "to be placed anew at other prices")
        return
    yield in_place(s, position, only, only.remaining, wanted, reason=f"stop from {only.stop_price} to {wanted.stop}")


def _shrink(
    s: Situation, position: Position, own: list[tuple[BookedOrder, ...]], surplus: Decimal, wanted: Resting
) -> Outcomes:
    """Take away whole exits until no more than the position is covered; what is then missing is added anew.

    Where both may rest for a moment because they only reduce, the last one is made less in place.
    """
    for group in reversed(own):
        if surplus <= 0:
            return
        quantity = group_quantity(group)
        if quantity > surplus and _can_be_less(s, position, group, wanted):
            yield from _make_less(s, position, group[0], quantity - surplus, wanted)
            return
        yield from cancel(s, group, f"covers {surplus} more than is held")
        surplus -= quantity


def _can_be_less(s: Situation, position: Position, group: tuple[BookedOrder, ...], wanted: Resting) -> bool:
    """Whether a part of it can be taken off in place, and the broker has not refused that."""
    is_simple = len(group) == 1 and group[0].is_stop and group[0].broker_id is not None and wanted.target is None
    refusal = s.book.state.refusals.get(position.id)
    refused = refusal is not None and refusal.kind not in KEEPS
    return may_stay(s) and s.contract.native_replace and is_simple and wanted.stop is not None and not refused


def _make_less(s: Situation, position: Position, order: BookedOrder, quantity: Decimal, wanted: Resting) -> Outcomes:
    refusal = s.book.state.refusals.get(position.id)
    if refusal is not None and s.now < due_after(refusal):
        yield WakeAt(at=due_after(refusal), holding=position.holding)
    elif is_too_near(s, position, wanted.stop):
        yield WakeAt(at=s.now + LOOK_AGAIN, holding=position.holding)
    else:
        yield in_place(s, position, order, quantity, wanted, reason=f"{quantity} is left of {order.remaining}")


def _shrink_tied(s: Situation, position: Position, cover: Cover, surplus: Decimal) -> Outcomes:
    """Take away exits that others placed and that have covered too much for a while; ours of the right size follow.

    Filled, they would turn the position around; working, they hold the quantity that another position here needs.
    Their tie makes them ours to correct. Not at once: a target that fills in parts shrinks its stop a moment later.
    """
    kind = BreakKind.OVER_COVERED
    breaks = s.book.breaks_at(position.holding)
    found = next((b for b in breaks if b.finding.kind is kind and b.finding.subject == position.id), None)
    if found is None or not found.confirmed or s.rules.mode_for(kind) is not Mode.REPAIR:
        return
    due = found.first_seen + TOO_MUCH_FOR
    if s.now < due:
        yield WakeAt(at=due, holding=position.holding)
    else:
        yield from _shrink(s, position, exits_by_group(cover.tied), surplus, NOTHING)


def _remove(s: Situation, cover: Cover, reason: str) -> Outcomes:
    for group in exits_by_group(cover.own):
        yield from cancel(s, group, reason)


def _add(s: Situation, position: Position, wanted: Resting, quantity: Decimal) -> Outcomes:
    refusal = s.book.state.refusals.get(position.id)
    if refusal is not None and refusal.kind == "wash_trade" and position.closing is None:
        entries = entries_beside(s, position)
        if entries:  # our own entries still work on the other side: what has filled comes first
            for entry in entries:
                yield from cancel(s, (entry,), f"it stands in the way of the stop of {position.id}")
            return
    if refusal is not None:
        is_through = refusal.kind == "price" and _is_through(s, position, wanted.stop, refusal.count)
        if position.closing is None and (is_through or _gives_up(position, refusal)):
            yield _close_instead(position, refusal.kind, refusal.reason)
            return
        due = due_after(refusal)
        if s.now < due:
            yield WakeAt(at=due, holding=position.holding)
            return
    edits = s.book.state.edits.get(position.id)
    if edits is not None and s.now < edits.at + restore_after(edits.count):
        yield WakeAt(at=edits.at + restore_after(edits.count), holding=position.holding)
        return
    terms = reducing(
        position.sign * quantity, quantity, stop_price=wanted.stop, target_price=wanted.target, resting=True
    )
    role = Role.STOP if wanted.stop is not None else Role.TARGET
    made = intent(
        s.book,
        position,
        role,
        terms,
        reason=f"{quantity} of {position.sign * s.book.held(position)} without cover",
        closes_as=wanted.reason,
    )
    yield SubmitOrder(intent=made, urgency=Urgency.PROTECT)


def _is_through(s: Situation, position: Position, stop: Decimal | None, refusals: int) -> bool:
    """Whether our own eyes agree that the price is through the stop: a broker may judge by a price of yesterday.

    Of a quote too wide to be trusted it takes the side one would close at, and the broker's word twice.
    """
    if not s.in_session or position.bare_adopted or not is_too_near(s, position, stop):
        return False
    return refusals > 1 or judge(s, position, s.policy(position)).clarity is Clarity.CLEAR


def _gives_up(position: Position, refusal: Refusal) -> bool:
    """Whether an opening of ours is rolled back for want of a stop. A stop that is merely too near is tried on."""
    return position.standing is Standing.OWNED and refusal.kind != "price" and refusal.count >= ROLLBACK_AFTER


def _close_instead(position: Position, kind: str, reason: str) -> CloseRequested:
    because = CloseReason.STOP_LOSS if kind == "price" else CloseReason.ROLLBACK
    return CloseRequested(position=position.id, reason=because, by="guard", detail=f"its stop was refused: {reason}")


def may_size(s: Situation, position: Position) -> bool:
    """Whether exits may be placed beside a close: not while its quantity is being freed for it.

    They may for what a close on its way leaves, and for everything while a close waits: for its next try, for the
    open, for what blocks it to go away.
    """
    closing = position.closing
    return closing is None or being_closed(s, position) > 0 or waits(s, position, closing)
