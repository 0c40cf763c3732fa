"""Tests of `core/identity.py`: whose an answer is."""

from dataclasses import replace

import pytest

from standfast.core.identity import contradiction, contradicts, may_be_ours, named
from standfast.core.ties import ties
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, ClientOrderId
from standfast.model.order import OrderReport, OrderType, Role, Side
from tests.core.situations import (
    QQQ,
    D,
    after,
    exit_intended,
    fill,
    folded,
    of,
    own_id,
    position,
    report,
    resting_stop,
    situation,
    told,
)

STOP = own_id(Role.STOP)
KNOWN = BrokerOrderId("p1-stop-1")
CHANGED = [STOP.upper(), STOP[:12], ""]


def told_as(id: str, **changes: object) -> OrderReport:
    """A stop, told with this client order id."""
    seen = report(str(changes.pop("broker", "new")), type=OrderType.STOP, stop="98")
    return replace(seen, client_id=ClientOrderId(id), **changes)  # type: ignore[arg-type]  # a report's own fields


@pytest.mark.parametrize("id", CHANGED)
def test_what_is_known_by_its_brokers_id_keeps_its_own(id: str) -> None:
    book = folded(*position(), *resting_stop())

    assert named(book, told_as(id, broker=KNOWN)).client_id == STOP


@pytest.mark.parametrize("id", CHANGED)
def test_what_was_asked_for_by_our_id_is_ours(id: str) -> None:
    book = folded(*position(), exit_intended(Role.STOP, stop="98"))

    assert named(book, told_as(id), STOP).client_id == STOP
    assert contradiction(book, told_as(id), client_id=STOP) == ""


def test_a_report_that_needs_no_other_id_stays_the_same_object() -> None:
    seen = told_as("bot-1")
    assert named(folded(*position()), seen) is seen


def test_a_stranger_without_an_id_or_with_anothers_goes_by_the_brokers() -> None:
    first = told_as("bot-1", broker="b1")
    book = folded(j.OrderObserved(report=first))

    assert named(book, told_as("", broker="b2")).client_id == "b2"
    assert named(book, told_as("bot-1", broker="b3")).client_id == "b3"
    assert named(book, told_as("", broker="b1")).client_id == "bot-1"


def test_the_legs_of_an_order_are_named_too() -> None:
    leg = told_as("", broker="leg")
    assert [each.client_id for each in named(folded(), told_as("bot-1", legs=(leg,))).legs] == ["leg"]


def test_an_answer_about_another_order_instrument_or_side_is_about_something_else() -> None:
    book = folded(*position(), *resting_stop())
    right = told_as(STOP, broker=KNOWN)

    assert contradiction(book, right, broker_id=KNOWN) == ""
    assert "asked for" in contradiction(book, right, broker_id=BrokerOrderId("other"))
    assert "asked for" in contradiction(book, right, client_id=own_id(Role.CLOSE))
    assert "QQQ" in contradiction(book, replace(right, holding=QQQ))
    assert "buy" in contradiction(book, replace(right, side=Side.BUY))
    assert "QQQ" in contradiction(book, told_as("x", legs=(replace(right, holding=QQQ),)))


def test_a_fill_of_another_instrument_or_side_is_not_of_the_order_it_names() -> None:
    book = folded(*position(), *resting_stop())
    right = fill("x", KNOWN, Side.SELL, 10, 98, at=after(1))

    assert contradicts(book, right) == ""
    assert contradicts(book, replace(right, broker_order_id=BrokerOrderId("nobody's"))) == ""
    assert contradicts(book, replace(right, holding=QQQ))
    assert contradicts(book, replace(right, side=Side.BUY))


@pytest.mark.parametrize("id", CHANGED)
def test_an_exit_that_may_be_ours_in_doubt_is_tied_as_nobodys(id: str) -> None:
    meant = exit_intended(Role.STOP, stop="98")
    book = told(folded(*position(), meant), j.OrderInDoubt(id=meant.id, reason="no answer"))
    seen = named(book, told_as(id, quantity=D(10)))  # as it comes from every read

    assert may_be_ours(book, seen)
    assert of(j.OrderObserved, ties(situation(book, listed=[seen]), seen.holding)) == []
    assert not may_be_ours(book, told_as("bot-1"))
    assert not may_be_ours(book, replace(seen, side=Side.BUY))


def test_once_ours_is_known_nothing_else_may_be_it() -> None:
    book = folded(*position(), *resting_stop())
    assert not any(may_be_ours(book, told_as(id, broker=broker)) for id in CHANGED for broker in ("new", KNOWN))
