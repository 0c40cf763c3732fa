"""S1 to S7, S11, S12: a guard that does wrong is found, one that does right is not."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.core.policy import Limits, Mode
from standfast.exchange.orders import Ticket
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import AlertId, BreakId, PositionId
from standfast.model.order import OrderState, Role, Side
from standfast.model.position import CloseReason, Standing
from standfast.sim import translate
from standfast.sim.watch import Violation
from tests.sim.judged import ACCOUNT, HOLDING, POSITION, RULES, START, D, Judged


def found(caught: pytest.ExceptionInfo[Violation]) -> str:
    return caught.value.id


def test_a_position_opened_protected_closed_and_settled_is_blameless() -> None:
    judged = Judged()
    judged.adopt(10)
    stop = judged.protect(10)
    judged.wait(30)
    judged.request_close()
    judged.commit(j.CancelIntended(broker_id=stop.id, holding=HOLDING, reason="frees"))  # type: ignore[arg-type]  # ids are text
    judged.engine.cancel(ACCOUNT, stop.id)
    judged.observe(stop)
    order = judged.close(10)
    judged.commit(judged.booked(order, POSITION, opens=False))
    judged.settle()
    judged.wait(30)
    asyncio.run(judged.checker.finish("nothing to tell"))


def test_s1_an_order_that_no_entry_means_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    intent = judged.mean(Role.STOP, Side.SELL, 10, stop="98.02", commits=False)
    with pytest.raises(Violation) as caught:
        judged.send(intent)
    assert found(caught) == "S1"


def test_s1_an_order_other_than_it_was_meant_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    intent = judged.mean(Role.STOP, Side.SELL, 10, stop="98.02")
    with pytest.raises(Violation) as caught:
        judged.send(intent, replace(intent.terms, stop_price=D("97.02")))
    assert found(caught) == "S1"


def opening(judged: Judged, quantity: int) -> None:
    judged.commit(j.OpeningRequested(position=POSITION, key="k", holding=HOLDING, quantity=D(quantity), strategy="s"))


def test_s2_more_filled_than_was_asked_for_is_found_and_as_much_is_not() -> None:
    judged = Judged()
    opening(judged, 10)
    judged.send(judged.mean(Role.OPEN, Side.BUY, 6))
    judged.commit(j.OrderRejected(id=judged.mean(Role.STOP, Side.SELL, 1, stop="90").id, reason=""))
    first = next(iter(judged.checker.retold.intents))
    judged.commit(j.OrderAccepted(id=first, broker_id=judged.engine.order_by_client_id(ACCOUNT, first).id))  # type: ignore[arg-type]  # ids are text
    with pytest.raises(Violation) as caught:
        judged.send(judged.mean(Role.OPEN, Side.BUY, 6))
    assert found(caught) == "S2"


def test_s2_an_opening_meant_for_more_than_was_asked_is_found_before_it_leaves() -> None:
    judged = Judged()
    opening(judged, 10)
    with pytest.raises(Violation) as caught:
        judged.mean(Role.OPEN, Side.BUY, 11)
    assert found(caught) == "S2"


def test_s3_an_exit_that_turns_a_position_around_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    stop = judged.protect(10)
    judged.wait(130)  # nobody else has traded for long
    judged.engine.fill_now(stop.id, D(10), D(98))
    second = judged.engine.submit(ACCOUNT, _sells_short(judged))
    with pytest.raises(Violation) as caught:
        judged.engine.fill_now(second.id, D(10), D(98))
    assert found(caught) == "S3"


@pytest.mark.parametrize("is_known", [True, False])
def test_s3_nobody_can_know_at_once_that_a_trade_was_taken_back(*, is_known: bool) -> None:
    judged = Judged()
    judged.adopt(10)
    judged.adopt(8, PositionId("p2"))
    whole = judged.engine.truth(ACCOUNT).fills[-1]
    judged.protect(10)
    stop = judged.protect(8, position=PositionId("p2"))
    judged.wait(130)
    judged.is_healthy = False  # else a bound would end before
    judged.engine.bust(ACCOUNT, whole.execution_id)
    if is_known:
        judged.wait(130)
    judged.engine.fill_now(judged.engine.orders(ACCOUNT)[1].id, D(10), D(98))
    with pytest.raises(Violation) if is_known else nullcontext():
        judged.engine.fill_now(stop.id, D(8), D(98))


def _sells_short(judged: Judged) -> Ticket:
    """A stop of ours as no guard would send it: the checker's view of its arrival is taken away."""
    intent = judged.mean(Role.STOP, Side.SELL, 10, stop="50.00", position=POSITION)
    judged.engine.overhearers.clear()
    return replace(translate.ticket(intent.id, HOLDING, intent.terms), intent=None)


def test_s3_what_is_foreign_is_neither_protected_nor_closed() -> None:
    judged = Judged()
    judged.adopt(10, standing=Standing.FOREIGN)
    with pytest.raises(Violation) as caught:
        judged.mean(Role.STOP, Side.SELL, 10, stop="98.02")
    assert found(caught) == "S3"


def test_s4_a_second_stop_over_the_same_quantity_is_found_though_the_exchange_refuses_it() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.protect(10)
    intent = judged.mean(Role.STOP, Side.SELL, 1, stop="98.02")
    with pytest.raises(Violation) as caught:
        judged.send(intent)
    assert found(caught) == "S4"


def test_s4_an_order_on_the_wrong_side_is_found_though_the_exchange_refuses_it() -> None:
    judged = Judged()
    judged.adopt(10)
    intent = judged.mean(Role.CLOSE, Side.BUY, 10)
    with pytest.raises(Violation) as caught:
        judged.send(intent)
    assert found(caught) == "S4"


def test_s4_what_was_right_before_somebody_else_traded_is_forgiven_for_two_minutes() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.is_healthy = False  # else its lack of cover would be found
    judged.wait(200)
    judged.bot(-4, "bot-sale")
    judged.send(judged.mean(Role.STOP, Side.SELL, 10, stop="98.02"))  # refused, and no fault of the guard's
    judged.commit(j.OrderRejected(id=next(iter(judged.checker.retold.intents)), reason="insufficient"))
    judged.engine.advance(judged.engine.now + timedelta(seconds=121))
    with pytest.raises(Violation) as caught:
        judged.send(judged.mean(Role.STOP, Side.SELL, 10, stop="98.02"))
    assert found(caught) == "S4"


def test_s4_a_close_of_more_than_is_to_be_closed_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.request_close(remain=4)
    with pytest.raises(Violation) as caught:
        judged.mean(Role.CLOSE, Side.SELL, 10)
    assert found(caught) == "S4"


def test_s4_a_replacement_for_more_than_is_held_is_found_and_one_whose_order_has_filled_is_not() -> None:
    judged = Judged()
    judged.adopt(10)
    stop = judged.protect(10)
    with pytest.raises(Violation) as caught:
        judged.move(stop, judged.mean_to_move(stop, 11, stop="97.02"))
    assert found(caught) == "S4"
    other = Judged()
    other.adopt(10)
    stop = other.protect(10)
    other.wait(130)  # nobody else has traded for long
    late = other.mean_to_move(stop, 10, stop="97.02")
    other.engine.fill_now(stop.id, D(10), D(98))
    other.move(stop, late)  # refused: it has no place to take


def test_s5_a_rejection_of_an_order_that_works_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    intent = judged.mean(Role.STOP, Side.SELL, 10, stop="98.02")
    judged.send(intent)
    with pytest.raises(Violation) as caught:
        judged.commit(j.OrderRejected(id=intent.id, reason="timed out"))
    assert found(caught) == "S5"


def test_s5_an_order_that_arrives_after_it_was_given_up_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    intent = judged.mean(Role.STOP, Side.SELL, 10, stop="98.02")
    judged.commit(j.OrderInDoubt(id=intent.id, reason="no answer"))
    judged.commit(j.OrderNeverArrived(id=intent.id, reason="not found"))
    with pytest.raises(Violation) as caught:
        judged.send(intent)
    assert found(caught) == "S5"


def test_s6_an_order_observed_as_over_that_works_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    stop = judged.protect(10)
    with pytest.raises(Violation) as caught:
        judged.observe(stop, state=OrderState.CANCELLED)
    assert found(caught) == "S6"


def test_s6_a_second_intent_while_the_first_is_not_settled_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.mean(Role.STOP, Side.SELL, 10, stop="98.02")
    judged.attempts += 1
    other = judged.mean(Role.STOP, Side.SELL, 10, stop="98.02", commits=False)
    with pytest.raises(Violation) as caught:
        judged.checker.committed([j.Entry(number=judged.journal.head + 1, epoch=1, at=START, fact=other)])  # type: ignore[arg-type]  # numbers are numbers
    assert found(caught) == "S6"


def test_s7_a_fill_counted_twice_is_found() -> None:
    judged = Judged()
    order = judged.bot(10)
    lot = j.LotFound(
        position=POSITION,
        holding=HOLDING,
        sign=1,
        standing=Standing.ADOPTED,
        strategy="f",
        order=order.id,  # type: ignore[arg-type]  # ids are text
    )
    judged.commit(lot, judged.booked(order, POSITION, opens=True))
    with pytest.raises(Violation) as caught:
        judged.commit(judged.booked(order, POSITION, opens=True, id="another"))
    assert found(caught) == "S7"


def test_s7_a_position_settled_while_it_is_held_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    with pytest.raises(Violation) as caught:
        judged.settle()
    assert found(caught) == "S7"


@pytest.mark.parametrize("is_split", [False, True])
def test_s7_a_position_settled_while_a_fill_of_its_stop_is_not_booked_is_found(*, is_split: bool) -> None:
    """After a split what fills of one position may have closed another: exits stand for twice what is held."""
    judged = Judged()
    judged.adopt(10)
    stop = judged.protect(6)
    sold = judged.bot(-4, "bot-sale")
    judged.engine.fill_now(stop.id, D(6), D(98))
    judged.commit(judged.booked(sold, POSITION, opens=False))
    judged.commit(judged.booked(sold, POSITION, opens=False, quantity=0, id="nothing"))
    judged.checker.retold.lots[POSITION].closed = D(10)  # as a fold would that has counted something else
    if is_split:
        judged.checker.retold.rescaled.add(HOLDING)
        judged.settle()
        return
    with pytest.raises(Violation) as caught:
        judged.settle()
    assert found(caught) == "S7"


def adopted(quantity: int) -> j.PositionAdopted:
    return j.PositionAdopted(
        position=POSITION, holding=HOLDING, quantity=D(quantity), price=D(100), anchor=None, strategy="f", by="policy"
    )


def test_s7_taking_in_what_is_there_is_blameless_and_what_never_was_is_found() -> None:
    judged = Judged()
    judged.bot(10)
    judged.commit(adopted(10))
    other = Judged()
    other.bot(10)
    with pytest.raises(Violation) as caught:
        other.commit(adopted(11))
    assert found(caught) == "S7"


def test_s7_booking_the_fill_of_what_was_taken_in_already_is_found() -> None:
    judged = Judged()
    order = judged.bot(10)
    judged.commit(adopted(10))
    with pytest.raises(Violation) as caught:
        judged.commit(judged.booked(order, POSITION, opens=True))
    assert found(caught) == "S7"


def test_s7_a_write_off_by_the_guard_is_found_and_an_operator_s_is_not() -> None:
    judged = Judged()
    judged.adopt(10)
    word = j.PositionWrittenOff(position=POSITION, reason=CloseReason.OPERATOR, by="operator", detail="gone")
    with pytest.raises(Violation) as caught:
        judged.commit(replace(word, by="guard"))
    assert found(caught) == "S7"
    other = Judged()
    other.adopt(10)
    other.commit(word)


def seen(id: str = "b1", kind: BreakKind = BreakKind.UNCOVERED) -> j.BreakSeen:
    finding = Finding(kind=kind, holding=HOLDING, booked="10", reported="0")
    return j.BreakSeen(id=BreakId(id), finding=finding)


def test_s11_a_confirmed_break_that_nobody_is_told_is_found_and_one_told_is_not() -> None:
    judged = Judged()
    judged.commit(seen(), j.BreakConfirmed(id=BreakId("b1")))
    judged.wait(60)
    with pytest.raises(Violation) as caught:
        judged.wait(3)
    assert found(caught) == "S11"
    other = Judged()
    other.commit(seen(), j.BreakConfirmed(id=BreakId("b1")))
    other.commit(_alarm())
    other.wait(100)


def _alarm() -> j.AlertRaised:
    return j.AlertRaised(id=AlertId("a1"), severity=Severity.CRITICAL, text="uncovered", break_id=BreakId("b1"))


def test_s12_a_storm_of_orders_is_found() -> None:
    judged = Judged()
    judged.adopt(1000)
    judged.wait(130)

    def storm() -> None:
        for _ in range(60):
            intent = judged.mean(Role.STOP, Side.SELL, 1, stop="98.02")
            order = judged.send(intent)
            assert order is not None
            judged.observe(order)

    with pytest.raises(Violation) as caught:
        storm()
    assert found(caught) == "S12"


def test_s12_copies_of_one_opening_are_one_order_and_another_one_is_found() -> None:
    judged = Judged(replace(RULES, limits=Limits(orders_per_minute=1)))
    opening(judged, 1_000_000)
    intent = judged.mean(Role.OPEN, Side.BUY, 1_000_000)
    assert [judged.send(intent) for _ in range(3)] == [None] * 3, "nobody has the money"
    judged.commit(j.OrderRejected(id=intent.id, reason="no money"))
    with pytest.raises(Violation) as caught:
        judged.send(judged.mean(Role.OPEN, Side.BUY, 10))
    assert found(caught) == "S12"


def _send_often(judged: Judged) -> None:
    for _ in range(200):
        judged.checker.effect("send submit")


def test_s12_a_storm_of_requests_that_never_arrive_is_found() -> None:
    judged = Judged()
    with pytest.raises(Violation) as caught:
        _send_often(judged)
    assert found(caught) == "S12"


def test_s12_a_second_close_while_the_first_works_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.engine.halt("AAPL")
    judged.request_close()
    judged.close(5)
    with pytest.raises(Violation) as caught:
        judged.send(judged.mean(Role.CLOSE, Side.SELL, 5))
    assert found(caught) == "S12"


def test_s12_an_order_in_a_mode_that_sends_none_is_found() -> None:
    judged = Judged(replace(RULES, mode=Mode.ALERT))
    judged.adopt(10)
    with pytest.raises(Violation) as caught:
        judged.send(judged.mean(Role.STOP, Side.SELL, 10, stop="98.02"))
    assert found(caught) == "S12"


def test_the_first_violation_is_kept_and_raised_again() -> None:
    judged = Judged()
    judged.adopt(10, PositionId("p2"))
    with pytest.raises(Violation):
        judged.settle(PositionId("p2"))
    with pytest.raises(Violation) as caught:
        judged.wait(1)
    assert found(caught) == "S7"
