"""Tests of `core/acts.py`: operators' acts, each answered once, and never by a crash."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.acts import VERBS, take
from standfast.core.answers import finish_acts
from standfast.core.book import Book
from standfast.core.closing import settle
from standfast.core.policy import HeldBy, Limits, Mode, Policy
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import AlertId, BreakId, EntryNumber, RequestId
from standfast.model.order import Role
from standfast.model.position import CloseReason, Phase, Standing
from tests.core.booking import LOT, foreign_lot
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    adopted,
    closing_of,
    exit_intended,
    folded,
    of,
    own_id,
    position,
    quoted,
    resting_stop,
    ruled,
    situation,
    the,
    told,
)
from tests.core.toy_broker import desk

REQUEST = RequestId("r1")
B = BreakId("b1")


def asked(verb: str, **arguments: str) -> j.RequestTaken:
    return j.RequestTaken(request=REQUEST, verb=verb, arguments=arguments, by="ann")


def acted(book: Book, verb: str, *, s: Situation | None = None, **arguments: str) -> list[Any]:
    """The facts of the act, after the one that takes it; they are booked."""
    first, *facts = take(s or situation(book), asked(verb, **arguments), lambda number: None)
    assert first == asked(verb, **arguments)
    told(book, first, *facts)
    return facts


def answer(facts: list[Any]) -> str:
    (done,) = of(j.RequestDone, facts)
    return f"{'done' if done.ok else 'refused'}: {done.detail}"


def answered(book: Book, s: Situation | None = None) -> str | None:
    done = of(j.RequestDone, finish_acts(s or situation(book)))
    return f"{'done' if done[0].ok else 'failed'}: {done[0].detail}" if done else None


def broken(kind: BreakKind, booked: str = "10", reported: str = "4") -> list[j.Fact]:
    finding = Finding(kind=kind, holding=SPY, booked=booked, reported=reported)
    return [j.BreakSeen(id=B, finding=finding), j.BreakConfirmed(id=B)]


# --- open -----------------------------------------------------------------------------------------


def test_the_same_key_is_the_same_opening() -> None:
    book = folded()
    (first,) = acted(book, "open", instrument="SPY", quantity="10", key="k")
    assert isinstance(first, j.OpeningRequested)

    assert acted(book, "open", instrument="SPY", quantity="10", key="k") == []
    assert len(book.state.positions) == 1


@pytest.mark.parametrize("other", [{"quantity": "20"}, {"quantity": "-10"}, {"instrument": "QQQ"}, {"limit": "90"}])
def test_another_opening_under_a_key_that_is_taken_is_refused(other: dict[str, str]) -> None:
    book = folded()
    first = {"instrument": "SPY", "quantity": "10", "key": "k1"}
    acted(book, "open", s=situation(book, held={}), **first)

    refusal = answer(acted(book, "open", s=situation(book, held={}), **{**first, **other}))

    assert "is the opening of 10 SPY already" in refusal
    assert len(book.state.positions) == 1


def test_a_refused_opening_says_every_reason_and_leaves_its_key_free() -> None:
    book = folded()
    s = situation(book, rules=ruled(limits=Limits(notional_per_instrument=D(10))), is_open=False)

    facts = acted(book, "open", s=s, instrument="SPY", quantity="10", key="k")

    assert of(j.OpeningRefused, facts)[0].reasons == (
        "the session is closed: a market order would wait for the open",
        "notional_per_instrument: 1000.20 over 10",
    )
    assert answer(facts).startswith("refused: refused: the session is closed")
    assert book.state.keys == {}


def test_an_opening_is_done_when_it_is_open_and_covered() -> None:
    at = desk()
    facts = list(take(at.situation(), asked("open", instrument="SPY", quantity="10"), lambda number: None))
    at.tell(*facts)
    at.run()

    assert at.book.state.requests == {}, "it is answered"
    (opened,) = at.book.state.positions.values()
    assert (opened.phase, opened.held, opened.key) == (Phase.OPEN, D(10), REQUEST)


# --- close ----------------------------------------------------------------------------------------


def test_a_close_says_what_shall_remain() -> None:
    book = folded(*position(10))

    (request,) = acted(book, "close", position="p1", quantity="4", reason="enough")

    assert (request.remain, request.reason, request.by, request.detail) == (
        D(6),
        CloseReason.OPERATOR,
        "ann",
        "enough",
    )
    assert answered(book) is None


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({}, "position is missing"),
        ({"position": "p9"}, "no position p9"),
        ({"position": "p1", "quantity": "11"}, "quantity 11 is not between 0 and 10 held"),
        ({"position": "p1", "quantity": "-1"}, "quantity -1 is not between 0 and 10 held"),
        ({"position": "p1", "quantity": "many"}, "quantity is not a number: 'many'"),
        ({"position": "p1", "quantity": "NaN"}, "quantity is not finite: 'NaN'"),
    ],
)
def test_a_close_that_makes_no_sense_is_refused_in_words(arguments: dict[str, str], refusal: str) -> None:
    assert answer(acted(folded(*position(10)), "close", s=None, **arguments)) == f"refused: {refusal}"


def test_a_close_is_refused_where_no_order_may_be_sent() -> None:
    book = folded(*position(10))
    s = situation(book, rules=ruled(mode=Mode.ALERT))

    assert answer(acted(book, "close", s=s, position="p1")) == "refused: mode is alert: only repair sends orders"


def test_a_partial_close_never_replaces_a_whole_one() -> None:
    book = folded(*position(10), j.CloseRequested(position=P, reason=CloseReason.STOP_LOSS, by="guard", detail="-2%"))

    assert answer(acted(book, "close", position="p1", quantity="1")).startswith("refused: it is being closed already")


def test_a_close_is_done_when_the_position_is_proven_flat() -> None:
    at = desk(*position(10))
    at.run()
    at.tell(*take(at.situation(), asked("close", position="p1"), lambda number: None))
    at.fills_markets = False
    at.run()
    assert answered(at.book, at.situation()) is None

    (close,) = at.alive()
    at.fill(close.broker_id, price="101")
    at.tell(*of(j.PositionSettled, settle(at.situation(), the(at.book))))
    assert (answered(at.book) or "").startswith("done: p1 closed at 101, P&L 10: fills add up to 10")


def test_a_partial_close_is_done_when_what_shall_remain_is_left() -> None:
    book = folded(*position(10), asked("close", position="p1"))

    assert answered(book) == "done: p1 reduced to 10"


# --- protect --------------------------------------------------------------------------------------


def test_a_chosen_stop_is_done_when_it_rests_at_its_price() -> None:
    at = desk(*position(10))
    at.run()
    at.tell(*take(at.situation(), asked("protect", position="p1", stop="95"), lambda number: None))
    assert answered(at.book, at.situation()) is None

    at.run()

    assert at.book.state.requests == {}
    assert [o.stop_price for o in at.alive()] == [D(95)]


def test_protecting_without_stop_and_target_goes_back_to_the_policy() -> None:
    at = desk(*position(10))
    at.run()
    usual = [o.stop_price for o in at.alive()]
    at.tell(*take(at.situation(), asked("protect", position="p1", stop="95"), lambda number: None))
    at.run()
    assert [o.stop_price for o in at.alive()] == [D(95)] != usual

    at.tell(*take(at.situation(), asked("protect", position="p1"), lambda number: None))
    at.run()

    assert [o.stop_price for o in at.alive()] == usual


def test_a_stop_on_the_wrong_side_of_the_price_is_refused() -> None:
    """It would be taken for a rule that is due, and the position closed for a slip of the finger."""
    book = folded(*position(10))

    assert answer(acted(book, "protect", position="p1", stop="950")) == "refused: stop 950 is not beyond 100"
    assert answer(acted(book, "protect", position="p1", stop="-5")) == "refused: stop -5 is no price"
    assert answer(acted(book, "protect", position="p1", target="95")) == "refused: target 95 is not beyond 100"
    short = folded(*position(-10))
    assert answer(acted(short, "protect", position="p1", stop="99")) == "refused: stop 99 is not beyond 100.02"


def test_bare_by_word_takes_the_exits_away() -> None:
    at = desk(*position(10))
    at.run()
    at.tell(*take(at.situation(), asked("protect", position="p1", none="true"), lambda number: None))

    at.run()

    assert at.alive() == []
    assert at.book.state.requests == {}
    assert the(at.book).bare


def test_a_guard_held_stop_is_done_at_once() -> None:
    guard = ruled(Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02")))
    book = folded(*position(10))
    s = situation(book, rules=guard)

    acted(book, "protect", s=s, position="p1", stop="95")

    assert (answered(book, situation(book, rules=guard)) or "").startswith("done: p1")


# --- adopt, ignore --------------------------------------------------------------------------------


def test_adopting_takes_lots_and_what_no_fill_explains() -> None:
    book = folded(*foreign_lot(5), *broken(BreakKind.ORPHAN_POSITION))

    facts = acted(book, "adopt", s=situation(book, held={SPY: 8}), **{"break": "b1"})

    assert of(j.StandingChanged, facts)[0].standing is Standing.ADOPTED
    assert of(j.PositionAdopted, facts)[0].quantity == D(3)
    assert book.net(SPY).low == D(8)


@pytest.mark.parametrize("reported", [0, 4, -3])
def test_what_the_broker_does_not_hold_cannot_be_adopted(reported: int) -> None:
    book = folded(*position(10), *broken(BreakKind.GHOST_POSITION))

    refusal = answer(acted(book, "adopt", s=situation(book, held={SPY: reported}), **{"break": "b1"}))

    assert refusal.startswith("refused:")
    assert the(book).held == D(10)


@pytest.mark.parametrize("verb", ["adopt", "ignore"])
def test_while_an_order_may_have_filled_nothing_is_taken_over_or_left(verb: str) -> None:
    """What a close in doubt might have sold is not held beyond the books."""
    doubtful: list[j.Fact] = [exit_intended(Role.CLOSE, 4), j.OrderInDoubt(id=own_id(Role.CLOSE), reason="")]
    book = folded(*position(10), *doubtful, *broken(BreakKind.QUANTITY))

    refusal = answer(acted(book, verb, s=situation(book, held={SPY: 10}), **{"break": "b1"}))

    assert "not settled" in refusal
    assert book.net(SPY).high == D(10)


def test_an_ignored_lot_leaves_the_books_when_its_owner_sells() -> None:
    book = folded(*foreign_lot(5), *broken(BreakKind.ORPHAN_POSITION))
    acted(book, "ignore", s=situation(book, held={SPY: 5}), **{"break": "b1"})

    assert LOT not in book.state.positions
    assert (book.state.acknowledged, book.net(SPY).low) == ({SPY: D(5)}, D(5))


def test_an_ignored_ghost_is_gone_by_the_operators_word() -> None:
    book = folded(*position(10), *broken(BreakKind.GHOST_POSITION))

    acted(book, "ignore", s=situation(book, held={}), **{"break": "b1"})

    assert book.state.positions == {}
    assert book.state.closed[P].proof == "ann: ghost b1 accepted as gone"


@pytest.mark.parametrize("kind", [BreakKind.UNCOVERED, BreakKind.ORPHAN_ORDER, BreakKind.BLIND, BreakKind.STRAY_EXIT])
def test_ignoring_a_break_that_is_about_no_quantity_acknowledges_none(kind: BreakKind) -> None:
    book = folded(*position(10), *broken(kind))

    facts = acted(book, "ignore", s=situation(book, held={SPY: 15}), **{"break": "b1"})

    assert of(j.ForeignAcknowledged, facts) == []
    assert answer(facts) == "done: b1 on SPY accepted"


def test_what_is_missing_cannot_be_ignored_away() -> None:
    """Negative foreign quantity would leave a position that can never be closed."""
    book = folded(*position(10), *broken(BreakKind.QUANTITY))

    refusal = answer(acted(book, "ignore", s=situation(book, held={SPY: 4}), **{"break": "b1"}))

    assert refusal == "refused: the broker holds 4, less than the books (10): close the position, or wait for its fills"


# --- the others -----------------------------------------------------------------------------------


def test_freeze_and_thaw_and_ack() -> None:
    book = folded(j.AlertRaised(id=AlertId("a1"), severity=Severity.INFO, text="t"))

    assert answer(acted(book, "freeze", scope="SPY", reason="news")) == "done: no openings on SPY"
    assert answer(acted(book, "thaw", scope="SPY")) == "done: SPY may open again"
    assert answer(acted(book, "thaw", scope="SPY")) == "refused: SPY is not frozen"
    assert answer(acted(book, "ack", alert="a1")) == "done: a1 acknowledged"
    assert answer(acted(book, "ack", alert="a9")) == "refused: no alert a9"
    assert answer(acted(book, "dance")) == "refused: unknown verb 'dance'"


def test_undo_looks_its_entry_up() -> None:
    book = folded(*position(10), closing_of())
    entry = j.Entry(EntryNumber(7), 1, NOW, closing_of())
    taken = asked("undo", entry="7")

    facts = list(take(situation(book), taken, lambda number: entry))

    assert of(j.CloseWithdrawn, facts) != []
    assert answer(facts) == "done: entry 7 undone"
    assert answer(list(take(situation(book), taken, lambda number: None))) == "refused: no entry 7"
    other = entry._replace(fact=adopted(3))
    assert "is not a repair" in answer(list(take(situation(folded()), taken, lambda number: other)))


def test_a_flatten_is_refused_where_no_order_may_be_sent() -> None:
    book = folded(*position(10))
    s = situation(book, rules=ruled(mode=Mode.OBSERVE))

    assert answer(acted(book, "flatten", s=s)) == "refused: mode is observe: only repair sends orders"
    assert of(j.FlattenRequested, acted(book, "flatten")) != []


words = st.sampled_from(["", "p1", "b1", "a1", "SPY", "0", "-1", "10", "1e400", "NaN", "x", "true", "2"])
names = st.sampled_from(
    ["position", "break", "alert", "quantity", "instrument", "limit", "stop", "target", "entry", "scope", "none", "key"]
)


@given(
    st.sampled_from([*VERBS, "dance"]),
    st.dictionaries(names, words),
    st.sampled_from(list(BreakKind)),
    st.sampled_from([-5, 0, 4, 10, 15]),
    st.booleans(),
)
def test_no_request_crashes_the_guard(
    verb: str,
    arguments: dict[str, str],
    kind: BreakKind,
    reported: int,
    quotes: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    """A request that ended the process would end it again after every start."""
    book = folded(*position(10), *foreign_lot(3), *broken(kind), *resting_stop(10))
    sights = {SPY: quoted("100", "100.02")} if quotes else {}
    s = situation(book, held={SPY: reported}, sights=sights)

    facts = list(take(s, asked(verb, **arguments), lambda number: None))
    told(book, *facts)

    list(finish_acts(situation(book, held={SPY: reported}, sights=sights)))
    assert all(each.held >= 0 for each in book.state.positions.values())
