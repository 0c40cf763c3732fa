"""What protects a position, counted from every order that could: own and foreign, nested legs and conditional ones.

Cover is what stops, summed over orders that are alive; an OCO pair counts once. An order of a type we do not
know, on the closing side, is taken to cover everything: nothing may be added beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from standfast.core.bounding import bounded_by
from standfast.core.covering import covers
from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Levels, levels_of
from standfast.core.situation import Situation
from standfast.model.booked import BookedOrder, Stage
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, PositionId
from standfast.model.order import STOP_TYPES, ZERO, OrderReport, OrderState, OrderType, Role
from standfast.model.position import CloseReason, Position, Standing
from standfast.model.structure import Structure

TRIGGERED_LIMIT = timedelta(seconds=5)
"""A stop that has fired and not filled for this long covers nothing any more."""

CANCEL_AGAIN_MAX = timedelta(seconds=10)
UNHEARD = timedelta(seconds=1.5)
"""How long after a cancel its order may stay unread before the broker's own check is relied on instead."""


class Resting(NamedTuple):
    """The exits a policy wants at the broker for one position, as prices."""

    stop: Decimal | None
    target: Decimal | None
    reason: CloseReason | None = None
    """Why the stop closes if it fills."""

    @property
    def is_none(self) -> bool:
        return self.stop is None and self.target is None


NOTHING = Resting(stop=None, target=None)


def resting_of(s: Situation, position: Position) -> Resting:
    """Which exits shall rest for a position of the book now, figured once for each look."""
    return s.once(
        ("resting", position.id), lambda: wanted_resting(s, position, s.policy(position), levels_of(s, position))
    )


def wanted_resting(s: Situation, position: Position, policy: Policy, at: Levels) -> Resting:
    """Which exits shall rest at the broker now; the rest is the loop's."""
    if position.bare or policy.held_by is HeldBy.GUARD or not may_go_alone(s, position):
        return NOTHING
    if is_too_young(s, position, policy):
        return Resting(stop=at.emergency, target=None, reason=CloseReason.EMERGENCY_STOP)
    if policy.held_by is HeldBy.BOTH:
        return Resting(stop=at.outermost, target=None, reason=at.outermost_reason)
    has_stop = at.stop is not None or at.emergency is not None
    target = at.target if s.contract.oco or not has_stop else None  # two exits that are no pair would cover twice
    if at.stop is not None:
        return Resting(stop=at.stop, target=target, reason=at.stop_reason)
    return Resting(stop=at.emergency, target=target, reason=CloseReason.EMERGENCY_STOP)


def may_go_alone(s: Situation, position: Position) -> bool:
    """Whether nothing that is sold beside it would be left without a bound."""
    return bounded_by(s, position) is None and not covers(s, position)


def is_too_young(s: Situation, held: Position | Structure, policy: Policy) -> bool:
    """Whether the minimum hold still runs."""
    if held.opened_at is None or not policy.minimum_hold:
        return False
    return s.broker_now - held.opened_at < policy.minimum_hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What rests for one position. `own` are alive exits we placed; `stopped` is the quantity stops protect."""

    own: tuple[BookedOrder, ...]
    tied: tuple[BookedOrder, ...]
    stopped: Decimal
    foreign: Decimal
    """Part of `stopped` that others placed."""
    reserved: Decimal
    """What others' targets hold of what they opened, beside their stops: none of ours can rest for it."""
    loose: tuple[OrderReport, ...]
    """Listed exits on the holding tied to no position."""
    stop_prices: tuple[Decimal, ...]
    """Where the stops stand that make it up, loose foreign ones included."""
    unknown: bool
    unsettled: bool
    several: tuple[BookedOrder, ...] = ()
    """Stops of ours for several positions, this one among them; `stopped` has its part of them."""


def cover_of(s: Situation, position: Position) -> Cover:
    """The cover of a position as it stands in the book."""
    return s.once(("cover", position.id), lambda: _with_shared(s, position, _cover(s, position)))


def _cover(s: Situation, position: Position) -> Cover:
    own: list[BookedOrder] = []
    tied: list[BookedOrder] = []
    stopped = ZERO
    unknown = unsettled = False
    followed = _followed(s, position.holding)
    for order in s.book.alive.of(position.id):
        if order.is_finished or order.role is Role.OPEN or order.side.sign == position.sign or order.also:
            continue
        if is_let_go(s, order):
            continue
        if order.id in followed:  # the pair counts once, by its new order, until the old one is seen replaced
            unsettled = True
            continue
        if order.state is OrderState.HELD and _waits_for_entry(s, order):
            continue
        if order.role is Role.FOREIGN:
            tied.append(order)
            unsettled = unsettled or is_cancelling(s, order)
            unknown = unknown or order.type is OrderType.UNKNOWN
            continue
        if order.role in (Role.STOP, Role.TARGET):
            own.append(order)
            # One that works before its entry is known to be over shows that this has filled, and is not read yet.
            unsettled = unsettled or not order.is_settled or is_cancelling(s, order) or _waits_for_entry(s, order)
            stopped += order.remaining if is_in_force(s, order) else ZERO
    loose = _loose_exits(s, position)
    share = _share_of_loose(s, position, loose) if loose else ZERO
    prices = [order.stop_price for order in (*own, *tied) if order.is_stop]
    prices += _stop_prices(loose) if share else []
    foreign = _by_others(s, position, tied) + share
    return Cover(
        own=tuple(own),
        tied=tuple(tied),
        stopped=stopped + foreign,
        foreign=foreign,
        reserved=_reserved(s, position, tuple(tied)) if tied else ZERO,
        loose=tuple(loose),
        stop_prices=tuple(price for price in prices if price is not None),
        unknown=unknown or any(report.type is OrderType.UNKNOWN for report in loose),
        unsettled=unsettled,
    )


def _by_others(s: Situation, position: Position, tied: Sequence[BookedOrder]) -> Decimal:
    """What stops of others protect of it: one that may only reduce may ask for all lots, and takes what is held."""
    asked = {True: ZERO, False: ZERO}
    for order in (each for each in tied if is_in_force(s, each)):
        asked[s.contract.reduce_only and order.report is not None and order.report.closes is True] += order.remaining
    return asked[False] + min(asked[True], max(s.book.held(position), ZERO))


def _with_shared(s: Situation, position: Position, alone: Cover) -> Cover:
    several = tuple(order for order in for_several(s, position.holding) if position.id in order.bounds)
    if not several:
        return alone
    prices = tuple(order.stop_price for order in several if order.stop_price is not None)
    return replace(
        alone,
        stopped=alone.stopped + _shares(s, position.holding).get(position.id, ZERO),
        stop_prices=(*alone.stop_prices, *prices),
        unsettled=alone.unsettled or any(not each.is_settled or is_cancelling(s, each) for each in several),
        several=several,
    )


def for_several(s: Situation, holding: Holding) -> list[BookedOrder]:
    """Stops of ours here that are each for several positions; of one that is being replaced only what takes its place,
    once that works."""

    def found() -> list[BookedOrder]:
        orders = [order for order in s.book.alive.at(holding) if order.also and not order.is_finished]
        followed = _followed(s, holding) if orders else frozenset()
        return [order for order in orders if order.id not in followed]

    return s.once(("several", holding), found)


def _followed(s: Situation, holding: Holding) -> frozenset[ClientOrderId]:
    """Orders whose place another has taken that works."""

    def found() -> frozenset[ClientOrderId]:
        orders = s.book.alive.at(holding)
        return frozenset(each.replaces for each in orders if each.replaces is not None and each.stage is Stage.WORKING)

    return s.once(("followed", holding), found)


def _shares(s: Situation, holding: Holding) -> Mapping[PositionId, Decimal]:
    """What stops for several protect of each position, beside what rests for it alone."""

    def found() -> Mapping[PositionId, Decimal]:
        shares: dict[PositionId, Decimal] = {}
        for order in for_several(s, holding):
            left = order.remaining if is_in_force(s, order) else ZERO
            for position in bounded(s, order):
                alone = stopped_alone(s, position) + shares.get(position.id, ZERO)
                share = min(left, max(s.book.held(position) - alone, ZERO))
                shares[position.id] = shares.get(position.id, ZERO) + share
                left -= share
        return shares

    return s.once(("shares", holding), found)


def bounded(s: Situation, order: BookedOrder) -> list[Position]:
    """The positions that a stop for several is for, as far as they are still held."""
    return [s.book.state.positions[id] for id in order.bounds if id in s.book.state.positions]


def stopped_alone(s: Situation, position: Position) -> Decimal:
    """What stops protect that are tied to this position and to no other."""
    followed = _followed(s, position.holding)
    orders = (each for each in s.book.alive.of(position.id) if not each.also and each.id not in followed)
    return sum((each.remaining for each in orders if each.side.sign != position.sign and is_in_force(s, each)), ZERO)


def _reserved(s: Situation, position: Position, tied: tuple[BookedOrder, ...]) -> Decimal:
    """An opening of ours is another matter: what cannot be protected is closed, and what is tied to it gives way."""
    if not s.contract.reserves_quantity or position.standing is Standing.OWNED:
        return ZERO
    beside = (
        group_quantity(group) - sum((order.remaining for order in group if is_in_force(s, order)), ZERO)
        for group in exits_by_group(tied)
    )
    return sum((max(each, ZERO) for each in beside), ZERO)


def exits_by_group(own: tuple[BookedOrder, ...]) -> list[tuple[BookedOrder, ...]]:
    """Exits that share one quantity: an OCO parent with its stop leg, or a plain order alone."""
    groups: dict[str, list[BookedOrder]] = {}
    for order in own:
        groups.setdefault(order.parent or order.id, []).append(order)
    return [tuple(group) for group in groups.values()]


def group_quantity(group: tuple[BookedOrder, ...]) -> Decimal:
    """What one group may take: its orders share it."""
    return max(order.remaining for order in group)


def taken_by_others(s: Situation, position: Position) -> Decimal:
    """What exits and closes of ours for others here may take beyond what those hold: it would come off this position.

    So it is while one in doubt is of a time when more was held. What is to take the place of another adds nothing.
    """
    beside: dict[PositionId | None, list[BookedOrder]] = {}
    orders = [order for order in s.book.alive.at(position.holding) if not order.also]
    followed = {order.replaces for order in orders if order.stage is Stage.WORKING}
    for order in orders:
        is_other = order.reduces and order.side.sign != position.sign and order.position != position.id
        waits = order.state is OrderState.HELD and _waits_for_entry(s, order)
        moves = order.id in followed or (order.replaces is not None and not order.is_settled)
        if is_other and not (order.is_finished or waits or moves or is_let_go(s, order)):
            beside.setdefault(order.position, []).append(order)
    shared = (order for order in for_several(s, position.holding) if position.id not in order.bounds)
    together = sum((_beyond_all(s, order) for order in shared), ZERO)
    return together + sum((_beyond(s, id, tuple(orders)) for id, orders in beside.items()), ZERO)


def _beyond(s: Situation, id: PositionId | None, orders: tuple[BookedOrder, ...]) -> Decimal:
    position = s.book.state.positions.get(id) if id is not None else None
    held = s.book.held(position) if position is not None else ZERO
    return max(sum((group_quantity(group) for group in exits_by_group(orders)), ZERO) - held, ZERO)


def _beyond_all(s: Situation, order: BookedOrder) -> Decimal:
    """What a stop for several takes beyond what they hold: less, if some have closed a moment ago."""
    return max(order.remaining - sum((s.book.held(each) for each in bounded(s, order)), ZERO), ZERO)


def is_cancelling(s: Situation, order: BookedOrder) -> bool:
    """Whether a cancel is under way. One that has not ended the order in time may never have arrived: ask again."""
    if order.cancel_at is None or order.is_finished or is_let_go(s, order):
        return False
    if order.state is OrderState.PENDING and order.changed_at > order.cancel_at:
        return True  # received: outside the session it may take until the open
    return s.now < order.cancel_at + cancel_again_after(order.cancels)


def is_let_go(s: Situation, order: BookedOrder) -> bool:
    """Whether an exit that was to be cancelled, and that nobody has been able to read since, counts for nothing.

    Only where the broker itself refuses a closing order for more than is held and free: should the exit live or have
    filled, what is sent in its place is refused, and that is the answer. Else a broker that cannot be read would leave
    the position bare, neither closed nor covered, for as long as that lasts.
    """
    if order.is_finished or not s.contract.checks_closing or (order.cancel_at is None and order.parent is None):
        return False
    parent = s.book.state.orders.get(order.parent) if order.parent is not None else None
    if order.cancel_at is None:  # the leg of a pair goes with its parent
        if parent is None or parent.is_together:
            return False
        return parent.side is order.side and is_let_go(s, parent)
    since = max(order.cancel_at, s.book.state.started_at or order.cancel_at)  # what was read before is not remembered
    if s.now < since + UNHEARD or order.changed_at > order.cancel_at:
        return False
    asked = max((s.heard[id] for id in (order.id, order.parent) if id is not None and id in s.heard), default=None)
    is_read = asked is not None and asked >= order.cancel_at
    return not is_read and not (s.orders_listed_after(order.number) and is_listed(s, order))


def cancel_again_after(cancels: int) -> timedelta:
    """Two seconds after the first, doubling to ten."""
    return min(timedelta(seconds=2 ** min(cancels, 4)), CANCEL_AGAIN_MAX)


def stands_alone(s: Situation, order: BookedOrder) -> bool:
    """Whether it must be read by its own id: a leg is read with its parent for as long as that works."""
    parent = s.book.state.orders.get(order.parent) if order.parent is not None else None
    return parent is None or parent.is_finished


def is_listed(s: Situation, order: BookedOrder) -> bool:
    """Whether the last complete list of working orders shows it, on its own or as a leg."""
    read = s.snapshot.orders
    if read is None or order.broker_id is None:
        return False
    if order.broker_id in read.orders:
        return True
    parent = s.book.state.orders.get(order.parent) if order.parent is not None else None
    return parent is not None and parent.broker_id is not None and parent.broker_id in read.orders


def is_in_force(s: Situation, order: BookedOrder) -> bool:
    """Whether it is a stop that bounds a loss now."""
    if not order.is_stop or not order.is_settled or is_cancelling(s, order):
        return False
    report = order.report
    if report is not None and report.triggered and s.now - order.changed_at > TRIGGERED_LIMIT:
        return False
    return order.state is not OrderState.HELD or not _waits_for_entry(s, order)


def _waits_for_entry(s: Situation, order: BookedOrder) -> bool:
    """A stop inside an opening bracket protects nothing until its entry is done; beside a target it does."""
    parent = s.book.state.orders.get(order.parent) if order.parent is not None else None
    if parent is None or parent.is_together:
        return False
    return parent.side is not order.side and not parent.is_finished


def _loose_exits(s: Situation, position: Position) -> list[OrderReport]:
    return [report for report in s.orders_by_holding.get(position.holding, ()) if _is_loose_exit(s, position, report)]


def _is_loose_exit(s: Situation, position: Position, report: OrderReport) -> bool:
    """A listed order on the closing side that is tied to no position."""
    return report.side.sign != position.sign and not is_known(s, report.broker_id)


def _share_of_loose(s: Situation, position: Position, loose: Sequence[OrderReport]) -> Decimal:
    """Loose exits are shared out, oldest position first, to what has no stop yet."""
    pool = sum((_stopping(report) for report in loose), ZERO)
    for other in s.book.guarded_at(position.holding) if pool else ():
        if other.standing is Standing.OWNED:
            continue
        share = min(pool, max(s.book.held(other) - tied_cover(s, other), ZERO))
        if other.id == position.id:
            return share
        pool -= share
    return ZERO


def _stop_prices(reports: Iterable[OrderReport]) -> list[Decimal | None]:
    return [each.stop_price for report in reports for each in (report, *report.legs) if each.type in STOP_TYPES]


def tied_cover(s: Situation, position: Position) -> Decimal:
    """What the stops tied to a position protect, whoever placed them."""
    return s.once(("tied", position.id), lambda: _tied_cover(s, position))


def _tied_cover(s: Situation, position: Position) -> Decimal:
    return stopped_alone(s, position) + _shares(s, position.holding).get(position.id, ZERO)


def has_strangers(s: Situation, holding: Holding) -> bool:
    """Whether somebody else's quantity is held here too: exits that nobody ties to ours may then be theirs."""
    foreign = any(not position.is_guarded and position.held for position in s.book.positions_at(holding))
    return foreign or bool(s.book.state.acknowledged.get(holding))


def _stopping(report: OrderReport) -> Decimal:
    if report.type in STOP_TYPES:
        return report.remaining
    return sum((_stopping(leg) for leg in report.legs if leg.side is report.side), ZERO)


def is_known(s: Situation, broker_id: BrokerOrderId) -> bool:
    """Tied to a position, or to one that has closed since the list was made."""
    order = s.book.order_by_broker(broker_id)
    return (order is not None and order.position is not None) or broker_id in s.book.state.retired
