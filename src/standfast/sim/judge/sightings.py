"""What a run has come across: rare situations that must be met sometimes, and the abstract states it was in.

A checker that never meets a race proves nothing about it. Counters name the races; states tell whether new seeds still
bring something new.
"""

from collections import Counter
from hashlib import blake2b

from standfast.exchange.events import Asked, Event, EventKind
from standfast.exchange.orders import STOPS, Order
from standfast.model import journal as j
from standfast.model.ids import ClientOrderId, Holding, InstrumentId, is_own
from standfast.model.order import CLOSING_ROLES, Role
from standfast.sim.judge.liveness import Liveness
from standfast.sim.judge.retold import Fate, Intent, Retold
from standfast.sim.judge.witness import FILLS, Witness

SOMETIMES = (
    "a fill won the race against our cancel",
    "a takeover with an unsettled intent",
    "a takeover with a close under way",
    "taken in while another position there was closing",
    "a fill of ours first heard of by polling",
    "an order in doubt was found later",
    "an order in doubt never arrived",
    "the same id arrived twice",
    "a request arrived after its guard had died",
    "an exit of ours filled in parts",
    "a close filled in parts",
    "an opening filled in parts",
    "a stop was refused",
    "a close was refused",
    "somebody else took an exit away",
    "a quantity changed without a fill",
    "two positions on one holding",
    "a short position",
    "a fill matched what had been adopted",
    "a request was answered in another life",
    "a replace came too late",
    "a position came and went before it was booked",
    "an order of ours arrived while the session was closed",
    "an order of ours arrived while trading was halted",
    "a session ended over a close",
    "prices were suspended",
    "an exit was left to the exchange's check",
)
"""Every counter there is: one that is missing from a long run was never met."""
PLAIN: dict[type[j.Fact], str] = {
    j.OrderNeverArrived: "an order in doubt never arrived",
    j.FillMatched: "a fill matched what had been adopted",
    j.PricesSuspended: "prices were suspended",
}
"""Entries that are such a situation by themselves."""
PARTLY = {Role.OPEN: "an opening filled in parts", Role.CLOSE: "a close filled in parts"}


class Sightings:
    """Told of everything before and after it is judged; never raises."""

    def __init__(self, witness: Witness, retold: Retold, liveness: Liveness) -> None:
        self.sometimes: Counter[str] = Counter()
        self.states: set[str] = set()
        self._witness, self._retold, self._liveness = witness, retold, liveness
        self._doubted: set[str] = set()
        self._dirty: set[str] = set()
        self._was_open = True

    def _intent(self, order: Order) -> Intent | None:
        return self._retold.intents.get(ClientOrderId(self._witness.root(order).client_order_id))

    # --- requests and events --------------------------------------------------------------------

    def arrived(self, asked: Asked, *, is_guarded: bool) -> None:
        """`is_guarded`: whether a guard lives that could have sent it."""
        id = asked.ticket.client_order_id if asked.ticket is not None else None
        if id is None or not is_own(id, self._witness.account):
            return
        if not is_guarded:
            self.sometimes["a request arrived after its guard had died"] += 1
        engine = self._witness.engine
        instrument = asked.ticket.terms.instrument if asked.ticket is not None else ""
        if not engine.is_tradable(instrument):
            what = "trading was halted" if engine.clock().is_open else "the session was closed"
            self.sometimes[f"an order of ours arrived while {what}"] += 1
        intent = self._retold.intents.get(ClientOrderId(id))
        if intent is not None:
            others = self._retold.of.get(intent.fact.position, ())
            if intent.fact.role in CLOSING_ROLES and any(o.cancel_at and o.fate is Fate.WORKING for o in others):
                self.sometimes["an exit was left to the exchange's check"] += 1

    def happened(self, event: Event) -> None:
        self._dirty.add(event.order.instrument)
        order = event.order
        intent = self._intent(order) if self._witness.is_own(order) else None
        if intent is None:
            return
        if event.kind in FILLS:
            self._filled(event, intent)
        elif event.kind in (EventKind.CANCELED, EventKind.EXPIRED) and intent.cancel_at is None:
            if intent.fact.role is not Role.OPEN and order.parent_id is None and not order.filled:
                self.sometimes["somebody else took an exit away"] += 1
        elif event.kind is EventKind.ORDER_REPLACE_REJECTED:
            self.sometimes["a replace came too late"] += 1

    def _filled(self, event: Event, intent: Intent) -> None:
        if intent.cancel_at is not None and intent.fact.role is not Role.OPEN:
            self.sometimes["a fill won the race against our cancel"] += 1
        if event.kind is EventKind.PARTIAL_FILL:
            self.sometimes[PARTLY.get(intent.fact.role, "an exit of ours filled in parts")] += 1

    # --- entries --------------------------------------------------------------------------------

    def committing(self, entry: j.Entry) -> None:
        """Before the entry is retold."""
        fact = entry.fact
        plain = PLAIN.get(type(fact))
        if plain is not None:
            self.sometimes[plain] += 1
        elif isinstance(fact, j.GuardStarted):
            self._took_over()
        else:
            self._committing(fact, entry)

    def _committing(self, fact: j.Fact, entry: j.Entry) -> None:
        if isinstance(fact, j.OrderInDoubt | j.OrderObserved):
            self._found(fact)
        elif isinstance(fact, j.PositionAdopted | j.LotFound):
            if any(lot.closing is not None for lot in self._retold.lots_at(fact.holding)):
                self.sometimes["taken in while another position there was closing"] += 1
        elif isinstance(fact, j.FillBooked):
            self._booked(fact.fill.broker_order_id)
        elif isinstance(fact, j.RequestDone):
            taken = self._retold.taken.get(fact.request, entry.epoch)
            self.sometimes["a request was answered in another life"] += taken != entry.epoch
        elif isinstance(fact, j.OrderRejected):
            self._refused(fact.id)

    def _found(self, fact: j.OrderInDoubt | j.OrderObserved) -> None:
        if isinstance(fact, j.OrderInDoubt):
            self._doubted.add(fact.id)
        elif fact.report.client_id in self._doubted:
            self._doubted.discard(fact.report.client_id)
            self.sometimes["an order in doubt was found later"] += 1

    def _took_over(self) -> None:
        if not self._retold.head:
            return
        if self._retold.unsettled():
            self.sometimes["a takeover with an unsettled intent"] += 1
        if any(lot.closing is not None and not lot.over for lot in self._retold.lots.values()):
            self.sometimes["a takeover with a close under way"] += 1

    def _booked(self, broker_id: str) -> None:
        """A fill of ours that no report by id told of before its booking was found by the read of activities."""
        order = self._witness.engine.order(self._witness.account, broker_id)
        intent = self._intent(order) if self._witness.is_own(order) else None
        if intent is not None and intent.reported <= intent.executed and intent.fact.role is not Role.OPEN:
            self.sometimes["a fill of ours first heard of by polling"] += 1
        is_flat = not self._witness.engine.net(self._witness.account, order.instrument)
        if is_flat and not self._retold.lots_at(Holding(InstrumentId(order.instrument))):
            self.sometimes["a position came and went before it was booked"] += 1

    def _refused(self, id: ClientOrderId) -> None:
        intent = self._retold.intents.get(id)
        if intent is not None and intent.fact.role in CLOSING_ROLES:
            self.sometimes["a close was refused"] += 1
        elif intent is not None and intent.fact.role is Role.STOP:
            self.sometimes["a stop was refused"] += 1

    # --- states ---------------------------------------------------------------------------------

    def touch(self, instrument: str) -> None:
        self._dirty.add(instrument)

    def tick(self) -> None:
        """Note the states of what has changed since the last second."""
        for instrument in sorted(self._dirty):
            self._note(instrument)
        self._dirty.clear()

    def _note(self, instrument: str) -> None:
        holding, engine = Holding(InstrumentId(instrument)), self._witness.engine
        before = self._witness.external_at.get(instrument)
        net, orders = self._witness.net(instrument), self._witness.working(instrument)
        if self._witness.external_at.get(instrument) != before:
            self.sometimes["a quantity changed without a fill"] += 1
        lots = [lot for lot in self._retold.lots_at(holding) if lot.held or lot.asked]
        self.sometimes["a short position"] += net < 0
        self.sometimes["two positions on one holding"] += len(lots) > 1
        is_open = engine.clock().is_open
        if self._was_open and not is_open and any(lot.closing is not None for lot in lots):
            self.sometimes["a session ended over a close"] += 1
        self._was_open = is_open
        phases = sorted({_phase(lot.closing is not None, bool(lot.held), lot.is_guarded) for lot in lots})
        exposed, closing = self._liveness.exposed(holding, orders)
        cover = "none" if not net else "whole" if exposed <= 0 else "bare" if exposed >= abs(net) else "part"
        pending = sorted({f"{each.fact.role}/{each.fate}" for each in self._retold.working(holding)})
        cancelling = any(each.cancel_at is not None for each in self._retold.working(holding))
        foreign = any(not self._witness.is_own(order) for order in orders)
        triggered = any(order.triggered_at is not None for order in orders if order.terms.type in STOPS)
        session = "trading" if engine.is_tradable(instrument) else "halted" if is_open else "closed"
        agreed = "agreed" if net == self._retold.net(holding) else "apart"
        health = "healthy" if self._liveness.is_healthy(instrument) else "not"
        sign = "long" if net > 0 else "short" if net < 0 else "flat"
        parts = (sign, phases, cover, closing > 0, pending, cancelling, foreign, triggered, session, agreed, health)
        self.states.add(blake2b(repr(parts).encode(), digest_size=8).hexdigest())


def _phase(is_closing: bool, is_held: bool, is_guarded: bool) -> str:  # noqa: FBT001 - three answers in their order
    if not is_guarded:
        return "foreign"
    if is_closing:
        return "closing"
    return "open" if is_held else "opening"
