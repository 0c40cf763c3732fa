"""Take what the broker holds, and no fill explains, into the books: at what cost, and from which prices on."""

from collections.abc import Iterable
from decimal import Decimal

from standfast.core.situation import Situation
from standfast.model.evidence import HeldReport
from standfast.model.ids import Holding, is_own, position_id
from standfast.model.journal import PositionAdopted, StandingChanged
from standfast.model.option import option_contract
from standfast.model.order import ZERO, OrderReport
from standfast.model.position import Position, Standing
from standfast.model.quote import Quote

WIDEST = 2
"""How many times as far as the first exit a quote's sides may lie apart: its middle is off by that distance then."""
ALWAYS = Decimal("0.01")
"""Share of the price that they always may: of exits nearer than a market is ever quoted none would ever rest."""
MOST = Decimal(1)
"""Share of the price that they never may exceed, however far the exits: an offer of thrice the bid says nothing."""


def price_now(s: Situation, holding: Holding, *, however_wide: bool = False) -> Decimal | None:
    """The middle of the last quote, if it has two sides, or is of an option that is worth next to nothing: one that
    nobody bids for may be what bounds another. Outside the session the last quote is as good as any.

    What exits are figured from once and for all is not taken from a quote too wide to say where the price is, as
    brokers send them at night. `however_wide` is for what is about to be closed and has no exits, and for what has
    waited long enough.
    """
    sight = s.sights.get(holding)
    if sight is None:
        return None
    is_nothing = sight.quote.is_worthless and option_contract(holding.instrument) is not None
    if not sight.quote.is_two_sided and not is_nothing:
        return None
    if s.in_session and not sight.quote.is_fresh(s.now, s.quotes_fresh):
        return None
    return sight.quote.mid if however_wide or is_nothing or _says_the_price(s, holding, sight.quote) else None


def _says_the_price(s: Situation, holding: Holding, quote: Quote) -> bool:
    policy = s.rules.policy(s.rules.foreign_strategy(""), holding, s.instrument(holding).kind)
    nearest = policy.stop_loss or policy.emergency_stop or policy.take_profit
    return nearest is None or quote.ask - quote.bid <= min(max(WIDEST * nearest, ALWAYS), MOST) * quote.mid


def _closing_price(s: Situation, holding: Holding, sign: int) -> Decimal:
    """The price now; of a quote too wide to say it the side at which this would be closed: a stop figured from its
    middle could stand where the broker takes none."""
    now = price_now(s, holding)
    if now is not None:
        return now
    sight = s.sights.get(holding)
    assert sight is not None, holding
    return sight.quote.bid if sign > 0 else sight.quote.ask


def taking_over(s: Situation, lot: Position, *, by: str) -> StandingChanged:
    """A foreign lot becomes ours to protect, from the prices of this moment on, as for bare quantity."""
    price, now = lot.entry_price, _closing_price(s, lot.holding, lot.sign)
    assert price is not None, lot.id
    worse, better = (min, max) if lot.sign > 0 else (max, min)
    return StandingChanged(
        position=lot.id, standing=Standing.ADOPTED, by=by, anchor=worse(price, now), gain_anchor=better(price, now)
    )


def adoption(s: Situation, holding: Holding, quantity: Decimal, *, by: str) -> Iterable[PositionAdopted]:
    """Take bare quantity into the books, with the prices its exits are figured from.

    Bare quantity has no fill since guarding began, so it was held before. Its stop is figured from the worse of entry
    and the price now, its target from the better, once: so adopting sells neither what its owner has held at a loss
    for months nor what has long passed its target.
    """
    row, now = s.reported(holding), _closing_price(s, holding, 1 if quantity > 0 else -1)
    assert row is not None, holding
    price = _price_of(s, row, quantity)
    worse, better = (min, max) if quantity > 0 else (max, min)
    yield PositionAdopted(
        position=position_id(s.book.account, holding, s.book.head),
        holding=holding,
        quantity=quantity,
        price=price,
        anchor=worse(price, now),
        gain_anchor=better(price, now),
        strategy=s.rules.foreign_strategy(""),
        by=by,
        seen_at=s.broker_now,
    )


def proven_ours(s: Situation, holding: Holding, extra: Decimal) -> Decimal:
    """How much of bare quantity our own exits prove to be ours: they rest at the broker, and the books lack them.

    So it is after the ledger was lost or an old copy put back: only we place orders under our ids, and none but exits
    of what we guarded take away from this side.
    """
    if not extra:
        return ZERO
    sign = 1 if extra > 0 else -1
    exits = (
        report.remaining
        for report in s.orders_by_holding.get(holding, ())
        if is_own(report.client_id, s.book.account)
        and report.side.sign == -sign
        and not report.is_finished
        and not _is_booked(s, report)
    )
    bare = (_bare(s, position) for position in s.book.guarded_at(holding) if position.sign == sign)
    return sign * max(min(abs(extra), sum(exits, ZERO) - sum(bare, ZERO)), ZERO)


def _bare(s: Situation, position: Position) -> Decimal:
    """What is in the books and waits for those exits itself: they are tied to it with the next look."""
    known = (order for order in s.book.orders_for(position.id) if not order.is_finished)
    exits = (order.remaining for order in known if order.side.sign == -position.sign)
    return max(s.book.held(position) - sum(exits, ZERO), ZERO)


def _is_booked(s: Situation, report: OrderReport) -> bool:
    order = s.book.order_by_broker(report.broker_id) or s.book.state.orders.get(report.client_id)
    return (order is not None and order.position is not None) or report.broker_id in s.book.state.retired


def _price_of(s: Situation, row: HeldReport, quantity: Decimal) -> Decimal:
    """What the extra quantity cost: the broker's average is over everything, ours for the rest is known."""
    known = s.book.state.costs.get(row.holding)
    if known is None or known.quantity + quantity != row.quantity:
        return row.average_price
    price = (row.average_price * row.quantity - known.value) / quantity
    return price if price > 0 else row.average_price
