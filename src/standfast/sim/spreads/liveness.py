"""Bounds of spreads: what `judge.liveness` says of positions, said of legs together.

Of a structure must end, each within its bound of healthy time in which it can trade:

- B2: something sold that exceeds its whole units, with nothing bought against it.
- B4: a close that was decided, or that its stop asks for by the exchange's own quotes, and is not done; and what was
  bought and exceeds the whole units.
- B5: an order for all legs nobody knows the fate of.

Legs as such are judged by no rule: a stop of 15 % is one of the spread.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from standfast.core.policy import Mode
from standfast.exchange.contracts import contract_of
from standfast.exchange.orders import Order
from standfast.model.ids import Holding, PositionId, structure_holding
from standfast.model.position import CloseReason
from standfast.sim.judge.liveness import CLOSED, COVERED, DECIDED, Liveness, Trouble
from standfast.sim.judge.retold import ZERO, Lot
from standfast.sim.judge.witness import Witness
from standfast.sim.spreads.retold import SpreadRetold, Whole, points

LADDER = 20.0
"""Seconds for which limits are tried before the market, where a close is in a hurry."""
UNHURRIED = 180.0
"""As `LADDER`, where nothing is lost by minutes."""
PATIENT = frozenset({CloseReason.FLAT_BY, CloseReason.MAXIMUM_HOLD, CloseReason.TAKE_PROFIT})
MENDED = 300.0
MARGIN = Decimal("0.02")
LASTING = timedelta(minutes=2)
"""How long a structure is there before its stop is held to: what was taken in gets its anchors first."""


class SpreadLiveness(Liveness):
    """As `Liveness`; its journal is retold with structures."""

    witness: Witness
    retold: SpreadRetold

    def touch(self, instrument: str) -> None:
        """A structure is looked at where its first leg is."""
        whole = self.retold.wholes.get(PositionId(instrument))
        names = [lot.holding.instrument for lot, _ in self.retold.lots_of(whole)] if whole is not None else [instrument]
        for name in names:
            if any(asset.instrument == name for asset in self.witness.engine.assets()):
                super().touch(name)

    def troubles(self, instrument: str) -> Iterator[Trouble]:
        yield from super().troubles(instrument)
        if not self.retold.began or self.rules.mode is not Mode.REPAIR:
            return
        for whole in self.retold.wholes.values():
            lots = self.retold.lots_of(whole)
            if lots and lots[0][0].holding.instrument == instrument and whole.is_guarded:
                yield from self._of_whole(whole)

    def _of_whole(self, whole: Whole) -> Iterator[Trouble]:
        yield from self._unknown(structure_holding(whole.id))
        if self._is_stuck(whole):
            return
        closing = whole.closing
        if closing is None:
            yield from self._out_of_ratio(whole)
            why = self._due_whole(whole)
            if why:
                yield Trouble("B4", f"{whole.id} undecided", "close", DECIDED, f"{whole.id}: {why}", tradable=True)
            return
        left = [lot for lot, ratio in self.retold.lots_of(whole) if lot.held > closing.remain * abs(ratio)]
        if left:
            bound = CLOSED + (UNHURRIED if closing.reason in PATIENT else LADDER)
            held = ", ".join(f"{lot.held} {lot.holding}" for lot in left)
            text = f"{whole.id} is to be closed ({closing.reason}) and {held} is held"
            yield Trouble("B4", whole.id, "close", bound, text, tradable=True)

    def _out_of_ratio(self, whole: Whole) -> Iterator[Trouble]:
        """What exceeds the whole units."""
        units = self.retold.units_of(whole)
        if not units or min(units) == max(units):
            return
        least = min(units).to_integral_value()
        for lot, ratio in self.retold.lots_of(whole):
            excess = lot.held - least * abs(ratio)
            if excess <= 0 or self._is_under_way(whole):
                continue
            text = f"{excess} {lot.holding} of {whole.id} exceeds its {least} whole units"
            if lot.sign < 0:
                yield Trouble("B2", f"{whole.id} bare", "naked", COVERED, text, tradable=True)
            yield Trouble("B4", f"{whole.id} broken", "close", MENDED, text, tradable=True)
            return

    def _is_under_way(self, whole: Whole) -> bool:
        """Whether an opening of ours has not filled yet."""
        return any(
            intent.fact.role.value == "open" and not intent.ended_by
            for id in (whole.id, *whole.legs)
            for intent in self.retold.of.get(id, ())
        )

    def _is_stuck(self, whole: Whole) -> bool:
        """Whether a leg that is held has nobody on its far side, or trades no more: no order could end it."""
        for lot, _ in self.retold.lots_of(whole):
            name = str(lot.holding.instrument)
            quote = self.witness.engine.last_quote(name)
            far = ZERO if quote is None else (quote.bid if lot.sign > 0 else quote.ask)
            if lot.held and (not far or not self.witness.engine.is_tradable(name)):
                return True
        return False

    def _due_whole(self, whole: Whole) -> str:
        """The stop that asks for its close now, by the market as it truly is; empty when none does."""
        lots, now = self.retold.lots_of(whole), self.witness.engine.now
        entry, since = self.retold.entry(whole), self.retold.opened_at(whole)
        policy = self.rules.policy(whole.strategy, lots[0][0].holding, "option")
        if not entry or since is None or now - since < max(LASTING, policy.minimum_hold):
            return ""
        units = self.retold.units_of(whole)
        if min(units) != max(units) or any(self._in_question(lot) or lot.closing is not None for lot, _ in lots):
            return ""
        worst = best = ZERO
        for lot, ratio in lots:
            quote = self.witness.engine.last_quote(str(lot.holding.instrument))
            if quote is None or not quote.bid or not quote.ask:
                return ""
            near, far = (quote.bid, quote.ask) if ratio > 0 else (quote.ask, quote.bid)
            worst, best = worst + near * points(lot, ratio), best + far * points(lot, ratio)
        basis = whole.anchor or entry
        share = policy.stop_loss or policy.emergency_stop
        stop = whole.stop if whole.stop is not None or share is None else basis - share * abs(basis)
        if stop is None or best - worst > abs(basis - stop):
            return ""
        is_due = worst <= stop - max(MARGIN, abs(basis) * MARGIN)
        return f"closing would bring {worst}, beyond its stop at {stop}" if is_due else ""

    # --- of single contracts ------------------------------------------------------------------------

    def _opens(self, order: Order) -> bool:
        return order.intent.opens or super()._opens(order)

    def _untracked(self, holding: Holding) -> Iterator[Trouble]:
        """Contracts that are over are gone when the broker says so, which is for the end to judge."""
        contract = contract_of(str(holding.instrument))
        if contract is not None and not self.witness.engine.is_tradable(str(holding.instrument)):
            return
        yield from super()._untracked(holding)

    def _closing(self, holding: Holding) -> Iterator[Trouble]:
        """Of what nobody bids for no close can be done."""
        quote = self.witness.engine.last_quote(str(holding.instrument))
        net = self.witness.net(str(holding.instrument))
        if quote is not None and (quote.bid if net > 0 else quote.ask):
            yield from super()._closing(holding)

    def _due(self, lot: Lot) -> str:
        quote = self.witness.engine.last_quote(str(lot.holding.instrument))
        if self.retold.whole_of(lot.id) is not None or quote is None or not quote.bid or not quote.ask:
            return ""
        return "" if self._bounds_another(lot) else super()._due(lot)

    def _bounds_another(self, lot: Lot) -> bool:
        """Whether something sold beside it, in no structure either, may have no other bound: it is kept, aloud."""
        own = contract_of(lot.holding.instrument)
        if own is None or lot.sign < 0:
            return False
        for other in self.retold.lots.values():
            sold = contract_of(other.holding.instrument) if other.held and other.sign < 0 else None
            is_alike = sold is not None and (sold.underlying, sold.right) == (own.underlying, own.right)
            if is_alike and self.retold.whole_of(other.id) is None:
                return True
        return False
