"""Structures as the journal tells them, folded by other hands than the core's: what `judge.retold` is for positions.

An order for all legs is kept as one intent under the structure's own holding; the lots of its legs are lots like any
other, and what they hold comes from fills alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from standfast.exchange.contracts import contract_of
from standfast.model import journal as j
from standfast.model.ids import STRUCTURE, ClientOrderId, Holding, PositionId, structure_holding
from standfast.model.order import OrderType, Role, Side, Terms, TimeInForce
from standfast.model.position import Standing
from standfast.sim.judge.retelling import retell
from standfast.sim.judge.retold import ZERO, Intent, Lot, Retold


@dataclass(slots=True)
class Whole:
    """One structure that is not over. `legs`: its lots and their signed ratio."""

    id: PositionId
    strategy: str
    standing: Standing
    legs: dict[PositionId, int]
    units: Decimal
    anchor: Decimal | None = None
    stop: Decimal | None = None
    closing: j.CloseRequested | None = None
    closing_at: datetime | None = None
    trailed: bool = False
    """Whether its stop has been moved up: the retelling does not figure how far."""

    @property
    def is_guarded(self) -> bool:
        return self.standing is not Standing.FOREIGN


@dataclass(slots=True)
class SpreadRetold(Retold):
    """Changed by `retell_spreads` alone."""

    wholes: dict[PositionId, Whole] = field(default_factory=dict)
    ended: dict[PositionId, Whole] = field(default_factory=dict)
    """Settled, and back if what ended it was another's close."""
    together: dict[ClientOrderId, j.TogetherIntended] = field(default_factory=dict)

    def net(self, holding: Holding) -> Decimal:
        """As `Retold.net`. What an order for all legs has filled is units, and its legs' fills say of what."""
        return ZERO if holding.hedge == STRUCTURE else Retold.net(self, holding)

    def whole_of(self, lot: PositionId) -> Whole | None:
        """The structure a lot is a leg of."""
        return next((whole for whole in self.wholes.values() if lot in whole.legs), None)

    def lots_of(self, whole: Whole) -> list[tuple[Lot, int]]:
        """Its legs, those that are over too."""
        return [(self.lots[id], ratio) for id, ratio in whole.legs.items() if id in self.lots]

    def units_of(self, whole: Whole) -> list[Decimal]:
        """How many units of each leg are held."""
        return [lot.held / abs(ratio) for lot, ratio in self.lots_of(whole)]

    def opened_at(self, whole: Whole) -> datetime | None:
        return min((lot.opened_at for lot, _ in self.lots_of(whole) if lot.opened_at is not None), default=None)

    def entry(self, whole: Whole) -> Decimal | None:
        """What one unit was paid for, by its fills; negative: received. None while a leg has none."""
        lots = self.lots_of(whole)
        if len(lots) < len(whole.legs) or not all(lot.opened for lot, _ in lots):
            return None
        return sum((lot.value / lot.opened * points(lot, ratio) for lot, ratio in lots), ZERO)


def points(lot: Lot, ratio: int) -> Decimal:
    """Points of one unit for one point of this leg: prices of shares count by what a contract stands for."""
    return Decimal(ratio) if contract_of(lot.holding.instrument) is not None else Decimal(ratio) / 100


def retell_spreads(r: SpreadRetold, entry: j.Entry) -> None:
    """Take the next entry."""
    retell(r, entry)
    tell = TELLERS.get(type(entry.fact))
    if tell is not None:
        tell(r, entry.fact, entry)


def _requested(r: SpreadRetold, fact: j.StructureRequested, entry: j.Entry) -> None:
    for leg in fact.legs:
        sign, asked = 1 if leg.ratio > 0 else -1, fact.units * abs(leg.ratio)
        r.put(Lot(leg.position, leg.holding, sign, Standing.OWNED, fact.strategy, asked=asked))
    legs = {leg.position: leg.ratio for leg in fact.legs}
    r.wholes[fact.structure] = Whole(fact.structure, fact.strategy, Standing.OWNED, legs, fact.units, stop=fact.stop)


def _formed(r: SpreadRetold, fact: j.StructureFormed, entry: j.Entry) -> None:
    legs = {leg.position: leg.ratio for leg in fact.legs}
    r.wholes[fact.structure] = Whole(fact.structure, fact.strategy, fact.standing, legs, fact.units, fact.anchor)


def _dissolved(r: SpreadRetold, fact: j.StructureDissolved, entry: j.Entry) -> None:
    r.wholes.pop(fact.structure, None)


def _close_moved(r: SpreadRetold, fact: j.CloseMoved, entry: j.Entry) -> None:
    booked, belongs = r.lots[fact.booked], r.lots[fact.belongs]
    ended = next((whole for whole in r.ended.values() if booked.id in whole.legs), None)
    if ended is not None:
        r.wholes[ended.id] = r.ended.pop(ended.id)
    booked.closed -= fact.quantity
    belongs.closed += fact.quantity
    if booked.over:
        booked.over, booked.closing, booked.closing_at = False, None, None
        r.put(booked)


def _swapped(r: SpreadRetold, fact: j.LegsSwapped, entry: j.Entry) -> None:
    one, other = r.wholes[fact.structure], r.wholes[fact.other]
    here, there = (_leg_at(r, whole, fact.holding) for whole in (one, other))
    for whole, gone, come in ((one, here, there), (other, there, here)):
        whole.legs = {come if id == gone else id: ratio for id, ratio in whole.legs.items()}


def _leg_at(r: SpreadRetold, whole: Whole, holding: Holding) -> PositionId:
    return next(lot.id for lot, _ in r.lots_of(whole) if lot.holding == holding)


def _close(r: SpreadRetold, fact: j.CloseRequested, entry: j.Entry) -> None:
    whole = r.wholes.get(fact.position)
    if whole is not None:
        whole.closing, whole.closing_at = fact, entry.at


def _withdrawn(r: SpreadRetold, fact: j.CloseWithdrawn, entry: j.Entry) -> None:
    whole = r.wholes.get(fact.position)
    if whole is not None:
        whole.closing = whole.closing_at = None


def _settled(r: SpreadRetold, fact: j.PositionSettled, entry: j.Entry) -> None:
    whole = r.wholes.pop(fact.position, None)
    if whole is not None:
        r.ended[whole.id] = whole


def _protection(r: SpreadRetold, fact: j.ProtectionChosen, entry: j.Entry) -> None:
    whole = r.wholes.get(fact.position)
    if whole is not None:
        whole.stop = fact.stop


def _trailed(r: SpreadRetold, fact: j.TrailMoved, entry: j.Entry) -> None:
    whole = r.wholes.get(fact.position)
    if whole is not None:
        whole.trailed = True


def _described(r: SpreadRetold, fact: j.PositionDescribed, entry: j.Entry) -> None:
    whole = r.wholes.get(fact.position)
    if whole is not None:
        whole.strategy = fact.strategy or whole.strategy


def _together(r: SpreadRetold, fact: j.TogetherIntended, entry: j.Entry) -> None:
    terms = Terms(
        side=Side.BUY,
        quantity=fact.units,
        type=OrderType.MARKET if fact.net is None else OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        reduces=fact.role is not Role.OPEN,
    )
    meant = j.OrderIntended(
        id=fact.id,
        position=fact.structure,
        role=fact.role,
        holding=structure_holding(fact.structure),
        terms=terms,
        attempt=fact.attempt,
        reason=fact.reason,
    )
    r.together[fact.id] = fact
    intent = r.intents[fact.id] = Intent(meant, entry.at, entry.epoch)
    r.of.setdefault(fact.structure, []).append(intent)
    r.file(intent)


TELLERS: dict[type[j.Fact], Callable[[SpreadRetold, Any, j.Entry], None]] = {
    j.StructureRequested: _requested,
    j.StructureFormed: _formed,
    j.StructureDissolved: _dissolved,
    j.LegsSwapped: _swapped,
    j.CloseMoved: _close_moved,
    j.CloseRequested: _close,
    j.CloseWithdrawn: _withdrawn,
    j.PositionSettled: _settled,
    j.ProtectionChosen: _protection,
    j.TrailMoved: _trailed,
    j.PositionDescribed: _described,
    j.TogetherIntended: _together,
}
