"""Tests of `core/reconcile.py`: every difference named, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.book import Book
from standfast.core.policy import Foreign, HeldBy, Policy
from standfast.core.reconcile import POSITION_KINDS, cover_gap, reconcile, reconcile_account
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import BreakId, BrokerOrderId, PositionId, client_order_id
from standfast.model.order import OrderReport, OrderType, Role, Side
from standfast.model.position import CloseReason
from tests.core.booking import foreign_lot
from tests.core.situations import (
    ACCOUNT,
    NOW,
    SPY,
    D,
    P,
    adopted,
    after,
    exit_intended,
    fill,
    folded,
    opening_of,
    own_id,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    the,
    told,
)
from tests.core.toy_broker import desk


def kinds(s: Situation) -> list[BreakKind]:
    return [finding.kind for finding in reconcile(s, SPY).findings]


def listed(number: int = 1, **changes: Any) -> OrderReport:
    given: dict[str, Any] = {"client": own_id(Role.STOP, number), "type": OrderType.STOP, "stop": "98", **changes}
    return report(f"p1-stop-{number}", **given)


def protected() -> Book:
    return folded(*position(10), *resting_stop(10))


# --- invariants -----------------------------------------------------------------------------------


@given(
    st.sampled_from([1, -1]),
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["owned", "found"])), max_size=3),
    st.integers(0, 9),
    st.sampled_from(list(HeldBy)),
)
def test_agreement_is_silent(sign: int, held: list[tuple[int, str]], ignored: int, held_by: HeldBy) -> None:
    """A book compared with its own mirror image, once protection has come to rest."""
    facts: list[j.Fact] = []
    for number, (size, kind) in enumerate(held):
        id = PositionId(f"p{number + 1}")
        facts += position(sign * size, id=id) if kind == "owned" else [adopted(sign * size, id=id)]
    if ignored:
        facts.append(j.ForeignAcknowledged(holding=SPY, quantity=D(sign * ignored), by="op"))
    rules = ruled(Policy(name="p", held_by=held_by, stop_loss=D("0.02"), emergency_stop=D("0.1")))
    at = desk(*facts, rules=rules)
    at.net[SPY] = at.net.get(SPY, D(0)) + sign * ignored
    at.run()
    at.wait(60)

    assert reconcile(at.situation(), SPY).findings == ()


@given(
    st.integers(0, 10),
    st.integers(0, 10),
    st.sampled_from(["intended", "in doubt", "working"]),
    st.integers(-5, 25),
)
def test_doubt_is_an_interval_that_contains_the_truth(held: int, asked: int, stage: str, reported: int) -> None:
    """Whatever part of an unresolved opening has filled lies inside; what it cannot explain lies outside."""
    facts: list[j.Fact] = position(held) if held else []
    if asked:
        opening = opening_of(asked, id=PositionId("p2"))
        facts += {"intended": opening[:2], "in doubt": opening[:2], "working": opening}[stage]
        if stage == "in doubt":
            facts.append(j.OrderInDoubt(id=own_id(Role.OPEN, 1, PositionId("p2")), reason="timeout"))
    book = folded(*facts)

    findings = reconcile(situation(book, held={SPY: reported}), SPY).findings
    found = [each for each in findings if each.kind in POSITION_KINDS]

    assert (found == []) == (held <= reported <= held + asked)
    assert all(D(held + filled) in book.net(SPY) for filled in range(asked + 1))


def test_equal_inputs_give_equal_reports() -> None:
    s = situation(protected(), held={SPY: 3}, listed=[report("x"), report("y")])

    assert reconcile(s, SPY) == reconcile(s, SPY)


def test_what_cannot_be_compared_yet_is_not_judged() -> None:
    book = protected()

    told_later = reconcile(situation(book, held={SPY: 3}, listed=[listed()], asked_after=book.head - 1), SPY)

    assert not POSITION_KINDS & told_later.judged
    assert told_later.findings == ()


@pytest.mark.parametrize(("meant", "is_found"), [(1, True), (-1, False)], ids=["meant after", "meant before"])
def test_what_was_told_before_an_order_was_meant_is_not_of_its_doing(meant: int, *, is_found: bool) -> None:
    """It works for more than the list shows, and may work for the whole day."""
    book = told(folded(), *opening_of(78), at=NOW + timedelta(seconds=meant))
    (found,) = reconcile(situation(folded(), held={SPY: 50}), SPY).findings
    told(book, j.BreakSeen(id=BreakId("b1"), finding=found))

    assert kinds(situation(book, held={SPY: 50})) == ([BreakKind.ORPHAN_POSITION] if is_found else [])
    assert kinds(situation(book, held={SPY: 78})) == []


# --- positions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("booked", "reported", "kind"),
    [
        (0, 5, BreakKind.ORPHAN_POSITION),
        (0, -5, BreakKind.ORPHAN_POSITION),
        (10, 0, BreakKind.GHOST_POSITION),
        (10, 4, BreakKind.QUANTITY),
        (10, 14, BreakKind.QUANTITY),
        (-10, -4, BreakKind.QUANTITY),
        (10, -10, BreakKind.SIDE),
    ],
)
def test_each_difference_of_quantity_has_its_name(booked: int, reported: int, kind: BreakKind) -> None:
    book = folded(*position(booked)) if booked else folded()
    off = ruled(Policy(name="off"))

    (finding,) = reconcile(situation(book, held={SPY: reported}, rules=off), SPY).findings

    assert (finding.kind, finding.booked, finding.reported) == (kind, str(booked), str(reported))
    assert finding.gap == abs(reported - booked)


def test_a_lot_known_by_its_fills_is_listed_and_does_not_put_ours_in_question() -> None:
    book = folded(*position(10), *foreign_lot(5))
    off = ruled(Policy(name="off"))

    (finding,) = reconcile(situation(book, held={SPY: 15}, rules=off), SPY).findings

    assert (finding.kind, finding.reported) == (BreakKind.ORPHAN_POSITION, "5")


# --- orders ---------------------------------------------------------------------------------------


def test_an_order_of_nobody_is_an_orphan_unless_policy_takes_care_of_it() -> None:
    strange = report("x", side=Side.BUY)
    own = report("y", client=client_order_id(ACCOUNT, PositionId("p9"), "stop", 1), side=Side.BUY)

    def orphans(foreign: Foreign) -> list[str]:
        s = situation(folded(), listed=[strange, own], rules=ruled(foreign=foreign))
        return [finding.evidence for finding in reconcile(s, SPY).findings]

    ours = f"{own.client_id}: our id, not in the books"
    assert orphans(Foreign.ALERT) == ["client of x: not ours", ours]
    assert orphans(Foreign.ADOPT) == orphans(Foreign.IGNORE) == [ours]


def test_an_order_of_ours_that_is_not_listed_is_a_ghost_after_ten_seconds() -> None:
    off = ruled(Policy(name="off"))
    assert kinds(situation(protected(), now=after(10), rules=off)) == []
    assert kinds(situation(protected(), now=after(11), rules=off)) == [BreakKind.GHOST_ORDER]
    assert kinds(situation(protected(), now=after(11), rules=off, listed=[listed()])) == []


def test_an_exit_whose_position_has_closed_is_a_stray() -> None:
    book = protected()
    told(book, j.PositionSettled(position=P, reason=CloseReason.BOT_EXIT, proof="fills"))

    assert kinds(situation(book, held={}, listed=[listed()])) == [BreakKind.STRAY_EXIT]


def test_an_exit_whose_fills_are_all_booked_is_none_though_it_was_last_read_working() -> None:
    sold = j.FillBooked(
        fill=fill("sold", BrokerOrderId("p1-stop-1"), Side.SELL, 10, 98),
        allocations=(j.Allocation(position=P, quantity=D(10), opens=False),),
    )
    book = protected()
    told(book, sold, j.PositionSettled(position=P, reason=CloseReason.STOP_LOSS, proof="fills"))

    assert kinds(situation(book, held={}, now=after(60))) == []


def test_an_outcome_unknown_for_half_a_minute_is_a_break() -> None:
    stop = exit_intended(Role.STOP, stop="98")
    book = folded(*position(10), stop, j.OrderInDoubt(id=stop.id, reason="timeout"))
    off = ruled(Policy(name="off"))

    assert kinds(situation(book, now=after(30), rules=off)) == []
    assert kinds(situation(book, now=after(31), rules=off)) == [BreakKind.IN_DOUBT]


# --- cover ----------------------------------------------------------------------------------------


def naked(*facts: j.Fact) -> Book:
    return folded(*position(10), *facts, j.NakedBegan(position=P))


def test_a_position_without_its_stop_is_uncovered_after_two_seconds() -> None:
    assert kinds(situation(naked(), now=after(1))) == []
    (finding,) = reconcile(situation(naked(), now=after(2)), SPY).findings
    assert (finding.kind, finding.booked, finding.reported) == (BreakKind.UNCOVERED, "10 held", "0 covered")


def test_too_much_cover_is_as_much_a_break_as_too_little() -> None:
    more = folded(*position(10), *resting_stop(15))

    assert kinds(situation(more, listed=[listed(quantity=15)])) == [BreakKind.OVER_COVERED]


def test_beside_an_order_of_unknown_type_nothing_is_added_and_somebody_is_told() -> None:
    s = situation(folded(adopted(10)), listed=[report("x", type=OrderType.UNKNOWN)])

    assert kinds(s) == [BreakKind.ORPHAN_ORDER, BreakKind.UNCOVERED]


def test_no_cover_is_asked_for_where_the_guard_holds_the_exits_or_nobody_does() -> None:
    guard = Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"))
    book = folded(*position(10))
    assert cover_gap(situation(book, policy=guard), the(book)) is None
    assert cover_gap(situation(book, policy=Policy(name="off")), the(book)) is None
    told(book, j.ProtectionChosen(position=P, stop=None, target=None, bare=True, by="op"))
    assert cover_gap(situation(book), the(book)) is None


def test_a_fraction_is_the_guards_and_no_gap() -> None:
    book = folded(*position("10.5"), *resting_stop(10))

    assert cover_gap(situation(book), the(book)) == (D(10), D(10), False)


# --- blindness ------------------------------------------------------------------------------------


def test_no_usable_quote_in_the_session_is_blindness() -> None:
    book = folded(*position(10), *resting_stop(10))

    def blind(**changes: Any) -> list[BreakKind]:
        return kinds(situation(book, listed=[listed()], now=after(5), **changes))

    assert blind(sights={}) == [BreakKind.BLIND]
    assert blind(sights={SPY: quoted("100", "0", at=after(5))}) == [BreakKind.BLIND]
    assert blind(sights={SPY: quoted("100", "104", at=after(5))}) == [BreakKind.BLIND]
    assert blind(sights={SPY: quoted("100", at=after(5))}) == []
    assert blind(sights={}, is_open=False) == []


def test_the_first_quote_may_take_a_moment() -> None:
    fresh = folded(*position(10, at=after(0)), *resting_stop(10))

    assert kinds(situation(fresh, listed=[listed()], sights={}, now=after(9))) == []
    assert kinds(situation(fresh, listed=[listed()], sights={}, now=after(10))) == [BreakKind.BLIND]


def test_reads_that_fail_for_long_are_a_break_of_the_account() -> None:
    s = situation(folded(), blind_since=after(-60), blind_why="positions: Unreachable")

    (finding,) = reconcile_account(s).findings

    assert (finding.kind, finding.holding, finding.evidence) == (BreakKind.BLIND, None, "positions: Unreachable")
    assert reconcile_account(situation(folded())).findings == ()


def test_the_keys_of_findings_tell_subjects_apart() -> None:
    strays = [Finding(kind=BreakKind.STRAY_EXIT, holding=SPY, subject=id, booked="", reported="") for id in "ab"]

    assert len({finding.key for finding in strays}) == 2
