"""What a list shows of a broker that does not tell why: options that are gone (expired, exercised), shares split.

1. Nothing is inferred where the broker tells its movements, nor from a list that cannot be compared with the books,
   nor while an order of ours may have closed what is gone. What one may still open hides nothing.
2. Shares that came or went by just as much as the contracts deliver say that they were assigned or exercised, on any
   day. Without them a contract has expired, once its last session is over; before that nothing is known. In the money,
   or so near that nobody knows, it may deliver in the night: until the next session it is neither.
3. Another quantity for the same money is a split (`splits.py`).
4. What is inferred is booked as if it had been told (`moved.py` then takes it out of the books, when another read
   agrees), and a person is asked to compare it with the broker's statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.covering import shares_of
from standfast.core.flat_times import last_trading_day
from standfast.core.moved import parts_of, surely_held
from standfast.core.movements import book_movements
from standfast.core.shapes import underlying_of
from standfast.core.situation import Outcomes, Situation
from standfast.core.splits import is_split
from standfast.core.tell import alarm, alarm_once
from standfast.model.alert import Severity
from standfast.model.effects import ReadQuotes, WakeAt
from standfast.model.ids import Holding, digest
from standfast.model.journal import AlertRaised, MovedOut, MovementBooked
from standfast.model.option import OptionContract, Right, option_contract
from standfast.model.order import INFERRED, ZERO, Movement, MovementKind
from standfast.model.position import CloseReason, Position
from standfast.model.settlement import settlement

SETTLED = timedelta(minutes=1)
"""After the close of its last session in which a contract is not missed yet."""
PRICE_WITHIN = timedelta(seconds=30)
"""How long a price of what lies under it may take to come, before it is booked without one."""
ASKED_AGAIN = timedelta(seconds=2)
NEAR = Decimal("0.005")
"""A price no further from the strike than this part of it may have ended on either side (as `expiring.PIN_NEAR`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What the list shows no more of one contract."""

    holding: Holding
    contract: OptionContract
    quantity: Decimal
    """Signed, as it was held."""
    shares: Decimal
    """Signed: how the shares under it change when all of it is exercised."""
    under: Holding


def ended(s: Situation, holding: Holding, since: datetime) -> Outcomes:
    """The movements that explain why a contract is gone, if the lists show how it ended. `since`: when it was first
    seen to be gone."""
    gone = _gone(s, holding)
    if gone is None:
        return
    found = list(_delivered(s, gone))
    if not found and _awaits_price(s, gone, since):
        yield ReadQuotes(holding=gone.under, reason=f"what {holding} was worth at its end")
        yield WakeAt(at=s.now + ASKED_AGAIN, holding=holding)
        return
    if not found and _awaits_shares(s, gone):
        yield from _told_waiting(s, gone)
        return
    found = found or list(_expired(s, gone))
    for movement in found:
        yield MovementBooked(movement=movement)
    if found:
        yield _told(s, gone, found[0])


def offset(s: Situation, holding: Holding) -> Outcomes:
    """Legs that hold one contract both ways, as much long as short, once it has ended.

    The broker's net of them was nothing all along: no list shows that they are gone, and nobody tells it."""
    contract = option_contract(holding.instrument)
    if contract is None:
        return
    booked = s.book.net(holding)
    if not booked.is_exact or booked.low or not s.is_comparable(holding):
        return
    lots = [position for position in s.book.positions_at(holding) if position.held]
    sides = {sign: sum((lot.held for lot in lots if lot.sign == sign), ZERO) for sign in (1, -1)}
    if not sides[1] or sides[1] != sides[-1] or s.reported_net(holding) or not _is_over(s, contract):
        return
    under = shares_of(s, holding)
    gone = Gone(holding=holding, contract=contract, quantity=sides[1], shares=ZERO, under=under)
    if _awaits_price(s, gone, s.book.state.started_at or s.now):
        yield ReadQuotes(holding=gone.under, reason=f"what {holding} was worth at its end")
        yield WakeAt(at=s.now + ASKED_AGAIN, holding=holding)
        return
    price = _worth(s, gone) or ZERO
    proof = f"netted-{digest(s.book.account, holding, s.book.touched(holding))}"
    for sign in sides:
        parts = tuple(parts_of(s, holding, sign, sides[sign], price))
        yield MovedOut(
            holding=holding, movements=(proof,), parts=parts, sign=sign, reason=CloseReason.EXPIRY, price=price
        )
    text = (
        f"{holding}: held long and short by as much, {sides[1]} each, and its last session is over: booked as expired, "
        f"worth {price}. What one side lost the other has made."
    )
    yield alarm(s, Severity.INFO, text, key=f"ended/{proof}")


def split(s: Situation, holding: Holding) -> Outcomes:
    """The movements of a split that only the list shows."""
    if s.contract.tells_movements or s.book.state.split_rows.get(holding):
        return
    if not is_split(s, holding) or not s.is_settled(holding):
        return
    booked, reported = s.book.net(holding).low, s.reported_net(holding)
    key = digest(s.book.account, holding, booked, reported, s.book.touched(holding))
    rows = [
        Movement(
            id=f"{INFERRED}-{key}-{number}",
            kind=MovementKind.SPLIT,
            broker_kind=INFERRED,
            holding=holding,
            quantity=quantity,
            at=s.broker_now,
        )
        for number, quantity in enumerate((-booked, reported))
    ]
    yield from book_movements(s.book, rows)
    yield alarm(
        s,
        Severity.WARNING,
        f"{holding}: {booked:+} has become {reported:+} for the same money, and the broker does not tell why. Booked "
        "as a split. Needed: compare it with the broker's statement.",
        key=f"split/{key}",
    )


def _gone(s: Situation, holding: Holding) -> Gone | None:
    contract = option_contract(holding.instrument)
    if s.contract.tells_movements or contract is None or s.book.state.moves.get(holding):
        return None
    if not s.is_comparable(holding) or not s.is_settled(holding):
        return None
    booked = surely_held(s, holding)
    gone = booked - s.reported_net(holding)
    if not gone or gone * booked <= 0:
        return None
    shares, under = _shares(s, holding, contract, gone), shares_of(s, holding)
    return Gone(holding=holding, contract=contract, quantity=gone, shares=shares, under=under)


def _shares(s: Situation, holding: Holding, contract: OptionContract, quantity: Decimal) -> Decimal:
    way = 1 if contract.right is Right.CALL else -1
    return quantity * s.instrument(holding).multiplier * way


def _delivered(s: Situation, gone: Gone) -> Iterator[Movement]:
    """Assigned or exercised: the shares came, or went, at the strike."""
    if settlement(gone.contract).cash or not _has_come(s, gone):
        return
    kind = MovementKind.ASSIGNMENT if gone.quantity < 0 else MovementKind.EXERCISE
    yield _movement(s, gone, kind, gone.holding, -gone.quantity, ZERO)
    if _gap(s, gone.under):
        yield _movement(s, gone, MovementKind.EXERCISE, gone.under, gone.shares, gone.contract.strike)


def _has_come(s: Situation, gone: Gone) -> bool:
    """Whether shares beyond the books are there (or lacking) for it, or were just taken in for want of a reason."""
    gap = _gap(s, gone.under)
    if gap * gone.shares > 0 and abs(gap) >= abs(gone.shares):
        return True
    return any(lot.bare_adopted * lot.sign == gone.shares for lot in _taken_in_since(s, gone))


def _taken_in_since(s: Situation, gone: Gone) -> Iterator[Position]:
    """Positions in what lies under it; of those that are closed already, what came while it was held."""
    yield from s.book.positions_at(gone.under)
    opened = [lot.opened_at for lot in s.book.positions_at(gone.holding) if lot.opened_at is not None]
    for lot in s.book.state.closed.values():
        if lot.holding == gone.under and lot.adopted_at is not None and lot.adopted_at >= min(opened, default=s.now):
            yield lot


def _gap(s: Situation, under: Holding) -> Decimal:
    """How much more is listed than booked, signed; zero while that cannot be said."""
    booked = s.book.net(under)
    if not booked.is_exact or not s.is_comparable(under):
        return ZERO
    return s.reported_net(under) - booked.low


def _expired(s: Situation, gone: Gone) -> Iterator[Movement]:
    if _is_over(s, gone.contract):
        yield _movement(s, gone, MovementKind.EXPIRY, gone.holding, -gone.quantity, _worth(s, gone) or ZERO)


def _is_over(s: Situation, contract: OptionContract) -> bool:
    day = last_trading_day(contract.expiry, s, at_open=settlement(contract).at_open)
    close = s.session_close(day) if day is not None else None
    if close is None:
        return s.broker_now.date() > contract.expiry
    return s.broker_now >= close + SETTLED


def _awaits_price(s: Situation, gone: Gone, since: datetime) -> bool:
    """Whether it has ended at a price that nobody has asked for yet: the guard was not there, or has just begun."""
    return _is_over(s, gone.contract) and _worth(s, gone) is None and s.now - since < PRICE_WITHIN


def _awaits_shares(s: Situation, gone: Gone) -> bool:
    """Whether the night may still bring, or take, shares for it: not where those of several contracts cancel out, or
    are accounted for by what has come."""
    if settlement(gone.contract).cash or not _is_over(s, gone.contract) or not _may_deliver(s, gone):
        return False
    if s.in_session and s.today > gone.contract.expiry:
        return False
    others = (_gone(s, holding) for holding in s.book.holdings() if holding != gone.holding)
    together = [gone, *(each for each in others if each is not None and each.under == gone.under)]
    is_sure = all(_is_sure(s, each) for each in together)
    due = sum((each.shares for each in together if (_worth(s, each) or ZERO) > 0), _booked(s, gone))
    return not is_sure or due != _gap(s, gone.under)


def _booked(s: Situation, gone: Gone) -> Decimal:
    """Shares due for contracts on the same that have just been booked as worth something at their end."""
    due = ZERO
    for each in s.book.state.inferred.values():
        contract = option_contract(each.holding.instrument) if each.holding is not None else None
        if contract is None or each.holding is None or each.kind is not MovementKind.EXPIRY or not each.price:
            continue
        if contract.expiry == gone.contract.expiry and underlying_of(each.holding) == underlying_of(gone.under):
            due += _shares(s, each.holding, contract, -each.quantity)
    return due


def _may_deliver(s: Situation, gone: Gone) -> bool:
    return not _is_sure(s, gone) or (_worth(s, gone) or ZERO) > 0


def _is_sure(s: Situation, gone: Gone) -> bool:
    """Whether its last price lies so far from the strike that nobody asks on which side it ended."""
    price = _last_price(s, gone)
    return price is not None and abs(price - gone.contract.strike) > gone.contract.strike * NEAR


def _last_price(s: Situation, gone: Gone) -> Decimal | None:
    sight, good = s.sights.get(gone.under), s.good.get(gone.under)
    quote = sight.quote if sight is not None and sight.quote.is_two_sided else good
    return quote.mid if quote is not None else None


def _worth(s: Situation, gone: Gone) -> Decimal | None:
    """What the contract was worth by the last price of what lies under it; None: nobody knows."""
    price = _last_price(s, gone)
    if price is None:
        return None
    way = 1 if gone.contract.right is Right.CALL else -1
    return max((price - gone.contract.strike) * way, ZERO)


def _movement(
    s: Situation, gone: Gone, kind: MovementKind, holding: Holding, quantity: Decimal, price: Decimal
) -> Movement:
    key = digest(s.book.account, gone.holding, gone.quantity, s.book.touched(gone.holding), holding)
    return Movement(
        id=f"{INFERRED}-{key}",
        kind=kind,
        broker_kind=INFERRED,
        holding=holding,
        quantity=quantity,
        price=price,
        at=s.broker_now,
    )


def _told_waiting(s: Situation, gone: Gone) -> Outcomes:
    price, clock = _last_price(s, gone), s.snapshot.clock
    where = f"{gone.under} is at {price}" if price is not None else f"{gone.under} has no price here"
    text = (
        f"{gone.holding}: {gone.quantity:+} is gone from the broker's list after its last session, and {where}: "
        f"whether shares come of it ({gone.shares:+} at {gone.contract.strike}) the night will tell. Nothing is booked "
        "until they do, or the next session begins."
    )
    yield from alarm_once(s, Severity.WARNING, text, key=f"delivery/{gone.holding}/{gone.quantity}")
    if clock is not None and clock.next_open > s.now:
        yield WakeAt(at=clock.next_open, holding=gone.holding)
    else:
        yield WakeAt(at=s.now + SETTLED, holding=gone.holding)


def _told(s: Situation, gone: Gone, first: Movement) -> AlertRaised:
    how = f"assigned or exercised: {gone.shares:+} {gone.under} at {gone.contract.strike}"
    if first.kind is MovementKind.EXPIRY:
        known = _worth(s, gone) is not None
        how = f"expired, worth {first.price}" if known else f"expired worthless: {gone.under} has no price here"
    return alarm(
        s,
        Severity.WARNING,
        f"{gone.holding}: {gone.quantity:+} is gone from the broker's list without an order, and the broker does not "
        f"tell why. Booked as {how}. Needed: compare it with the broker's statement.",
        key=f"ended/{first.id}",
    )
