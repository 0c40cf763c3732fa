"""B9: once the faults have stopped, everything converges, and then nothing moves."""

from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.policy import Mode, Rules
from standfast.exchange.events import Asked, Event
from standfast.model.ids import ClientOrderId, Holding, InstrumentId, is_own
from standfast.model.order import Role
from standfast.sim.judge.liveness import Liveness
from standfast.sim.judge.retold import Lot, Retold
from standfast.sim.judge.witness import FILLS, Witness
from standfast.sim.watch import Violation

CONVERGED = timedelta(seconds=300)
STILL = timedelta(seconds=60)
"""For so long after a price moved, something filled or a rule of time came due, an order has its reason."""
AGAIN = timedelta(seconds=120)
"""What a rule of time (a longest hold) brings about once everything had converged is done within this."""


class Quiet:
    """From the moment at which nothing goes wrong any more and nobody else trades."""

    def __init__(self, witness: Witness, retold: Retold, liveness: Liveness, rules: Rules) -> None:
        self._witness, self._retold, self._liveness, self._rules = witness, retold, liveness, rules
        self.began = witness.engine.now
        self.converged_at: datetime | None = None
        self._missing_since: datetime | None = None
        self._moved: dict[str, datetime] = {}
        self._prices: dict[str, tuple[Decimal, Decimal]] = {}
        self._asked: tuple[datetime, str, str] | None = None

    @property
    def is_due(self) -> bool:
        return self._witness.engine.now - self.began > CONVERGED

    @property
    def is_still(self) -> bool:
        """Whether all has converged and nothing has been asked for since."""
        return self._asked is None and self._missing_since is None and self.converged_at is not None

    def happened(self, event: Event) -> None:
        if event.kind in FILLS:
            self._moved[event.order.instrument] = event.at

    def arrived(self, asked: Asked) -> None:
        """Remember what the guard asks for when all shall be still."""
        if not self.is_due or self._asked is not None:
            return
        if asked.ticket is not None:
            id, instrument = asked.ticket.client_order_id or "", asked.ticket.terms.instrument
        else:
            order = self._witness.engine.order(asked.account, asked.order_id)
            id, instrument = self._witness.root(order).client_order_id, order.instrument
        if is_own(id, self._rules.account):
            self._asked = (asked.at, instrument, id)
            is_new = asked.ticket is not None
            if self._is_called_for(instrument, asked.at) or (is_new and self._is_put_back(instrument, id)):
                self._asked = None

    def _is_called_for(self, instrument: str, now: datetime) -> bool:
        """Whether the clock alone is reason enough: a close was decided, or a shortest hold has ended, not long ago."""
        lots = self._retold.lots_at(Holding(InstrumentId(instrument)))
        return any(
            (lot.closing_at is not None and now - lot.closing_at <= STILL) or self._has_come_of_age(lot, now)
            for lot in lots
        )

    def _is_put_back(self, instrument: str, id: str) -> bool:
        """Whether it is an exit for one that somebody took away, longer ago each time."""
        intent = self._retold.intents.get(ClientOrderId(id))
        return (
            intent is not None and intent.fact.role in (Role.STOP, Role.TARGET) and self._liveness.may_wait(instrument)
        )

    def _has_come_of_age(self, lot: Lot, now: datetime) -> bool:
        hold = self._rules.policy(lot.strategy, lot.holding).minimum_hold
        return bool(hold) and lot.opened_at is not None and abs(now - lot.opened_at - hold) <= STILL

    def tick(self, now: datetime) -> None:
        for asset in self._witness.engine.assets():
            quote = self._witness.engine.last_quote(asset.instrument)
            if quote is not None and self._prices.get(asset.instrument) != (quote.bid, quote.ask):
                self._prices[asset.instrument] = (quote.bid, quote.ask)
                self._moved[asset.instrument] = now
        if self._asked is not None:
            at, instrument, id = self._asked
            is_still = at - self._moved.get(instrument, self.began) > STILL and self._is_tradable()
            if is_still and not self._is_turned_away(instrument, id):
                raise Violation(
                    "B9", f"{id} is asked for {at - self.began} after the last fault, and nothing had moved"
                )
            self._asked = None
        missing = self.missing()
        if missing:
            self._missing_since = self._missing_since or now
            is_late = self.converged_at is None or now - self._missing_since > AGAIN
            if self.is_due and is_late and self._is_tradable():
                raise Violation("B9", f"not converged {now - self.began} after the last fault: {missing}")
        else:
            self._missing_since = None
            self.converged_at = self.converged_at or now

    def _is_turned_away(self, instrument: str, id: str) -> bool:
        """Whether it was refused, and is tried again for ever: somebody else's orders hold the quantity, or the market
        stands around its stop, which can rest no more than its rule can fire."""
        if self._witness.find(id) is not None:
            return False
        intent, quote = self._retold.intents.get(ClientOrderId(id)), self._witness.engine.last_quote(instrument)
        stop = intent.fact.terms.stop_price if intent is not None else None
        if stop is not None and quote is not None and quote.bid <= stop <= quote.ask:
            return True
        return any(not self._witness.is_own(order) for order in self._witness.working(instrument))

    def _is_tradable(self) -> bool:
        return all(self._witness.engine.is_tradable(asset.instrument) for asset in self._witness.engine.assets())

    def missing(self) -> str:
        """The first thing that is not yet as it shall be; empty once everything is."""
        if self._rules.mode is not Mode.REPAIR:
            return ""
        for intent in self._retold.unsettled():
            return f"{intent.fact.id} is {intent.fate}"
        for asset in self._witness.engine.assets():
            for trouble in self._liveness.troubles(asset.instrument):
                return f"{trouble.id} {trouble.text}"
            for order in self._witness.working(asset.instrument):
                root = self._witness.root(order)
                if self._witness.is_own(order) and ClientOrderId(root.client_order_id) not in self._retold.intents:
                    return f"{order.client_order_id} works and is in no entry"
        return ""

    def finish(self) -> None:
        """At the end of a quiet phase that was long enough everything has converged."""
        missing = self.missing()
        if missing and self.converged_at is None and self.is_due and self._is_tradable():
            raise Violation("B9", f"not converged at the end: {missing}")
