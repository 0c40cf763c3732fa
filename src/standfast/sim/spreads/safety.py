"""Safety of spreads: what `judge.safety` says of one contract, said of orders for several and of legs together.

Beside its rules (S1, S2, S4, S5 hold for each leg of an order for all of them):

- S14: the cover goes last: what is bought is not sold while what was sold with it is still there. Judged when it is
  meant, by what the journal says is held: by fills, booked or read by id.
- S15: a close for the price's sake is asked for at a price that was. Judged by the exchange's quotes of the last
  minute, each leg at the side that closing it would meet, each taken at its best for the claim.
"""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.policy import Mode
from standfast.exchange.contracts import contract_of
from standfast.exchange.events import Asked, Event
from standfast.model import journal as j
from standfast.model.ids import ClientOrderId, Holding, is_own
from standfast.model.order import CLOSING_ROLES, Role
from standfast.model.position import CloseReason
from standfast.sim.judge.retold import ZERO, Fate
from standfast.sim.judge.safety import Safety
from standfast.sim.judge.witness import FILLS
from standfast.sim.spreads.retold import SpreadRetold, Whole, points
from standfast.sim.watch import Violation

LATELY = timedelta(seconds=60)
"""A quote may be so old when a rule is judged by it and its close committed."""
ROUNDING = Decimal("0.01")
BY_LOSS = frozenset({CloseReason.STOP_LOSS, CloseReason.EMERGENCY_STOP})


class SpreadSafety(Safety):
    """As `Safety`; its journal is retold with structures."""

    retold: SpreadRetold
    seen: dict[str, deque[tuple[datetime, Decimal, Decimal]]] | None = None
    """Quotes (when, bid, ask) of the last minute and the one before them, by contract, while nothing hid them."""

    # --- requests as they arrive ----------------------------------------------------------------

    def arrived(self, asked: Asked) -> None:
        ticket = asked.ticket
        if ticket is None or not ticket.legs or not is_own(ticket.client_order_id or "", self.rules.account):
            super().arrived(asked)
            return
        id = ClientOrderId(ticket.client_order_id or "")
        meant, intent = self.retold.together.get(id), self.retold.intents.get(id)
        if meant is None or intent is None:
            raise Violation("S1", f"{id} arrives and no entry says that it was meant")
        if self.rules.mode is not Mode.REPAIR:
            raise Violation("S12", f"{id} arrives in mode {self.rules.mode}: only repair sends orders")
        if self.witness.find(id) is not None:
            self.sometimes["the same id arrived twice"] += 1
        if intent.fate is Fate.OVER:
            raise Violation("S5", f"{id} arrives after it was settled as {intent.ended_by}")
        self._check_together(asked, meant)

    def _check_together(self, asked: Asked, meant: j.TogetherIntended) -> None:
        ticket = asked.ticket
        assert ticket is not None
        assert ticket.terms.quantity is not None
        units = ticket.terms.quantity
        legs = {leg.instrument: (leg.intent.side.value, leg.ratio * units) for leg in ticket.legs}
        wanted = {str(leg.holding.instrument): (leg.terms.side.value, leg.terms.quantity) for leg in meant.legs}
        limit = None if meant.net is None else -meant.net
        if legs != wanted or ticket.terms.limit_price != limit:
            raise Violation(
                "S1", f"{meant.id} arrives as {legs} at {ticket.terms.limit_price}, meant: {wanted} at {limit}"
            )
        if meant.role is not Role.OPEN:
            for leg in meant.legs:
                self._check_leg_reduces(meant, leg)

    def _check_leg_reduces(self, meant: j.TogetherIntended, leg: j.LegIntended) -> None:
        """S4 of one leg: unless somebody else has just traded, no more is asked for than is held."""
        name = leg.holding.instrument
        net, sign = self.witness.net(name), -leg.terms.side.sign
        if leg.terms.quantity > max(net * sign, ZERO) and not self.witness.is_disturbed(name):
            raise Violation(
                "S4", f"{meant.id} asks to {leg.terms.side} {leg.terms.quantity} of {name}, and {net} is held"
            )

    # --- the exchange's events ------------------------------------------------------------------

    def happened(self, event: Event) -> None:
        order = event.order
        if event.kind in FILLS and order.is_multileg:
            return  # its legs fill, each with an event of its own
        if event.kind not in FILLS or not order.is_leg or not self.witness.is_own(order):
            super().happened(event)
            return
        intent = self.retold.intents.get(ClientOrderId(self.witness.root(order).client_order_id))
        if intent is None:
            raise Violation("S1", f"{order.client_order_id} fills and no entry says that it was meant")
        if intent.fate is Fate.OVER and intent.ended_by != "filled":
            raise Violation("S5", f"{intent.fact.id} fills after it was settled as {intent.ended_by}")
        if intent.fact.role is not Role.OPEN:
            self._check_towards_zero(event, intent)

    # --- the journal's entries ------------------------------------------------------------------

    def committing(self, entry: j.Entry) -> None:
        super().committing(entry)
        fact = entry.fact
        if isinstance(fact, j.OrderIntended) and fact.role in CLOSING_ROLES:
            self._check_cover_goes_last(fact)
        elif isinstance(fact, j.TogetherIntended):
            self._check_together_meant(fact)
        elif isinstance(fact, j.CloseRequested) and fact.by == "guard":
            self._check_price_was(fact, entry.at)

    def _check_together_meant(self, fact: j.TogetherIntended) -> None:
        whole = self.retold.wholes.get(fact.structure)
        if fact.id in self.retold.intents:
            raise Violation("S1", f"{fact.id} is meant twice")
        if whole is None or not whole.is_guarded:
            raise Violation("S3", f"{fact.id} is meant for {fact.structure}, which is no structure of ours")
        for other in self.retold.of.get(fact.structure, ()):
            if other.fate is not Fate.OVER:
                raise Violation("S6", f"{fact.id} is meant while {other.fact.id} is {other.fate}")
        if fact.role is Role.OPEN:
            return
        for leg in fact.legs:
            lot = self.retold.lots[leg.position]
            if leg.terms.quantity > lot.held or leg.terms.side.sign == lot.sign:
                raise Violation("S4", f"{fact.id} is meant to {leg.terms.side} {leg.terms.quantity}, {lot.held} held")

    def _check_cover_goes_last(self, fact: j.OrderIntended) -> None:
        """S14."""
        whole = self.retold.whole_of(fact.position)
        lot = self.retold.lots.get(fact.position)
        if whole is None or lot is None or lot.sign < 0 or contract_of(lot.holding.instrument) is None:
            return
        left = (self.retold.held(lot) - fact.terms.quantity) / abs(whole.legs[lot.id])
        for other, ratio in self.retold.lots_of(whole):
            sold = self.retold.held(other) / abs(ratio)
            if ratio < 0 and sold > left and not self._is_over(other.holding):
                raise Violation(
                    "S14",
                    f"{fact.id} sells {fact.terms.quantity} of {lot.holding} while {other.held} of {other.holding}, "
                    f"sold with it in {whole.id}, is still there",
                )

    def _is_over(self, holding: Holding) -> bool:
        """Whether it can be traded no more: nobody could buy it back."""
        engine = self.witness.engine
        contract = contract_of(holding.instrument)
        return contract is not None and not engine.is_tradable(holding.instrument) and engine.clock().is_open

    # --- prices ---------------------------------------------------------------------------------

    def _check_price_was(self, fact: j.CloseRequested, at: datetime) -> None:
        """S15."""
        whole = self.retold.wholes.get(fact.position)
        if whole is None or self.seen is None or whole.trailed:
            return
        entry = self.retold.entry(whole)
        policy = self.rules.policy(whole.strategy, self.retold.lots_of(whole)[0][0].holding, "option")
        if not entry:
            return
        if fact.reason in BY_LOSS:
            share = policy.stop_loss if fact.reason is CloseReason.STOP_LOSS else policy.emergency_stop
            level = whole.stop if fact.reason is CloseReason.STOP_LOSS else None
            if level is None and share is not None:
                basis = whole.anchor or entry
                level = basis - share * abs(basis)
            lowest = self._net_within(whole, lowest=True)
            if level is not None and lowest is not None and lowest > level + ROUNDING:
                raise Violation("S15", f"{whole.id} is closed at {level} ({fact.detail}), and never was below {lowest}")
        elif fact.reason is CloseReason.TAKE_PROFIT and policy.take_profit is not None and whole.anchor is None:
            level = entry + policy.take_profit * abs(entry)
            highest = self._net_within(whole, lowest=False)
            if highest is not None and highest < level - ROUNDING:
                text = f"{whole.id} is closed at {level} ({fact.detail}), and never was above {highest}"
                raise Violation("S15", text)

    def _net_within(self, whole: Whole, *, lowest: bool) -> Decimal | None:
        """What closing one unit would have brought at the worse sides, at the least or most of each leg's minute."""
        assert self.seen is not None
        total, since = ZERO, self.witness.engine.now - LATELY
        for lot, ratio in self.retold.lots_of(whole):
            quotes = self.seen.get(str(lot.holding.instrument))
            if not quotes or quotes[0][0] > since:
                return None
            prices = [bid if ratio > 0 else ask for _, bid, ask in quotes]
            total += (min if (ratio > 0) == lowest else max)(prices) * points(lot, ratio)
        return total
