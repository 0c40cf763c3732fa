"""The way out of a structure, step by step: as one order while that works, leg by leg when it does not.

Nothing is held in memory: each look is given what is held, what the broker says, what was tried, and names the next
step. A step is a decision only; whoever takes it records it first.

1. No order can add to what is held: its side comes from the signed net, its size is at most the smaller of what the
   structure and the broker hold. Where the broker's net is what the books add up to, the structure's part of it is
   what is booked for it, whatever others hold of the same contract.
2. As one order: a limit that walks from the mid to the worst side, then the market. Each price is taken from the
   quotes of that moment. What cannot wait begins at the worst side; shortly before a leg stops trading nothing waits.
3. Leg by leg what is sold is bought back first, options before shares; nothing bought is sold while something sold is
   left: no call is left without its shares. So it is where the broker no longer holds what was bought.
4. One step at a time: while anything is under way or in doubt, nothing else is sent.
5. What shall remain is kept whole; a structure out of its ratio loses what exceeds it, and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from math import gcd
from typing import TypeAlias

from standfast.core.orders import reducing
from standfast.core.shapes import broken
from standfast.core.worth import Sides
from standfast.model.ids import Holding
from standfast.model.order import ZERO, Terms
from standfast.model.position import CloseReason
from standfast.model.structure import Leg, Structure

RUNGS = (Decimal(0), Decimal(1) / 3, Decimal(2) / 3, Decimal(1))
"""How far from the mid to the worst side each limit lies."""
MARKET = len(RUNGS)
"""The rung after the last limit: no limit at all."""
PATIENCE = timedelta(seconds=5)
"""How long one limit is given, unless something else is said."""
REFUSED_MAX = 2
"""Refusals of the one order after which the legs go alone."""
LAST_CALL = timedelta(seconds=30)
"""So long before a leg stops trading no price is waited for any more, nor a limit for its fill."""
ASKED_FOR = PATIENCE * len(RUNGS)
"""How long the broker is asked about a leg it does not hold, before what is sold beside it is bought back alone."""
UNHURRIED = frozenset({CloseReason.FLAT_BY, CloseReason.MAXIMUM_HOLD, CloseReason.TAKE_PROFIT})
"""Nothing is lost by minutes: what is closed with many others takes its time, and keeps its ladder."""
UNHURRIED_FOR = timedelta(minutes=3)
"""What a ladder of these may take at most, and how long a price is waited for."""
URGENT = frozenset({CloseReason.EMERGENCY_STOP, CloseReason.ROLLBACK, CloseReason.LIQUIDATION})


class State(StrEnum):
    UNDER_WAY = "under_way"
    """Sent and not over; in doubt too."""
    OVER = "over"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One order of this close, oldest first in a sequence of them."""

    state: State
    at: datetime
    """When it was sent."""
    rung: int | None = None
    """Its rung on the ladder; None for the order of one leg."""
    withdrawn: bool = False
    """Its cancel has been asked for."""


@dataclass(frozen=True, slots=True)
class LegOrder:
    """An order for one leg, of its own or inside one for all."""

    leg: Leg
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTogether:
    """One order for all legs. `net` is what one unit shall bring at least; None: at the market."""

    orders: tuple[LegOrder, ...]
    units: Decimal
    net: Decimal | None
    rung: int

    @property
    def kind(self) -> str:
        """As brokers name it; its price is told without a sign."""
        if self.net is None:
            return "market"
        return "credit" if self.net > 0 else "debit" if self.net < 0 else "even"


@dataclass(frozen=True, slots=True)
class SendLegs:
    """Orders of single legs that may go side by side."""

    orders: tuple[LegOrder, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel what is under way: it has had its time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before that time, or before news where there is none."""

    until: datetime | None
    is_blind: bool = False
    """For want of a price of every leg."""


@dataclass(frozen=True, slots=True)
class AskNets:
    """What the broker holds contradicts what is to be closed: ask again before anything is sent."""

    holdings: tuple[Holding, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is held beyond what shall remain. Only fills settle a position; this asks for no more orders."""


Step: TypeAlias = SendTogether | SendLegs | Withdraw | Wait | AskNets | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """Everything one step is decided from."""

    structure: Structure
    nets: Mapping[Holding, Decimal]
    """What the broker holds for this structure, signed (`own_nets`), free of what other closes still take."""
    sides: Sides | None
    """What it would bring now; None while a leg is blind."""
    attempts: Sequence[Attempt]
    reason: CloseReason
    remain: Decimal = ZERO
    """Units that shall be left."""
    multileg: bool
    """Whether the broker takes one order for all legs."""
    tick: Decimal
    """Step of net prices."""
    rungs: int = len(RUNGS)
    """Limits that may be tried before the market, the last of them; at least the worst side."""
    patience: timedelta = PATIENCE
    """How long each limit is given."""
    began: datetime
    """When the close was decided."""
    ends: datetime | None = None
    """When the first of its options trades no more."""
    now: datetime


def own_nets(
    structure: Structure, *, booked: Mapping[Holding, Decimal], reported: Mapping[Holding, Decimal]
) -> dict[Holding, Decimal]:
    """What of the broker's nets is this structure's.

    Contracts are shared, and what one structure bought another may have sold: the net alone then says little of either.
    Where it is what the books add up to, each structure holds what is booked for it; where it is not, nothing is sized
    beyond the net itself.
    """
    nets: dict[Holding, Decimal] = {}
    for held in structure.legs:
        holding = held.leg.holding
        net = reported.get(holding, ZERO)
        nets[holding] = held.net if net == booked.get(holding, ZERO) else net
    return nets


def next_step(way: WayOut) -> Step:
    """The next step of getting a structure down to what shall remain."""
    to_close = _beyond(way.structure, way.remain)
    waiting = _under_way(way)
    if waiting is not None:
        return waiting
    if not to_close:
        return Done()
    contradicted = _contradicted(to_close, way.nets)
    if contradicted is not None:
        sold = _sold_and_held(to_close, way.nets) if way.now >= way.began + ASKED_FOR else []
        return SendLegs(_leg_by_leg(sold, way.nets)) if sold else contradicted
    rung = _next_rung(way)
    if rung is not None:
        if way.sides is None and (until := _at_last(way, way.began + _blind_for(way.reason))) > way.now:
            return Wait(until, is_blind=True)
        return _together(way, rung)
    return SendLegs(_leg_by_leg(to_close, way.nets))


def roll_back(structure: Structure, nets: Mapping[Holding, Decimal], *, openers: Iterable[Attempt]) -> Step:
    """The next step of undoing a half-made opening, or of mending a lost ratio: the excess goes, whole units stay.

    `openers`: the orders that opened it. While one may still fill, nobody knows what the excess is.
    """
    for opener in openers:
        if opener.state is State.UNDER_WAY:
            return Wait(None) if opener.withdrawn else Withdraw("what it would open is being rolled back")
    found = broken(structure)
    if found is None:
        return Done()
    excess = [(leg, abs(quantity)) for leg, quantity in found.excess]
    contradicted = _contradicted(excess, nets)
    return contradicted if contradicted is not None else SendLegs(_leg_by_leg(excess, nets))


def _blind_for(reason: CloseReason) -> timedelta:
    """How long what has no price is not sent: as long as a ladder takes, or longer where nothing is lost by minutes."""
    if reason in URGENT:
        return timedelta(0)
    return UNHURRIED_FOR if reason in UNHURRIED else PATIENCE * len(RUNGS)


def _at_last(way: WayOut, until: datetime) -> datetime:
    """That moment, or the last call before a leg stops trading where that is sooner."""
    return until if way.ends is None else min(until, way.ends - LAST_CALL)


def _beyond(structure: Structure, remain: Decimal) -> list[tuple[Leg, Decimal]]:
    """Legs with more than shall remain of them, and how much more, unsigned."""
    excess = ((held.leg, held.held - remain * abs(held.leg.ratio)) for held in structure.legs)
    return [(leg, quantity) for leg, quantity in excess if quantity > 0]


def _under_way(way: WayOut) -> Step | None:
    """One order at a time; a limit that has had its time is withdrawn, orders of single legs are waited for."""
    for attempt in way.attempts:
        if attempt.state is not State.UNDER_WAY:
            continue
        if attempt.rung is None or attempt.withdrawn:
            return Wait(None)
        ends = attempt.at + way.patience
        if attempt.rung < MARKET:
            ends = _at_last(way, ends)
        return Wait(ends) if way.now < ends else Withdraw(f"unfilled for {way.patience.total_seconds():g} s")
    return None


def _contradicted(to_close: Iterable[tuple[Leg, Decimal]], nets: Mapping[Holding, Decimal]) -> AskNets | None:
    """The broker holds nothing of a leg, or the other way: what is sent now could open something."""
    wrong = [leg for leg, _ in to_close if nets.get(leg.holding, ZERO) * leg.sign <= 0]
    if not wrong:
        return None
    named = ", ".join(f"{leg.holding} {nets.get(leg.holding, ZERO):+}" for leg in wrong)
    return AskNets(tuple(leg.holding for leg in wrong), f"the broker holds {named}")


def _sold_and_held(
    to_close: Iterable[tuple[Leg, Decimal]], nets: Mapping[Holding, Decimal]
) -> list[tuple[Leg, Decimal]]:
    """What is sold and the broker holds so: buying it back can open nothing, whatever became of what was bought."""
    return [(leg, quantity) for leg, quantity in to_close if leg.sign < 0 and nets.get(leg.holding, ZERO) < 0]


# --- as one order -------------------------------------------------------------------------------


def _next_rung(way: WayOut) -> int | None:
    """The next rung of the ladder; None where the legs have to go alone."""
    if not way.multileg or len(way.structure.legs) < 2 or broken(way.structure) is not None:
        return None
    if not _whole(way.structure, way.nets, way.remain):
        return None
    together = [attempt for attempt in way.attempts if attempt.rung is not None]
    if len(together) < len(way.attempts):
        return None  # legs went alone already
    if sum(attempt.state is State.REFUSED for attempt in together) >= REFUSED_MAX:
        return None
    last = max((attempt.rung for attempt in together if attempt.rung is not None), default=None)
    if last == MARKET:
        return None
    if way.sides is None or (way.ends is not None and way.now >= way.ends - LAST_CALL):
        return MARKET
    first = MARKET - (1 if way.reason in URGENT else way.rungs)
    return first if last is None else max(last + 1, first)


def _whole(structure: Structure, nets: Mapping[Holding, Decimal], remain: Decimal) -> Decimal:
    """Whole units to close that both the structure and the broker hold."""
    units = [
        min(held.held - remain * abs(held.leg.ratio), abs(nets.get(held.leg.holding, ZERO))) / abs(held.leg.ratio)
        for held in structure.legs
    ]
    return max(min(units).to_integral_value(rounding=ROUND_FLOOR), ZERO)


def _together(way: WayOut, rung: int) -> SendTogether:
    units = _whole(way.structure, way.nets, way.remain)
    share = gcd(*(held.leg.ratio for held in way.structure.legs))  # brokers price the smallest unit there is
    orders = tuple(
        LegOrder(held.leg, reducing(way.nets[held.leg.holding], units * abs(held.leg.ratio)))
        for held in way.structure.legs
    )
    net = None
    if rung < MARKET:
        assert way.sides is not None
        asked = way.sides.mid + (way.sides.worst - way.sides.mid) * RUNGS[rung]
        net = (asked / share / way.tick).to_integral_value(rounding=ROUND_FLOOR) * way.tick
    return SendTogether(orders=orders, units=units * share, net=net, rung=rung)


# --- leg by leg ---------------------------------------------------------------------------------


def _leg_by_leg(to_close: Sequence[tuple[Leg, Decimal]], nets: Mapping[Holding, Decimal]) -> tuple[LegOrder, ...]:
    """What is sold goes first, at the market, options before shares; what is bought only when nothing sold is left."""
    sold = [(leg, quantity) for leg, quantity in to_close if leg.sign < 0]
    options = [(leg, quantity) for leg, quantity in sold if leg.contract is not None]
    return tuple(LegOrder(leg, reducing(nets[leg.holding], quantity)) for leg, quantity in options or sold or to_close)
