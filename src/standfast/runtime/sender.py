"""The only caller of a broker write.

Every intent it is given is in the journal already, and whatever comes of it is recorded: accepted, rejected,
never left, or in doubt. Holdings go side by side; within one, one order effect at a time, most urgent first. An order
whose fills are all booked keeps nobody waiting for its answer, nor for that to its cancel: what it opened is protected,
or closed, meanwhile.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from itertools import count
from typing import cast

import structlog

from standfast.core.identity import contradiction, named
from standfast.model.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder, SubmitTogether, Turn, Urgency
from standfast.model.errors import OutcomeUnknown, Rejected, Unauthorised, Unreachable, Withdrawn
from standfast.model.ids import Holding
from standfast.model.journal import (
    CancelAnswered,
    CopyRefused,
    Fact,
    OrderAccepted,
    OrderInDoubt,
    OrderIntended,
    OrderNotSent,
    OrderObserved,
    OrderRejected,
    TogetherIntended,
)
from standfast.model.order import LegTerms, OrderReport
from standfast.ports import SendsTogether
from standfast.runtime.ledger import Ledger

log = structlog.get_logger("standfast.sender")

OrderEffect = SubmitOrder | SubmitTogether | ReplaceOrder | CancelOrder
Intent = OrderIntended | TogetherIntended
Spawn = Callable[[Awaitable[None], str], None]


class Sender:
    """Queues by holding; `busy` names those with something under way or waiting."""

    def __init__(
        self,
        ledger: Ledger,
        spawn: Spawn,
        finished: Callable[[Holding], None],
        why_not: Callable[[Intent], str],
    ) -> None:
        """`why_not` says why an order shall not leave after all; asked when its turn has come."""
        self.ledger = ledger
        self._spawn, self._finished, self._why_not = spawn, finished, why_not
        self._queues: defaultdict[Holding, list[tuple[int, float, int, OrderEffect]]] = defaultdict(list)
        self._ticket = count()
        self._running: dict[Holding, OrderEffect | None] = {}
        """Whose turn it is; None in between."""

    @property
    def busy(self) -> frozenset[Holding]:
        return frozenset(holding for holding in self._running if not self._is_over(holding))

    def put(self, effect: OrderEffect) -> None:
        holding = effect.holding
        rank = 0.0 if isinstance(effect, ReplaceOrder) else effect.rank
        heappush(self._queues[holding], (effect.urgency, rank, next(self._ticket), effect))
        if holding not in self._running or self._is_over(holding):
            self._running[holding] = None
            self._spawn(self._drain(holding), f"send {holding}")

    async def _drain(self, holding: Holding) -> None:
        """Until nothing waits, or another has gone on in its place."""
        effect: OrderEffect | None = None
        try:
            while self._running.get(holding) is effect and (queue := self._queues.get(holding)):
                *_, effect = heappop(queue)
                self._running[holding] = effect
                await self.ledger.record(await self._perform(effect))
        finally:
            if self._running.get(holding) is effect:
                self._running.pop(holding, None)
                self._queues.pop(holding, None)
        self._finished(holding)

    def _is_over(self, holding: Holding) -> bool:
        """Whether what is under way there is of an order whose fills are all booked: no answer tells any more then."""
        match self._running.get(holding):
            case SubmitOrder(intent=intent):
                order = self.ledger.book.state.orders.get(intent.id)
                return order is not None and order.executed >= intent.terms.quantity
            case CancelOrder(broker_id=id):
                order = self.ledger.book.order_by_broker(id)
                return order is not None and order.executed >= order.quantity
            case _:
                return False

    async def _perform(self, effect: OrderEffect) -> list[Fact]:
        match effect:
            case SubmitOrder():
                return await self._submit(effect)
            case SubmitTogether():
                return await self._submit_together(effect)
            case ReplaceOrder():
                return await self._replace(effect)
            case CancelOrder():
                return await self._cancel(effect)

    async def _submit(self, effect: SubmitOrder) -> list[Fact]:
        intent = effect.intent
        try:
            report = await self.ledger.broker.submit(
                intent.id,
                intent.holding,
                intent.terms,
                Turn(effect.urgency, effect.rank, lambda: not self._why_not(intent)),
            )
        except Rejected as error:
            if error.kind == "duplicate_id":
                return [OrderInDoubt(id=intent.id, reason=f"the broker knows this id: {error}")]
            if effect.again:  # an earlier copy may be on its way still: this answer is about this one only
                return [CopyRefused(id=intent.id, reason=str(error), kind=error.kind, code=error.code)]
            return [OrderRejected(id=intent.id, reason=str(error), kind=error.kind, code=error.code)]
        except Withdrawn:
            return self._withdrawn(intent)
        except (Unreachable, Unauthorised) as error:
            return [OrderNotSent(id=intent.id, reason=str(error))]
        except OutcomeUnknown as error:
            return [OrderInDoubt(id=intent.id, reason=str(error))]
        return self._accepted(effect, report)

    async def _submit_together(self, effect: SubmitTogether) -> list[Fact]:
        intent, broker = effect.intent, cast(SendsTogether, self.ledger.broker)  # its contract says so
        try:
            report = await broker.submit_together(
                intent.id,
                [LegTerms(leg.holding, leg.terms) for leg in intent.legs],
                intent.net,
                Turn(effect.urgency, effect.rank, lambda: not self._why_not(intent)),
            )
        except Rejected as error:
            if error.kind == "duplicate_id":
                return [OrderInDoubt(id=intent.id, reason=f"the broker knows this id: {error}")]
            return [OrderRejected(id=intent.id, reason=str(error), kind=error.kind, code=error.code)]
        except Withdrawn:
            return self._withdrawn(intent)
        except (Unreachable, Unauthorised) as error:
            return [OrderNotSent(id=intent.id, reason=str(error))]
        except OutcomeUnknown as error:
            return [OrderInDoubt(id=intent.id, reason=str(error))]
        return [
            OrderAccepted(id=intent.id, broker_id=report.broker_id),
            OrderObserved(report=report, position=intent.structure, role=intent.role),
        ]

    def _accepted(self, effect: SubmitOrder | ReplaceOrder, report: OrderReport) -> list[Fact]:
        """An answer to a write is about the order it asks for, or proves nothing."""
        intent = effect.intent
        if why := contradiction(self.ledger.book, report, client_id=intent.id):
            return [OrderInDoubt(id=intent.id, reason=f"the answer is about something else: {why}")]
        report = named(self.ledger.book, report, intent.id)
        return [
            OrderAccepted(id=intent.id, broker_id=report.broker_id),
            OrderObserved(report=report, position=intent.position, role=intent.role),
        ]

    def _withdrawn(self, intent: Intent) -> list[Fact]:
        why = self._why_not(intent) or "it was not wanted when its turn came"
        log.info("an order is withdrawn", order=intent.id, reason=why)
        return [OrderNotSent(id=intent.id, reason=f"withdrawn, {why}", withdrawn=True)]

    async def _replace(self, effect: ReplaceOrder) -> list[Fact]:
        intent = effect.intent
        try:
            report = await self.ledger.broker.replace(
                effect.broker_id,
                intent.id,
                intent.terms,
                Turn(effect.urgency, is_wanted=lambda: not self._why_not(intent)),
            )
        except Rejected as error:
            return [OrderRejected(id=intent.id, reason=str(error), kind=error.kind, code=error.code)]
        except Withdrawn:
            return self._withdrawn(intent)
        except (Unreachable, Unauthorised) as error:
            return [OrderNotSent(id=intent.id, reason=str(error))]
        except OutcomeUnknown as error:
            return [OrderInDoubt(id=intent.id, reason=str(error))]
        return self._accepted(effect, report)

    async def _cancel(self, effect: CancelOrder) -> list[Fact]:
        outcome, reason = "received", ""
        try:
            await self.ledger.broker.cancel(effect.broker_id, Turn(effect.urgency))
        except Rejected as error:
            outcome, reason = "refused", str(error)
        except (Unreachable, Unauthorised) as error:
            outcome, reason = "not sent", str(error)
        except OutcomeUnknown as error:
            outcome, reason = "unknown", str(error)
        if reason:
            log.warning("cancel", order=effect.broker_id, outcome=outcome, reason=reason)
        return [CancelAnswered(broker_id=effect.broker_id, holding=effect.holding, outcome=outcome, reason=reason)]


def turn(effect: Effect) -> tuple[int, float]:
    """Orders in the turn they shall leave in, most urgent first; the rest after them, as decided."""
    match effect:
        case SubmitOrder() | SubmitTogether() | CancelOrder():
            return (effect.urgency, effect.rank)
        case ReplaceOrder():
            return (effect.urgency, 0.0)
        case _:
            return (len(Urgency), 0.0)
