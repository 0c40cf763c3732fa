"""A position's own stops: set on the position or asked for with the order that opens it, gone when it is gone.

Each is an order with a role; a stop for the whole position has no quantity of its own and there is one of each role,
one for a part has its quantity and there may be many.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from standfast.exchange.orders import Side
from standfast.exchange.perpetual.admission import check_side
from standfast.exchange.perpetual.floor import Floor
from standfast.exchange.perpetual.lifecycle import Lifecycle
from standfast.exchange.perpetual.orders import (
    ZERO,
    Attached,
    Ended,
    Kind,
    Order,
    PriceBy,
    Role,
    Ticket,
    Trail,
    Trigger,
)
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.perpetual.refusal import No, PerpetualRefused

PART_OF = {Role.STOP_LOSS: Role.PARTIAL_STOP_LOSS, Role.TAKE_PROFIT: Role.PARTIAL_TAKE_PROFIT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client wants of a position's stops. None leaves one as it is, a price or distance of zero ends it."""

    stop_loss: Attached | None = None
    take_profit: Attached | None = None
    trail: Trail | None = None

    @property
    def parts(self) -> tuple[tuple[Role, Attached], ...]:
        both = ((Role.STOP_LOSS, self.stop_loss), (Role.TAKE_PROFIT, self.take_profit))
        return tuple((role, attached) for role, attached in both if attached is not None)


class Stops:
    def __init__(self, floor: Floor, lifecycle: Lifecycle) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        lifecycle.on_opened.append(self._attach)

    def of(self, account: str, instrument: str, index: int) -> dict[Role, Order]:
        """The stops for the whole position, by role."""
        found = self._floor.unfinished_of(account, instrument)
        return {
            order.role: order
            for order in found
            if order.index == index and order.role in (Role.STOP_LOSS, Role.TAKE_PROFIT, Role.TRAILING_STOP)
        }

    def set(self, account: str, instrument: str, index: int, wish: Wish) -> None:
        """All of it or, refused, nothing."""
        contract = self._floor.contract(instrument)
        position = self._floor.accounts[account].position(contract, index)
        if position.side is None:
            raise PerpetualRefused(No.NO_POSITION, "can not set tp/sl/ts for zero position")
        for role, attached in wish.parts:
            base = self._floor.price(instrument, attached.by)
            if attached.price and base is not None:
                check_side(attached, is_loss=role is Role.STOP_LOSS, side=position.side, base=base)
        if not self._changes(account, instrument, index, wish):
            raise PerpetualRefused(No.STOPS_UNCHANGED, "not modified")
        self._check_parts(position, wish)
        for role, attached in wish.parts:
            self._set_one(position, role, attached)
        if wish.trail is not None:
            self._set_trail(position, wish.trail)
        self._floor.tell_position(account, instrument, index)

    def _check_parts(self, position: Position, wish: Wish) -> None:
        new = sum(1 for _, attached in wish.parts if attached.quantity is not None)
        orders = self._floor.unfinished_of(position.account, position.instrument)
        standing = sum(1 for order in orders if order.index == position.index and order.role in PART_OF.values())
        if new and standing + new > self._floor.rules.partial_max:
            raise PerpetualRefused(No.TOO_MANY_PARTS)

    def _changes(self, account: str, instrument: str, index: int, wish: Wish) -> bool:
        standing = self.of(account, instrument, index)
        for role, attached in wish.parts:
            order = standing.get(role)
            if attached.quantity is not None or _shape(order) != (_wanted(attached) if attached.price else None):
                return True
        if wish.trail is None:
            return False
        trailing = standing.get(Role.TRAILING_STOP)
        asked = wish.trail.distance
        return asked != (ZERO if trailing is None or trailing.ticket.trail is None else trailing.ticket.trail.distance)

    def _set_one(self, position: Position, role: Role, attached: Attached) -> None:
        if attached.quantity is not None:
            self._place(position, PART_OF[role], attached)
            return
        standing = self.of(position.account, position.instrument, position.index).get(role)
        if not attached.price:
            if standing is not None:
                self._lifecycle.finish(standing, Ended.BY_CLIENT)
        elif standing is None:
            self._place(position, role, attached)
        elif _shape(standing) != _wanted(attached):
            self._lifecycle.amended(standing, self._ticket(position, role, attached))

    def _place(self, position: Position, role: Role, attached: Attached) -> None:
        self._lifecycle.place(position.account, self._ticket(position, role, attached), role)

    def _ticket(self, position: Position, role: Role, attached: Attached) -> Ticket:
        is_loss = role in (Role.STOP_LOSS, Role.PARTIAL_STOP_LOSS)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        return Ticket(
            instrument=position.instrument,
            side=side,
            quantity=attached.quantity,
            kind=Kind.MARKET if attached.limit_price is None else Kind.LIMIT,
            price=attached.limit_price,
            index=position.index,
            reduce_only=True,
            close_on_trigger=True,
            trigger=Trigger(price=attached.price, rises=is_loss == (side is Side.BUY), by=attached.by),
        )

    def _set_trail(self, position: Position, trail: Trail) -> None:
        standing = self.of(position.account, position.instrument, position.index).get(Role.TRAILING_STOP)
        if standing is not None:
            self._lifecycle.finish(standing, Ended.BY_CLIENT)
        if not trail.distance:
            return
        side = Side.SELL if position.quantity > 0 else Side.BUY
        rises = side is Side.BUY
        best = trail.activates_at or self._floor.price(position.instrument, PriceBy.LAST) or ZERO
        ticket = Ticket(
            instrument=position.instrument,
            side=side,
            quantity=None,
            index=position.index,
            reduce_only=True,
            close_on_trigger=True,
            trigger=waiting_trigger(trail, best, rises=rises),
            trail=trail,
        )
        self._lifecycle.place(position.account, ticket, Role.TRAILING_STOP)

    def _attach(self, order: Order, opened: Decimal) -> None:
        """What the opening order asked for, for as much as it has opened."""
        contract = self._floor.contract(order.instrument)
        position = self._floor.accounts[order.account].position(contract, order.index)
        wish = Wish(stop_loss=order.ticket.stop_loss, take_profit=order.ticket.take_profit)
        for role, attached in wish.parts:
            if not attached.price:
                continue  # taken away again before it opened
            part = None if attached.quantity is None else opened
            self._set_one(position, role, replace(attached, quantity=part))
        if wish.parts:
            self._floor.tell_position(order.account, order.instrument, order.index)


def waiting_trigger(trail: Trail, best: Decimal, *, rises: bool, by: PriceBy = PriceBy.LAST) -> Trigger:
    """Where a trailing stop begins; it moves with the first price that counts."""
    return Trigger(price=trail.behind(best, rises=rises), rises=rises, by=by)


_Shape = tuple[Decimal, PriceBy, Decimal | None]


def _shape(order: Order | None) -> _Shape | None:
    if order is None or order.ticket.trigger is None:
        return None
    return order.ticket.trigger.price, order.ticket.trigger.by, order.ticket.price


def _wanted(attached: Attached) -> _Shape:
    return attached.price, attached.by, attached.limit_price
