"""A put spread at the toy broker: legs asked for as one position, orders for all of them filled or refused as one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from standfast.core.acts import take
from standfast.core.fills import book_fill
from standfast.core.identity import WHOLE
from standfast.core.policy import HeldBy, Policy
from standfast.core.situation import Sight
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.effects import Effect, SubmitOrder, SubmitTogether
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, PositionId, RequestId
from standfast.model.order import ZERO, OrderReport, OrderState, Role, Side
from standfast.model.structure import BookedStructure
from tests.core.situations import CONTRACT, D, fill, folded, quoted, report, ruled, told
from tests.core.structures import at
from tests.core.toy_broker import Desk, reported

SOLD, BOUGHT = at("P", 3800), at("P", 3700)
LEGS = f"{SOLD}:-1 {BOUGHT}:+1"
TOGETHER = replace(CONTRACT, multileg=True, unique_ids=False)
ALONE = replace(CONTRACT, multileg=False)
SPREADS = Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=D("0.5"))


def prices(
    sold: tuple[str, str] = ("4.40", "4.50"), bought: tuple[str, str] = ("0.70", "0.80")
) -> dict[Holding, Sight]:
    return {SOLD: quoted(*sold), BOUGHT: quoted(*bought)}


@dataclass(slots=True, kw_only=True)
class SpreadDesk(Desk):
    """Fills what is sent at the price of its leg's quote, at once."""

    refuses_together: bool = False
    fills_together: Callable[[SubmitTogether], bool] = lambda effect: True
    fills_leg: Callable[[SubmitOrder], bool] = lambda effect: True
    together: list[SubmitTogether] = field(default_factory=list)

    def _carry_out(self, effect: Effect) -> bool:
        if not isinstance(effect, SubmitTogether):
            return Desk._carry_out(self, effect)
        self.sent.append(effect)
        self.together.append(effect)
        if self.refuses_together:
            self.tell(j.OrderRejected(id=effect.intent.id, reason="no form for it", kind="other"))
            return True
        shown = self._shown(effect)
        self.orders[shown.broker_id] = shown
        self.tell(j.OrderAccepted(id=effect.intent.id, broker_id=shown.broker_id))
        self.tell(j.OrderObserved(report=shown, position=effect.intent.structure, role=effect.intent.role))
        if self.fills_together(effect):
            self.fill_together(effect)
        return True

    def _shown(self, effect: SubmitTogether) -> OrderReport:
        intent, parent = effect.intent, BrokerOrderId(f"b-{effect.intent.id}")
        legs = tuple(
            replace(
                reported(ClientOrderId(f"leg-{place}"), leg.holding, leg.terms),
                broker_id=BrokerOrderId(f"{parent}-{place}"),
                parent_id=parent,
            )
            for place, leg in enumerate(intent.legs)
        )
        return report(
            parent, client=intent.id, side=Side.BUY, quantity=intent.units, holding=WHOLE, legs=legs, order_class="mleg"
        )

    def fill_together(self, effect: SubmitTogether) -> None:
        shown = self.orders[BrokerOrderId(f"b-{effect.intent.id}")]
        done: dict[str, Any] = {"state": OrderState.FILLED}
        legs = tuple(replace(leg, filled=leg.quantity, average_price=self._price(leg), **done) for leg in shown.legs)
        self.orders[shown.broker_id] = replace(shown, filled=shown.quantity, legs=legs, **done)
        self.observe(shown.broker_id)
        for leg in legs:
            self._book(leg)

    def _book(self, leg: OrderReport) -> None:
        self.net[leg.holding] = self.net.get(leg.holding, ZERO) + leg.quantity * leg.side.sign
        self.executions += 1
        assert leg.average_price is not None
        made = fill(
            f"x{self.executions}",
            leg.broker_id,
            leg.side,
            leg.quantity,
            leg.average_price,
            holding=leg.holding,
            at=self.now,
        )
        self.tell(*book_fill(self.book, self.rules, made))

    def _price(self, leg: OrderReport) -> Decimal:
        return self.sights[leg.holding].quote.closing_price(-leg.side.sign)

    def _submit(self, effect: SubmitOrder) -> None:
        Desk._submit(self, effect)
        shown = self.orders.get(BrokerOrderId(f"b-{effect.intent.id}"))
        if shown is not None and not shown.is_finished and self.fills_leg(effect):
            self.fill(shown.broker_id, price=str(self._price(shown)))

    def act(self, verb: str, **arguments: str) -> list[j.Fact]:
        """An operator's act, taken; what came of it so far."""
        self.read()
        taken = j.RequestTaken(request=RequestId(f"r{self.book.head}"), verb=verb, arguments=arguments, by="test")
        facts = list(take(self.situation(), taken, lambda number: None))
        self.tell(*facts)
        return facts

    def open(self, **changes: str) -> list[j.Fact]:
        return self.act("open", **({"legs": LEGS, "quantity": "3", "credit": "3.60", "key": "k"} | changes))

    @property
    def structure(self) -> BookedStructure:
        (found,) = self.book.state.structures.values()
        return found

    @property
    def ended(self) -> BookedStructure:
        (found,) = self.book.state.closed_structures.values()
        return found

    def leg(self, holding: Holding) -> PositionId:
        known = [*self.book.state.structures.values(), *self.book.state.closed_structures.values()][0]
        return next(leg.position for leg in known.legs if leg.holding == holding)

    def done(self) -> list[tuple[str, Holding]]:
        """Orders of single legs in the turn they were sent."""
        return [(e.intent.terms.side.value, e.intent.holding) for e in self.sent if isinstance(e, SubmitOrder)]


def spread_desk(contract: Contract = TOGETHER, **changes: Any) -> SpreadDesk:
    settings: dict[str, Any] = {"rules": ruled(SPREADS), "sights": prices(), "fills_markets": False, **changes}
    return SpreadDesk(book=folded(), contract=contract, **settings)


def opened(contract: Contract = TOGETHER, **changes: Any) -> SpreadDesk:
    """Three of it, sold for 3.60, held whole."""
    desk = spread_desk(contract, **changes)
    desk.open()
    desk.run()
    desk.wait(30)
    desk.run()
    desk.sent.clear()
    desk.together.clear()
    return desk


__all__ = ["ALONE", "BOUGHT", "SOLD", "TOGETHER", "Role", "SpreadDesk", "opened", "prices", "spread_desk", "told"]
