"""B1 to B9: what does not come to an end in its healthy time is found, what does is not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from standfast.core.policy import Foreign, HeldBy
from standfast.exchange.rules import Rules
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import AlertId, BreakId, PositionId
from standfast.model.order import Role, Side
from standfast.model.position import CloseReason, Standing
from standfast.sim.disk import at_once
from standfast.sim.judge.liveness import is_reserved
from standfast.sim.watch import Violation
from tests.sim.judged import ACCOUNT, HOLDING, POLICY, POSITION, RULES, D, Judged

BY_GUARD = replace(RULES, policies=(replace(POLICY, held_by=HeldBy.GUARD),))


def within(judged: Judged, bound: int, id: str) -> None:
    """Blameless up to the bound, found right after it."""
    judged.wait(bound)
    with pytest.raises(Violation) as caught:
        judged.wait(4)
    assert caught.value.id == id


def untracked(judged: Judged) -> None:
    judged.bot(10)


def naked(judged: Judged) -> None:
    judged.adopt(10)


def stop_over_more_than_is_held(judged: Judged) -> None:
    judged.adopt(10)
    judged.protect(10)
    judged.engine.rules = Rules(split_adjusts_orders=False)
    judged.engine.split("AAPL", D("0.5"))
    judged.commit(j.Rescaled(holding=HOLDING, ratio=D("0.5"), movement="m"))


def close_never_done(judged: Judged) -> None:
    judged.adopt(10)
    judged.protect(10)
    judged.request_close()


def beyond_its_stop(judged: Judged) -> None:
    judged.rules = judged.checker.liveness.rules = replace(RULES, policies=(replace(POLICY, held_by=HeldBy.GUARD),))
    judged.adopt(10)
    judged.quote("95.00", "95.02")


def unknown_intent(judged: Judged) -> None:
    judged.adopt(10)
    judged.protect(9)
    intent = judged.mean(Role.STOP, Side.SELL, 1, stop="98.02")
    judged.commit(j.OrderInDoubt(id=intent.id, reason="no answer"))


@pytest.mark.parametrize(
    ("id", "bound", "trouble"),
    [
        ("B1", 60, untracked),
        ("B2", 165, naked),
        ("B3", 60, stop_over_more_than_is_held),
        ("B4", 120, close_never_done),
        ("B4", 30, beyond_its_stop),
        ("B5", 70, unknown_intent),
    ],
)
def test_what_lasts_longer_than_its_bound_is_found_and_not_before(
    id: str, bound: int, trouble: Callable[[Judged], None]
) -> None:
    judged = Judged()
    trouble(judged)
    within(judged, bound, id)


def test_the_healthy_clock_stops_and_does_not_begin_anew() -> None:
    judged = Judged()
    judged.bot(10)
    judged.wait(40)
    judged.is_healthy = False
    judged.wait(500)
    judged.is_healthy = True
    judged.wait(20)
    with pytest.raises(Violation) as caught:
        judged.wait(3)
    assert caught.value.id == "B1"
    assert 60 < judged.checker.worst["untracked"] < 63


def test_what_ends_in_time_begins_anew_when_it_comes_again() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.wait(100)
    stop = judged.protect(10)
    judged.wait(20)
    judged.commit(j.CancelIntended(broker_id=stop.id, holding=HOLDING, reason="to move it"))  # type: ignore[arg-type]  # ids are text
    judged.engine.cancel(ACCOUNT, stop.id)
    judged.observe(stop)
    judged.wait(150)
    judged.protect(10)
    judged.wait(100)
    assert 140 < judged.checker.worst["naked"] < 160


def test_b1_what_is_listed_as_a_break_may_last_longer_and_not_for_ever() -> None:
    judged = Judged(BY_GUARD)
    judged.bot(10)
    finding = Finding(kind=BreakKind.ORPHAN_POSITION, holding=HOLDING, booked="0", reported="10")
    judged.commit(j.BreakSeen(id=BreakId("b1"), finding=finding))
    within(judged, 300, "B1")


def test_b1_and_b2_where_strangers_are_only_told_of_they_are_neither_tracked_nor_covered() -> None:
    judged = Judged(replace(RULES, foreign=Foreign.ALERT))
    judged.bot(10)
    finding = Finding(kind=BreakKind.ORPHAN_POSITION, holding=HOLDING, booked="0", reported="10")
    judged.commit(j.BreakSeen(id=BreakId("b1"), finding=finding))
    judged.wait(1000)


def test_b2_a_position_whose_exits_the_guard_holds_needs_no_stop() -> None:
    judged = Judged(BY_GUARD)
    judged.adopt(10)
    judged.wait(400)


@pytest.mark.parametrize("standing", [Standing.ADOPTED, Standing.OWNED])
@pytest.mark.parametrize(("theirs", "is_told", "is_blamed"), [(10, True, False), (4, True, True), (10, False, True)])
def test_b2_and_b8_what_an_order_of_somebody_else_holds_cannot_be_covered_and_is_told(
    standing: Standing, theirs: int, *, is_told: bool, is_blamed: bool
) -> None:
    judged = Judged()
    judged.adopt(10, standing=standing)
    judged.bot_limit(-theirs)
    if is_told:
        tell_uncovered(judged)
    if is_blamed:
        within(judged, 165, "B2")
    else:
        judged.wait(400)


def tell_uncovered(judged: Judged) -> None:
    uncovered = Finding(
        kind=BreakKind.UNCOVERED, holding=HOLDING, subject=POSITION, booked="10 held", reported="0 covered"
    )
    alarm = j.AlertRaised(id=AlertId("a1"), severity=Severity.CRITICAL, text="bare", break_id=BreakId("b1"))
    judged.commit(j.BreakSeen(id=BreakId("b1"), finding=uncovered), j.BreakConfirmed(id=BreakId("b1")), alarm)


def test_b2_a_target_that_came_with_a_lot_holds_that_lot_s_quantity_and_not_that_of_one_left_bare() -> None:
    judged = Judged()
    beside = PositionId("p2")
    judged.adopt(20, beside)
    judged.commit(j.ProtectionChosen(position=beside, stop=None, target=None, bare=True, by="operator"))
    judged.adopt(10, target="200.00")
    tell_uncovered(judged)
    judged.wait(400)
    judged.commit(j.ProtectionChosen(position=beside, stop=None, target=None, bare=False, by="operator"))
    within(judged, 165, "B2")


def test_b4_does_not_count_while_nothing_trades() -> None:
    judged = Judged()
    close_never_done(judged)
    judged.wait(60)
    judged.engine.halt("AAPL")
    judged.wait(300)
    judged.engine.resume("AAPL")
    judged.wait(58)
    with pytest.raises(Violation) as caught:
        judged.wait(5)
    assert caught.value.id == "B4"


def test_b4_a_part_that_is_closed_is_all_that_was_asked_for() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.protect(6)
    judged.request_close(remain=6)
    order = judged.close(4)
    judged.commit(judged.booked(order, POSITION, opens=False))
    judged.wait(300)


@pytest.mark.parametrize("closing", [10, 9])
def test_b4_what_works_at_the_market_is_for_the_market_to_fill(closing: int) -> None:
    judged = Judged()
    judged.adopt(10)
    judged.request_close()
    judged.engine.quote("AAPL", D("100.00"), D("100.02"), D(1), D(1000), judged.engine.now)
    order = judged.close(closing)
    judged.commit(judged.booked(order, POSITION, opens=False))

    if closing == 10:
        judged.wait(300)
    else:
        within(judged, 120, "B4")


@pytest.mark.parametrize("is_told", [True, False])
def test_b4_a_fraction_that_no_order_closes_is_told_or_found(*, is_told: bool) -> None:
    judged = Judged()
    judged.adopt(10)
    judged.commit(j.CloseRequested(position=POSITION, reason=CloseReason.OPERATOR, by="op", detail="", remain=D("9.5")))
    if is_told:
        text = f"{POSITION} AAPL: 0.5 of it cannot be closed, the broker takes no order for a fraction."
        judged.commit(j.AlertRaised(id=AlertId("a1"), severity=Severity.CRITICAL, text=text))
        judged.wait(150)
    else:
        within(judged, 120, "B4")


@pytest.mark.parametrize("hours", [-1, 24])
def test_b5_begins_anew_when_the_guard_s_clock_is_set(hours: int) -> None:
    judged = Judged()
    unknown_intent(judged)
    judged.wait(60)
    seen = j.SessionSeen(is_open=True, next_open=judged.engine.now, next_close=judged.engine.now)
    judged.checker.committed(at_once(judged.journal.append([seen], judged.engine.now + timedelta(hours=hours))))
    within(judged, 70, "B5")


def test_b8_an_opening_of_ours_without_a_stop_is_rolled_back_in_time_or_found() -> None:
    judged = Judged()
    judged.commit(j.OpeningRequested(position=POSITION, key="k", holding=HOLDING, quantity=D(10), strategy="s"))
    order = judged.send(judged.mean(Role.OPEN, Side.BUY, 10))
    assert order is not None
    judged.observe(order)
    judged.commit(judged.booked(order, POSITION, opens=True))
    finding = Finding(kind=BreakKind.UNCOVERED, holding=HOLDING, subject=POSITION, booked="10", reported="0")
    judged.commit(j.BreakSeen(id=BreakId("b1"), finding=finding))
    troubles = [trouble.id for trouble in judged.checker.liveness.troubles("AAPL")]
    assert troubles == ["B2", "B8"]
    judged.request_close()
    assert [trouble.id for trouble in judged.checker.liveness.troubles("AAPL")] == ["B4"]


@dataclass
class Guarding:
    is_alive: bool = True
    is_paused: bool = False
    is_here: bool = False


def test_b6_a_guard_that_lives_and_never_guards_is_found_and_a_dead_one_is_not_waited_for() -> None:
    judged = Judged()
    judged.guards["one"] = guard = Guarding(is_alive=False)
    judged.checker.quiet()
    judged.wait(100)
    guard.is_alive = True
    judged.wait(59)
    with pytest.raises(Violation) as caught:
        judged.wait(3)
    assert caught.value.id == "B6"


def test_b9_what_has_not_converged_by_the_end_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.protect(10)
    judged.is_healthy = False  # so that no other bound is over first
    judged.mean(Role.TARGET, Side.SELL, 1)
    judged.checker.quiet()
    within(judged, 300, "B9")


def test_b9_what_has_converged_and_then_moves_without_a_reason_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.protect(6)
    judged.is_healthy = False
    judged.checker.quiet()
    judged.wait(290)
    judged.protect(4)
    judged.wait(200)
    with pytest.raises(Violation) as caught:
        judged.cancel_and_place_anew()
    assert caught.value.id == "B9"


def test_b9_an_exit_that_somebody_took_away_is_put_back_late_when_it_was_not_the_first_time() -> None:
    judged = Judged()
    judged.adopt(10)
    for _ in range(6):
        stop = judged.protect(10)
        judged.engine.cancel(ACCOUNT, stop.id)
        judged.observe(stop)
        judged.wait(1)
    tell_uncovered(judged)
    judged.is_healthy = False
    judged.checker.quiet()
    judged.wait(590)
    judged.protect(10)
    judged.wait(100)
    with pytest.raises(Violation, match="B9"):
        judged.cancel_and_place_anew()


@pytest.mark.parametrize("bid", ["98.00", "100.00"])
def test_b9_a_stop_that_the_market_stands_around_is_refused_and_tried_for_ever(bid: str) -> None:
    judged = Judged(BY_GUARD)
    judged.adopt(10)
    judged.checker.quiet()
    judged.wait(310)
    judged.quote(bid, "100.02")
    assert judged.send(judged.mean(Role.STOP, Side.SELL, 10, stop="98.02" if bid == "98.00" else "101.02")) is None
    if bid == "98.00":
        judged.wait(4)
    else:
        within(judged, 0, "B9")


def test_a_quiet_phase_that_stays_still_is_blameless() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.protect(10)
    judged.checker.quiet()
    judged.wait(900)
    asyncio.run(judged.checker.finish())


def test_every_trouble_is_named_in_the_statistics() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.wait(50)
    assert judged.checker.worst["naked"] in {49, 50}
    assert set(judged.checker.worst) == {"naked", "untracked", "close", "unknown", "over", "untold"}
    assert judged.checker.states


@pytest.mark.parametrize("is_ours", [True, False], ids=["opened by us", "adopted"])
@pytest.mark.parametrize("beside", [0, 4])
def test_no_close_is_expected_of_what_an_order_of_somebody_else_holds(beside: int, *, is_ours: bool) -> None:
    judged = Judged()
    judged.adopt(10)
    if is_ours:
        judged.checker.retold.lots[POSITION].order = None  # no order of somebody else has opened it
    if beside:
        judged.adopt(beside, PositionId("theirs"), Standing.FOREIGN)
    judged.bot_limit(-4)
    assert not is_reserved(judged.checker.witness, judged.checker.retold, "AAPL"), "nothing is to be closed"
    judged.request_close()
    assert is_reserved(judged.checker.witness, judged.checker.retold, "AAPL") is (not beside)


def test_no_close_is_expected_of_what_a_target_for_more_than_is_left_of_its_own_position_holds() -> None:
    judged = Judged()
    judged.adopt(10)
    judged.adopt(6, PositionId("theirs"), target="200")
    judged.commit(judged.booked(judged.bot(-4, "bot-2"), PositionId("theirs"), opens=False))
    judged.request_close()
    assert is_reserved(judged.checker.witness, judged.checker.retold, "AAPL")


@pytest.mark.parametrize("tells_movements", [True, False])
def test_what_a_trade_taken_back_had_brought_is_a_persons_to_end_where_the_broker_tells_nobody(
    *, tells_movements: bool
) -> None:
    judged = Judged()
    judged.checker.liveness.contract = replace(judged.checker.liveness.contract, tells_movements=tells_movements)
    judged.adopt(10)
    judged.engine.bust(ACCOUNT, judged.engine.truth(ACCOUNT).fills[-1].execution_id)
    ghost = Finding(kind=BreakKind.GHOST_POSITION, holding=HOLDING, booked="10", reported="0", gap=D(10), evidence="")
    judged.commit(j.BreakSeen(id=BreakId("b1"), finding=ghost))
    judged.request_close()
    if tells_movements:
        within(judged, 120, "B4")
    else:
        judged.wait(900)


@pytest.mark.parametrize("tells_movements", [True, False])
def test_what_comes_back_by_a_trade_taken_back_untold_is_no_position_of_ours_to_cover(*, tells_movements: bool) -> None:
    judged = Judged()
    judged.checker.liveness.contract = replace(judged.checker.liveness.contract, tells_movements=tells_movements)
    judged.adopt(10)
    judged.commit(judged.booked(judged.bot(-10, "bot-2"), POSITION, opens=False))
    judged.settle()
    judged.engine.bust(ACCOUNT, judged.engine.truth(ACCOUNT).fills[-1].execution_id)
    orphan = Finding(kind=BreakKind.ORPHAN_POSITION, holding=HOLDING, booked="0", reported="10", gap=D(10), evidence="")
    judged.commit(j.BreakSeen(id=BreakId("b1"), finding=orphan))
    judged.commit(j.AlertRaised(id=AlertId("a1"), severity=Severity.WARNING, text="held", break_id=BreakId("b1")))
    if tells_movements:
        within(judged, 165, "B2")
    else:
        judged.wait(900)
