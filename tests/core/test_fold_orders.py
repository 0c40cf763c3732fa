"""Tests of `core/fold_orders.py`: what facts about orders make of them."""

from dataclasses import replace

import pytest

from standfast.core.book import Book
from standfast.core.cover import cover_of
from standfast.core.policy import Policy
from standfast.core.protect import protect
from standfast.model import journal as j
from standfast.model.ids import PositionId
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side
from tests.core.situations import (
    SPY,
    D,
    P,
    exit_intended,
    folded,
    opening_of,
    own_id,
    position,
    report,
    situation,
    the,
    told,
)

NEW = PositionId("p2")
LEG = report("leg", type=OrderType.STOP, stop="95", quantity=4, order_class="oto")


def entry(**changes: object) -> OrderReport:
    """Our own opening, filled, with the stop it brought."""
    changed = {"client": own_id(Role.OPEN, 1, NEW), "legs": (LEG,), **changes}
    return report("entry", side=Side.BUY, quantity=4, filled=4, state=OrderState.FILLED, **changed)  # type: ignore[arg-type]  # fields of a report


def listed_alone() -> Book:
    """Ten are held without a stop, four more are being bought, and the list shows the stop of those by itself."""
    return folded(*position(10), *opening_of(4, id=NEW), j.OrderObserved(report=LEG, position=P))


def test_the_stop_an_opening_of_ours_brings_protects_what_it_opens_whatever_it_was_tied_to_by_its_looks() -> None:
    book = told(listed_alone(), j.OrderObserved(report=entry(), position=NEW, role=Role.OPEN))

    leg = book.order_by_broker(LEG.broker_id)
    assert leg is not None
    assert (leg.position, leg.role, leg.parent) == (NEW, Role.STOP, own_id(Role.OPEN, 1, NEW))
    assert LEG.client_id not in book.orders_of[P]
    s = situation(book, held={SPY: 14}, listed=[LEG])
    assert (cover_of(s, the(book, NEW)).stopped, cover_of(s, the(book)).stopped) == (D(4), D(0))


def test_the_leg_of_a_pair_of_ours_is_ours_though_the_pair_was_first_seen_as_a_stranger_s() -> None:
    """The list shows it before its answer comes, and it is tied by its looks."""
    book = listed_alone()
    for position_, role in ((P, Role.FOREIGN), (NEW, Role.OPEN)):
        told(book, j.OrderObserved(report=entry(), position=position_, role=role))
        leg = book.order_by_broker(LEG.broker_id)
        assert leg is not None
        assert (leg.position, leg.role) == (NEW, Role.STOP)


def test_the_leg_of_a_stranger_s_order_stays_a_stranger_s() -> None:
    book = told(listed_alone(), j.OrderObserved(report=entry(client="theirs"), position=P))
    leg = book.order_by_broker(LEG.broker_id)
    assert leg is not None
    assert (leg.position, leg.role) == (P, Role.FOREIGN)


@pytest.mark.parametrize("target", [None, "110"])
def test_an_exit_of_ours_told_as_of_a_type_nobody_knows_is_of_the_type_it_was_sent_as(target: str | None) -> None:
    """Found by simulation: it was taken away as one at other prices and placed anew, forty times in a minute."""
    policy = Policy(name="kept", stop_loss=D("0.02"), take_profit=D("0.1") if target else None)
    sent = exit_intended(Role.STOP, stop="98", target=target)
    leg = report("leg", type=OrderType.UNKNOWN, stop="98", state=OrderState.HELD)
    plain = report("plain", client=sent.id, type=OrderType.UNKNOWN, stop="98")
    pair = report("pair", client=sent.id, type=OrderType.UNKNOWN, limit="110", legs=(leg,), order_class="oco")
    seen = j.OrderObserved(report=pair if target else plain, position=P, role=Role.STOP)

    book = folded(*position(10), sent, seen)

    s = situation(book, policy=policy)
    assert cover_of(s, the(book)).stopped == D(10)
    assert list(protect(s, the(book))) == []


def test_a_stranger_s_of_a_type_nobody_knows_may_be_anything_unless_it_was_known_before() -> None:
    strange = replace(LEG, type=OrderType.UNKNOWN)
    for facts, type_ in (([strange], OrderType.UNKNOWN), ([LEG, strange], OrderType.STOP)):
        book = folded(*position(10), *(j.OrderObserved(report=each, position=P) for each in facts))
        order = book.order_by_broker(LEG.broker_id)
        assert order is not None
        assert order.type is type_
