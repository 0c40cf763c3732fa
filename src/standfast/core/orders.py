"""Build orders. Every order that may only reduce comes from `reducing`, which takes its side from a signed net.

No caller can name the side of a reducing order, so none can point the wrong way; a property test runs over
all inputs. Roll-backs, closes, stops and targets are all built here.
"""

from decimal import Decimal

from standfast.core.book import Book
from standfast.model.ids import ClientOrderId, PositionId, client_order_id
from standfast.model.journal import OrderIntended
from standfast.model.order import OrderType, Role, Side, Terms, TimeInForce, side_towards_zero
from standfast.model.position import CloseReason, Position


def reducing(
    net: Decimal,
    quantity: Decimal,
    *,
    stop_price: Decimal | None = None,
    target_price: Decimal | None = None,
    resting: bool = False,
) -> Terms:
    """An order that takes at most `quantity` off a signed net, and never more than the net itself.

    Without prices: at the market, for today. With them: resting until cancelled.
    """
    assert net != 0, "a flat net cannot be reduced"
    assert quantity > 0, quantity
    if stop_price is not None:
        kind = OrderType.STOP
    elif target_price is not None:
        kind = OrderType.LIMIT
    else:
        kind = OrderType.MARKET
    return Terms(
        side=side_towards_zero(net),
        quantity=min(quantity, abs(net)),
        type=kind,
        time_in_force=TimeInForce.GTC if resting else TimeInForce.DAY,
        limit_price=target_price if stop_price is None else None,
        stop_price=stop_price,
        target_price=target_price if stop_price is not None else None,
        reduces=True,
    )


def opening(quantity: Decimal, limit: Decimal | None, attached_stop: Decimal | None = None) -> Terms:
    """The only order that adds exposure: signed quantity, at the market or at a limit, for today.

    With an attached stop both are one order with one time in force. A market order's is until cancelled, for the
    stop's sake; a limit is good for today, and its stop is put back when it lapses with the day.
    """
    assert quantity != 0
    return Terms(
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        type=OrderType.LIMIT if limit is not None else OrderType.MARKET,
        time_in_force=TimeInForce.GTC if attached_stop is not None and limit is None else TimeInForce.DAY,
        limit_price=limit,
        attached_stop=attached_stop,
        reduces=False,
    )


def intent(  # noqa: PLR0913 - everything an intent is made of
    book: Book,
    position: Position,
    role: Role,
    terms: Terms,
    *,
    reason: str,
    replaces: ClientOrderId | None = None,
    closes_as: CloseReason | None = None,
    also: tuple[PositionId, ...] = (),
) -> OrderIntended:
    """The next intent of a position in a role; its id is derived from which attempt it is, by the journal."""
    attempt = book.next_attempt(position.id, role)
    return OrderIntended(
        id=client_order_id(book.account, position.id, role, attempt),
        position=position.id,
        role=role,
        holding=position.holding,
        terms=terms,
        attempt=attempt,
        reason=reason,
        replaces=replaces,
        closes_as=closes_as,
        also=also,
    )
