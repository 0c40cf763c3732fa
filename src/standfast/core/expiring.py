"""The last day of options: flat in time, and said aloud where expiry would leave something nobody chose.

1. A structure with an option in it that ends today is flat before its last minutes, adopted ones too: brokers sell out
   what is left near the close, one leg alone if they like.
2. A contract that has stopped trading asks for no close: nothing could be done. It is said that it is still held.
3. Options that become cash leave nothing behind and carry no pin risk. Where shares are delivered, a sold option near
   the money in the last hour is an alarm: whether it is assigned is known only after the market has closed. For that
   hour the underlying is watched, though nothing of it may be held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from standfast.core.covering import shares_of
from standfast.core.flat_times import flat_moment, last_trading_day
from standfast.core.policy import Policy
from standfast.core.shapes import made_good
from standfast.core.situation import Outcomes, Situation
from standfast.core.tell import alarm_once
from standfast.model.alert import Severity
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding
from standfast.model.settlement import Settlement, settlement
from standfast.model.structure import Leg, Structure

PIN_WATCH = timedelta(hours=1)
"""How long before the last close of a sold option its strike is watched."""
PIN_NEAR = Decimal("0.005")
"""A price no further from a strike than this part of it may end on either side."""
PIN_AHEAD = timedelta(minutes=1)
"""How long before that hour the underlying begins to be watched, so that there is a price when it begins."""
PIN_EVERY = timedelta(seconds=5)
"""How often the distance is looked at."""
FIRST_PRICE = timedelta(seconds=15)
"""How long a price of the underlying may take to come before it is said that there is none."""


@dataclass(frozen=True, slots=True)
class Ending:
    """An option that is held, the last day it is traded on, and when that day closes."""

    leg: Leg
    day: date
    close: datetime
    settles: Settlement


def endings(s: Situation, structure: Structure) -> Iterator[Ending]:
    for held in structure.legs:
        if held.leg.contract is None or not held.net:
            continue
        settles = settlement(held.leg.contract)
        day = last_trading_day(held.leg.contract.expiry, s, at_open=settles.at_open)
        close = s.session_close(day) if day is not None else None
        if day is not None and close is not None:
            yield Ending(held.leg, day, close, settles)


def due_at(s: Situation, structure: Structure, policy: Policy) -> tuple[datetime, Leg] | None:
    """When a structure has to be flat because the first of its options ends, and which that is; None: no such time."""
    rule = policy.expiring_flat_by
    if rule is None:
        return None
    traded = [ending for ending in endings(s, structure) if s.broker_now < ending.close]
    moments = [(flat_moment(rule, ending.day, s), ending.leg) for ending in traded]
    found = [(moment, leg) for moment, leg in moments if moment is not None]
    return min(found, key=lambda each: (each[0], each[1].sign, each[1].holding), default=None)


def is_due(s: Situation, structure: Structure, policy: Policy) -> Leg | None:
    """The option because of which a structure has to be flat now."""
    found = due_at(s, structure, policy)
    return found[1] if found is not None and s.broker_now >= found[0] else None


def becomes(leg: Leg) -> str:
    """What an option that is left to expire turns into."""
    assert leg.contract is not None, leg.holding
    return "cash" if settlement(leg.contract).cash else "shares, or nothing"


def pin_watched(s: Situation, structure: Structure) -> tuple[Holding, ...]:
    """What lies under the options whose strikes are watched now: its price is needed, whether it is held or not."""
    found = (_under(s, ending) for ending in _pins(s, structure) if s.broker_now >= _watch_from(ending))
    return tuple(sorted(set(found)))


def settling_watched(s: Situation, structure: Structure) -> tuple[Holding, ...]:
    """What lies under options on their last day, until they are gone: where the broker does not tell what became of a
    contract, the last price of it says what it was worth."""
    if s.contract.tells_movements:
        return ()
    found = (_under(s, each) for each in endings(s, structure) if s.broker_now >= _watch_from(each))
    return tuple(sorted(set(found)))


def _under(s: Situation, ending: Ending) -> Holding:
    return shares_of(s, ending.leg.holding)


def pin_times(s: Situation, structure: Structure) -> Outcomes:
    """When to look for that: first as the watch begins, then every few seconds, whatever else happens."""
    for ending in _pins(s, structure):
        begins = max(_watch_from(ending), s.broker_now + PIN_EVERY)
        yield WakeAt(at=s.by_our_clock(begins), holding=ending.leg.holding)


def _pins(s: Situation, structure: Structure) -> Iterator[Ending]:
    """Sold options that may be assigned at the end of a day that is not over, and leave something nobody chose: shares
    that are held for it go, or stay."""
    delivered = made_good(structure.shape)
    for ending in endings(s, structure):
        is_risk = ending.leg.sign < 0 and not ending.settles.cash and ending.leg.holding not in delivered
        if is_risk and s.broker_now < ending.close:
            yield ending


def _watch_from(ending: Ending) -> datetime:
    return ending.close - PIN_WATCH - PIN_AHEAD


def expiry_alarms(s: Situation, structure: Structure) -> Outcomes:
    """Say what expiry may do to a structure while something can still be done, and what it may have done after."""
    for ending in endings(s, structure):
        if s.broker_now >= ending.close:
            yield from _ended(s, structure, ending.leg)
    for ending in _pins(s, structure):
        if s.broker_now >= ending.close - PIN_WATCH:
            yield from _pinned(s, structure, ending)


def _ended(s: Situation, structure: Structure, leg: Leg) -> Outcomes:
    text = (
        f"{structure.id}: {leg.holding} trades no more and is still held. It becomes {becomes(leg)}. Needed: see what "
        "the broker books for it; until then it stays in the books."
    )
    yield from alarm_once(s, Severity.WARNING, text, key=f"expired/{structure.id}/{leg.holding}")


def _pinned(s: Situation, structure: Structure, ending: Ending) -> Outcomes:
    leg, under = ending.leg, _under(s, ending)
    assert leg.contract is not None, leg.holding
    strike, price = leg.contract.strike, underlying_price(s, under)
    if price is None and _awaits_price(s, structure, ending):
        return
    if price is not None and abs(price - strike) > strike * PIN_NEAR:
        return
    where = _distance(str(under), price, strike)
    text = (
        f"{structure.id}: {leg.holding} is sold, expires today, and {where}: whether it is "
        "assigned will be known only after the close, and shares may be left over the night. Needed: close it before."
    )
    yield from alarm_once(s, Severity.CRITICAL, text, key=f"pin/{structure.id}/{leg.holding}")


def _distance(name: str, price: Decimal | None, strike: Decimal) -> str:
    if price is None:
        return f"no price of {name} is known to compare with its strike {strike}"
    side = "above" if price > strike else "below"
    where = f"{abs(price - strike)} ({abs(price - strike) / strike:.2%}) {side}" if price != strike else "right at"
    return f"{name} is at {price}, {where} its strike {strike}"


def _awaits_price(s: Situation, structure: Structure, ending: Ending) -> bool:
    """Whether the watch has only begun: a price that is asked for takes a moment to come."""
    opened = s.by_our_clock(structure.opened_at) if structure.opened_at is not None else None
    begun = [s.by_our_clock(_watch_from(ending)), opened, structure.adopted_at, s.book.state.started_at]
    return s.now - max(at for at in begun if at is not None) < FIRST_PRICE


def underlying_price(s: Situation, under: Holding) -> Decimal | None:
    """The mid of the underlying's own quote, if it is usable now."""
    sight = s.sights.get(under)
    if sight is None or not sight.quote.is_two_sided or not sight.quote.is_fresh(s.now, s.quotes_fresh):
        return None
    return sight.quote.mid
