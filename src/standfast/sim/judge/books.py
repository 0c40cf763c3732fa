"""S5 to S7, S10 of the books: what is put down as so is so, each quantity once, and what is answered is true."""

from decimal import Decimal

from standfast.core.policy import Foreign, Rules
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, PositionId
from standfast.model.order import OrderReport, Role
from standfast.sim.judge.retold import ZERO, Intent, Retold
from standfast.sim.judge.witness import WINDOW, Witness
from standfast.sim.watch import Violation


def truly_filled(witness: Witness, intent: Intent) -> Decimal:
    """What an order of ours and its legs have filled at the exchange."""
    order = witness.find(intent.fact.id)
    if order is None:
        return ZERO
    return sum((witness.filled.get(id, ZERO) for id in (order.id, *order.leg_ids)), ZERO)


class Books:
    """Told of every entry before it is retold, and of every commit afterwards."""

    def __init__(self, witness: Witness, retold: Retold, rules: Rules) -> None:
        self.witness, self.retold, self.rules = witness, retold, rules

    def committing(self, entry: j.Entry) -> None:
        """Before the entry is retold: what it says, against what is so."""
        fact = entry.fact
        if isinstance(fact, j.OrderObserved):
            for report in (fact.report, *fact.report.legs):
                self._check_reported(report)
        elif isinstance(fact, j.FillBooked | j.FillMatched):
            self._check_fill(fact)
        elif isinstance(fact, j.PositionSettled | j.PositionWrittenOff):
            self._check_settled(fact)

    def committed(self, entry: j.Entry) -> None:
        """After its whole commit is retold: whether what it leaves can be so."""
        match entry.fact:
            case j.PositionAdopted(holding=holding):
                self._check_taken_in(holding, "adopted")
                self._check_once(holding)
            case j.FillBooked(fill=fill):
                self._check_once(fill.holding)
            case j.ForeignAcknowledged(holding=holding, by="policy") if self._is_ignored(holding):
                self._check_taken_in(holding, "acknowledged")
            case j.MovedOut(holding=holding):
                self._check_taken_in(holding, "moved out")
            case j.RequestDone(request=request, ok=True, detail=detail) if request in self.retold.asked:
                self._check_done(self.retold.asked[request], detail)
            case _:
                pass

    def _check_reported(self, report: OrderReport) -> None:
        """S6: an order is over when the exchange says so, and has filled no more than it says."""
        order = self.witness.engine.order(self.rules.account, report.broker_id)
        if report.is_finished and not order.is_finished:
            raise Violation(
                "S6", f"{report.client_id} is observed {report.state}, and the exchange has it {order.status}"
            )
        if report.filled > order.filled and report.holding not in self.retold.rescaled:
            raise Violation("S7", f"{report.client_id} is observed to have filled {report.filled}, not {order.filled}")

    def _check_fill(self, fact: j.FillBooked | j.FillMatched) -> None:
        """S7: every quantity comes from a fill that was, each counted once."""
        fill, execution = fact.fill, fact.fill.execution_id
        if execution in self.retold.executions:
            raise Violation("S7", f"execution {execution} is counted twice")
        order = self.witness.engine.order(self.rules.account, fill.broker_order_id)
        counted = self.retold.booked.get(fill.broker_order_id, ZERO) + fill.quantity
        if counted > self.witness.filled.get(order.id, ZERO):
            raise Violation("S7", f"{counted} of {order.client_order_id} are counted, {order.filled} have filled")
        if (order.side.value, order.instrument) != (fill.side.value, fill.holding.instrument):
            raise Violation("S7", f"execution {execution} is booked as {fill.side} {fill.holding}: it was {order.side}")
        intent = self.retold.intents.get(ClientOrderId(order.client_order_id))
        opened = [a.position for a in fact.allocations if a.opens] if isinstance(fact, j.FillBooked) else []
        if intent is not None and intent.fact.role is Role.OPEN and opened not in ([], [intent.fact.position]):
            raise Violation("S7", f"{intent.fact.id} has opened {intent.fact.position}, and is booked to {opened}")
        if isinstance(fact, j.FillBooked) and sum((a.quantity for a in fact.allocations), ZERO) != fill.quantity:
            raise Violation("S7", f"execution {execution} of {fill.quantity} is shared out as {fact.allocations}")

    def _check_settled(self, fact: j.PositionSettled | j.PositionWrittenOff) -> None:
        """S7: a position leaves the books only when its fills add up, and none of its orders has filled unbooked."""
        if isinstance(fact, j.PositionWrittenOff):
            if fact.by in ("guard", "policy", ""):
                raise Violation("S7", f"{fact.position} is written off by {fact.by!r}: only an operator's word may")
            return
        lot = self.retold.lots.get(fact.position)
        if lot is None:
            raise Violation("S7", f"{fact.position} is settled and was never there")
        if lot.held != 0:
            raise Violation("S7", f"{fact.position} is settled with {lot.held} held: {fact.proof}")
        if lot.holding in self.retold.rescaled:
            return  # exits of before a split ask for more than their lots hold: what they fill runs over into others
        for intent in self.retold.of.get(fact.position, ()):
            filled = truly_filled(self.witness, intent)
            if filled > intent.executed + self._executed_by_legs(intent):
                raise Violation("S7", f"{fact.position} is settled, {intent.fact.id} has filled {filled} unbooked")

    def _executed_by_legs(self, intent: Intent) -> Decimal:
        order = self.witness.find(intent.fact.id)
        legs = order.leg_ids if order is not None else ()
        return sum((self.retold.booked.get(BrokerOrderId(id), ZERO) for id in legs), ZERO)

    def _check_once(self, holding: Holding) -> None:
        """S7: what was taken in from a read is still explained by fills that are not booked: none is counted twice."""
        is_reshaped = holding.instrument in self.witness.reshaped or holding in self.retold.rescaled
        if is_reshaped or holding in self.retold.written_off:
            return
        bought, sold = self.witness.traded.get(holding.instrument, (ZERO, ZERO))
        bought_booked, sold_booked = self.retold.traded.get(holding, (ZERO, ZERO))
        taken_in = self.retold.booked_net(holding) - (bought_booked - sold_booked)
        unbooked = bought - bought_booked if taken_in > 0 else sold - sold_booked
        if abs(taken_in) > unbooked:
            raise Violation(
                "S7", f"{taken_in} {holding} was taken in, and only {unbooked} of what was filled is not booked besides"
            )

    def _check_done(self, asked: j.RequestTaken, detail: str) -> None:
        """S10: what is answered as done is done."""
        if asked.verb == "close":
            lot = self.retold.lots.get(PositionId(asked.arguments.get("position", "")))
            closing = lot.closing if lot is not None and not lot.over else None
            if (
                lot is not None
                and closing is not None
                and closing.request == asked.request
                and lot.held > closing.remain
            ):
                raise Violation("S10", f"a close is answered as done, {lot.held} of {lot.id} is held: {detail}")
        left = self._left() if asked.verb == "flatten" else ""
        if left:
            raise Violation("S10", f"a flatten is answered as done ({detail}), and {left}")

    def _left(self) -> str:
        """What of ours a flatten has left; empty when nothing is."""
        for lot in self.retold.lots.values():
            if not lot.over and lot.is_guarded and lot.held:
                return f"{lot.held} of {lot.id} is held"
        for intent in self.retold.intents.values():
            order = self.witness.find(intent.fact.id) if intent.fact.role is Role.OPEN else None
            if order is not None and not order.is_finished:
                return f"{intent.fact.id} works"
        return ""

    def _is_ignored(self, holding: Holding) -> bool:
        """Only then all that is foreign is acknowledged; elsewhere a part may be, for a fill to take off again."""
        return self.rules.foreign_for(holding) is Foreign.IGNORE

    def _check_taken_in(self, holding: Holding, how: str) -> None:
        """S7: what is taken in was there, so that the books then say what the exchange has said not long ago."""
        booked = self.retold.net(holding)
        nets = self.witness.nets_within(holding.instrument, WINDOW)
        within = min(*nets, ZERO) <= booked <= max(*nets, ZERO)
        if booked not in nets and not within:  # a part may be taken in for a sale that has just eaten it
            raise Violation("S7", f"{holding} is {how} and booked as {booked}, which it never was: {nets}")
