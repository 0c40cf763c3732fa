"""Claims that several drills make, and what they count."""

from decimal import Decimal

from standfast.drills.stage import Stage
from standfast.drills.words import name_of
from standfast.exchange.orders import STOPS, Order
from standfast.model.ids import is_own


def cover_told(stage: Stage, instrument: str) -> str:
    return f"{stage.truth.net(instrument)} held, {stage.truth.cover(instrument)} covered"


def is_covered(stage: Stage, instrument: str) -> bool:
    """Something is held, and stops are live for exactly that."""
    net = stage.truth.net(instrument)
    return net != 0 and stage.truth.cover(instrument) == abs(net)


def covered(stage: Stage, instrument: str, when: str) -> None:
    stage.claim(
        f"{when} {instrument} is covered for exactly its quantity",
        cover_told(stage, instrument),
        holds=is_covered(stage, instrument),
    )


def ends_at_stop(stage: Stage, most: int) -> None:
    """However far the price went, no more than this was lost (the stop's distance, and a step of the price)."""
    lost = -stage.truth.result
    stage.claim("the loss ends at the stop", f"lost {lost:.2f}, at most {most} allowed", holds=lost <= most)


def never_beyond(stage: Stage, instrument: str, least: int, most: int) -> None:
    """What was held stayed between these two, signed."""
    kept = stage.truth.kept(instrument)
    stage.claim(
        f"the account never held less than {least} or more than {most} {instrument}",
        f"held between {kept.least} and {kept.most}",
        holds=least <= kept.least and kept.most <= most,
    )


def never_over_covered(stage: Stage, instrument: str) -> None:
    over = stage.truth.kept(instrument).most_over
    stage.claim("stops never covered more than was held", f"at most {over} more", holds=over <= 0)


def naked_at_most(stage: Stage, instrument: str, seconds: float) -> None:
    """The longest stretch in which less than the position was covered."""
    longest = stage.truth.kept(instrument).naked.total_seconds()
    stage.claim(
        f"{instrument} was never without full cover for more than {seconds:g} s",
        f"longest {longest:.3f} s",
        holds=longest <= seconds,
    )


def flat(stage: Stage, *instruments: str) -> None:
    """Nothing held, nothing working."""
    for name in instruments:
        net, working = stage.truth.net(name), stage.truth.working(name)
        stage.claim(
            f"{name} is flat, with no order left", f"{net} held, {len(working)} orders", holds=not net and not working
        )


def orders_of_guard(stage: Stage, instrument: str) -> list[Order]:
    """Every order the guard ever had at the exchange, legs included, as it is now, oldest first."""
    found = {}
    for event in stage.truth.tape:
        order = event.order
        if order.instrument == instrument and is_own(name_of(stage.truth.top(order)), stage.account):
            found[order.id] = order
    return list(found.values())


def stops_of_guard(stage: Stage, instrument: str) -> list[Order]:
    return [order for order in orders_of_guard(stage, instrument) if order.terms.type in STOPS]


def one_close(stage: Stage, instrument: str, side: str, quantity: int) -> None:
    """Exactly one order of the guard closed, of this side and size."""
    closes = [o for o in orders_of_guard(stage, instrument) if o.side == side and o.terms.type not in STOPS]
    shown = ", ".join(f"{order.side} {order.terms.quantity} {order.status}" for order in closes) or "none"
    right = len(closes) == 1 and closes[0].terms.quantity == Decimal(quantity)
    stage.claim_of_guard(f"one close was sent: {side} {quantity}", shown, holds=right)
