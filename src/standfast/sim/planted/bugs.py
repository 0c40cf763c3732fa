"""The faulty functions behind `known`: each is one of the real code's as somebody has written it, somewhere, once.

They are put in the right ones' place in a simulation only; nothing in the guard knows of them.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from standfast.core import (
    closing,
    cover,
    exits,
    flatten,
    freeing,
    moving,
    orders,
    protect,
    repair,
    sending,
    verify,
)
from standfast.core.situation import Outcomes, Situation
from standfast.model import journal as j
from standfast.model.booked import BookedOrder, Stage
from standfast.model.effects import SubmitOrder, Turn, Urgency
from standfast.model.errors import BrokerError
from standfast.model.ids import ClientOrderId
from standfast.model.order import ZERO, OrderState, Role
from standfast.model.position import CloseReason, Position
from standfast.runtime.account import Account
from standfast.runtime.ledger import Ledger
from standfast.runtime.lookups import Lookups
from standfast.runtime.reader import Reader
from standfast.runtime.sender import Sender

Change = tuple[Any, Any, Any]
"""Where, under which name (or key, of a table), and what instead."""


def everywhere(right: Any, wrong: Any) -> Iterator[Change]:
    """A function in every module of ours that has it under a name."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith("standfast."):
            yield from ((module, key, wrong) for key, value in list(vars(module).items()) if value is right)


# --- evidence -----------------------------------------------------------------------------------


def forget_stops() -> Iterator[Change]:
    right: Any = Reader._orders  # noqa: SLF001 - what is to be made wrong

    async def read(self: Any, urgency: int) -> None:
        await right(self, urgency)
        listed = self.snapshot.orders.orders
        gone = [
            order
            for order in self.ledger.book.state.orders.values()
            if order.is_own and order.stage is Stage.WORKING and order.report and order.broker_id not in listed
        ]
        await self.ledger.record(
            [
                j.OrderObserved(
                    report=replace(order.report, state=OrderState.CANCELLED), position=order.position, role=order.role
                )
                for order in gone
                if order.is_stop and order.parent is None
            ]
        )

    yield Reader, "_orders", read


def skip_recovery() -> Iterator[Change]:
    right: Any = verify._look_for  # noqa: SLF001 - what is to be made wrong

    def look_for(s: Situation, order: BookedOrder) -> Outcomes:
        if s.book.state.started_at is None or order.intended_at >= s.book.state.started_at:
            yield from right(s, order)

    yield verify, "_look_for", look_for


def trust_empty_list() -> Iterator[Change]:
    right = closing.settle

    def settle(s: Situation, position: Position) -> Outcomes:
        yield from right(s, position)
        if position.held and s.is_comparable(position.holding) and not s.reported_net(position.holding):
            yield j.PositionSettled(position=position.id, reason=CloseReason.FOREIGN, proof="not in the list")

    yield from everywhere(right, settle)


def not_found_is_never() -> Iterator[Change]:
    right: Any = verify._look_for  # noqa: SLF001 - what is to be made wrong

    def look_for(s: Situation, order: BookedOrder) -> Outcomes:
        if order.missed:
            yield j.OrderNeverArrived(id=order.id, reason="the broker does not know it")
        else:
            yield from right(s, order)

    yield verify, "_look_for", look_for


def error_is_an_answer() -> Iterator[Change]:
    right: Any = Lookups.query

    async def query(self: Any, *, broker_id: Any, client_id: Any) -> None:
        try:
            await self.broker.order(broker_id=broker_id, client_id=None if broker_id else client_id)
        except BrokerError:
            await self._book_answer(None, client_id)
            return
        await right(self, broker_id=broker_id, client_id=client_id)

    yield Lookups, "query", query


def first_look_confirms() -> Iterator[Change]:
    yield repair, "_agrees_again", lambda s, known: True
    yield Situation, "is_settled", lambda self, holding: True


def limit_is_a_stop() -> Iterator[Change]:
    yield cover, "is_in_force", lambda s, order: order.is_settled and not order.is_finished
    yield cover, "_stopping", lambda report: report.remaining


# --- sending ------------------------------------------------------------------------------------


def new_id_after_timeout() -> Iterator[Change]:
    right: Any = Sender._submit  # noqa: SLF001 - what is to be made wrong

    async def submit(self: Any, effect: SubmitOrder) -> Any:
        facts = await right(self, effect)
        if any(isinstance(fact, j.OrderInDoubt) for fact in facts):
            intent = effect.intent
            another = ClientOrderId(f"{intent.id[:-1]}0")
            with suppress(BrokerError):
                await self.ledger.broker.submit(another, intent.holding, intent.terms, Turn(effect.urgency))
        return facts

    yield Sender, "_submit", submit


def timeout_is_a_rejection() -> Iterator[Change]:
    right: Any = Sender._submit  # noqa: SLF001 - what is to be made wrong

    async def submit(self: Any, effect: SubmitOrder) -> Any:
        facts = await right(self, effect)
        return [
            j.OrderRejected(id=fact.id, reason=fact.reason) if isinstance(fact, j.OrderInDoubt) else fact
            for fact in facts
        ]

    yield Sender, "_submit", submit


def acknowledged_cancel_is_final() -> Iterator[Change]:
    right: Any = Sender._cancel  # noqa: SLF001 - what is to be made wrong

    async def cancel(self: Any, effect: Any) -> Any:
        facts = await right(self, effect)
        order = self.ledger.book.order_by_broker(effect.broker_id)
        if facts[0].outcome == "received" and order is not None and order.report is not None:
            report = replace(order.report, state=OrderState.CANCELLED)
            facts = [*facts, j.OrderObserved(report=report, position=order.position, role=order.role)]
        return facts

    yield Sender, "_cancel", cancel


def send_before_commit() -> Iterator[Change]:
    right: Any = Ledger.record

    async def record(self: Any, facts: Any) -> None:
        if any(isinstance(fact, j.OrderIntended) for fact in facts):
            account = next(each.__self__ for each in self.listeners if isinstance(each.__self__, Account))
            account._spawn(right(self, facts), "commit later")  # noqa: SLF001 - as if it were its own
        else:
            await right(self, facts)

    yield Ledger, "record", record


def cancel_is_asked_for_once() -> Iterator[Change]:
    def is_cancelling(s: Situation, order: BookedOrder) -> bool:
        return order.cancel_at is not None and not order.is_finished

    yield from everywhere(cover.is_cancelling, is_cancelling)


def refused_and_no_pause() -> Iterator[Change]:
    yield from everywhere(moving.retry_after, lambda count: timedelta(0))


def acts_in_any_mode() -> Iterator[Change]:
    yield Situation, "may_act", property(lambda self: not self.halted)


# --- closing ------------------------------------------------------------------------------------


def close_over_the_stop() -> Iterator[Change]:
    yield from everywhere(freeing.free, lambda s, position, closing, rank: ())
    yield from everywhere(freeing.is_freeing, lambda s, position: False)


def close_the_listed_net() -> Iterator[Change]:
    def close(s: Situation, position: Position, to_close: Any) -> Outcomes:
        net = s.reported_net(position.holding)
        if net * position.sign > 0 and position.closing is not None:
            terms = orders.reducing(net, abs(net))
            made = orders.intent(s.book, position, Role.CLOSE, terms, reason="whatever is listed")
            yield SubmitOrder(intent=made, urgency=Urgency.CLOSE)

    yield closing, "_close", close
    yield sending, "_why_not_close", lambda s, position, intent: ""  # which would hold it back


def wrong_side() -> Iterator[Change]:
    right = orders.reducing

    def reducing(net: Any, quantity: Any, **rest: Any) -> Any:
        terms = right(net, quantity, **rest)
        return replace(terms, side=terms.side.opposite)

    yield closing, "reducing", reducing
    yield from everywhere(sending.why_not, lambda s, intent: "")  # which would hold it back


def exit_storm() -> Iterator[Change]:
    def is_under_way(s: Situation, position: Position) -> bool:
        return any(not order.is_settled for order in s.book.orders_for(position.id))

    yield closing, "_is_under_way", is_under_way
    yield sending, "_why_not_close", lambda s, position, intent: ""  # which would hold it back


def flatten_leaves_entries() -> Iterator[Change]:
    def end(s: Situation, wanted: Any) -> Outcomes:
        if not any(position.is_guarded and position.held for position in s.book.state.positions.values()):
            yield j.FlattenEnded(request=wanted.request, detail="flat")
            yield j.RequestDone(request=wanted.request, ok=True, detail="flat")

    yield flatten, "_entries", lambda s, wanted: ()
    yield flatten, "_end", end


def done_when_asked() -> Iterator[Change]:
    def close_done(s: Situation, taken: Any) -> Any:
        return j.RequestDone(request=taken.request, ok=True, detail="its close was sent")

    for name, module in sorted(sys.modules.items()):
        if name.startswith("standfast.core.") and "WATCHED" in vars(module):
            yield module, "WATCHED", {**vars(module)["WATCHED"], "close": close_done}


def minimum_hold_delays_all() -> Iterator[Change]:
    right = exits.due

    def due(s: Situation, position: Position, policy: Any, at: Any, price: Any, *, gain: Any) -> Any:
        return None if cover.is_too_young(s, position, policy) else right(s, position, policy, at, price, gain=gain)

    yield from everywhere(right, due)


def never_too_old() -> Iterator[Change]:
    yield exits, "overdue", lambda s, held, options, policy: None


# --- protecting ---------------------------------------------------------------------------------


def lapsed_for_good() -> Iterator[Change]:
    right: Any = protect._add  # noqa: SLF001 - what is to be made wrong

    def add(s: Situation, position: Position, wanted: Any, quantity: Any) -> Outcomes:
        if not any(order.is_stop and order.reduces for order in s.book.orders_for(position.id)):
            yield from right(s, position, wanted, quantity)

    yield protect, "_add", add


def one_stop_is_enough() -> Iterator[Change]:
    right: Any = protect._adjust  # noqa: SLF001 - what is to be made wrong

    def adjust(s: Situation, position: Position, found: Any, wanted: Any, size: Any) -> Outcomes:
        if not found.own:
            yield from right(s, position, found, wanted, size)

    yield protect, "_adjust", adjust


def part_is_the_whole() -> Iterator[Change]:
    def filled(self: Any) -> Any:
        reported = self.report.filled if self.report is not None else ZERO
        known = max(reported, self.executed)
        return self.quantity if known else known

    yield BookedOrder, "filled", property(filled)


def protects_what_is_foreign() -> Iterator[Change]:
    yield Position, "is_guarded", property(lambda self: True)
