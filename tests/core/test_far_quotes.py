"""A single option whose bid and offer lie far apart: closed at the far side a loss would be made, and not ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from standfast.core.adopt import price_now
from standfast.core.exits import exits
from standfast.core.policy import HeldBy, Policy
from standfast.core.reconcile import reconcile
from standfast.core.results import FAR_QUOTE, Clarity, Judged, judge
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import BreakId, Holding, PositionId
from standfast.model.position import CloseReason
from tests.core.situations import NOW, SPY, D, P, folded, of, position, quoted, ruled, situation, told
from tests.core.structures import FRIDAY, at

CALL = at("C", 110, FRIDAY, "SPY")
HALF = Policy(name="half", held_by=HeldBy.GUARD, stop_loss=D("0.5"), take_profit=D("0.9"))
"""Sold at 2: its loss is ended at 3. Bought at 2: at 1. A quote wider than 2 says nothing."""


def held(*quotes: str, quantity: int = -2, of: Holding = CALL, policy: Policy = HALF, **more: Any) -> Situation:
    """`quotes`: bid and ask of the last one and of the one before it."""
    bid, ask, *before = quotes
    sights = {of: quoted(bid, ask, before=(before[0], before[1]) if before else None)}
    return situation(folded(*position(quantity, "2.00", holding=of)), policy=policy, sights=sights, **more)


def judged(*quotes: str, **changes: Any) -> Judged:
    s = held(*quotes, **changes)
    return judge(s, s.book.state.positions[P], s.policy(s.book.state.positions[P]))


def due(s: Situation) -> list[CloseReason]:
    return [each.reason for each in of(j.CloseRequested, exits(s, s.book.state.positions[P]))]


def test_two_far_quotes_in_a_row_are_no_loss() -> None:
    """Sold, true at 1.50 and offered at 19 for a second or two: the mid of both quotes lies beyond its stop. Bought,
    true at 2 and bid 0.05."""
    assert due(held("1.00", "19.00", "1.00", "19.00")) == []
    assert judged("1.00", "19.00", "1.10", "20.00").price == D("1.00")
    assert judged("1.00", "19.00", "1.10", "20.00").gain == D("10.55"), "and surely no gain"
    tight = replace(HALF, stop_loss=D("0.3"))
    assert due(held("0.05", "2.50", "0.05", "2.50", quantity=2, policy=tight)) == []
    assert judged("0.05", "2.50", "0.05", "2.40", quantity=2, policy=tight).price == D("2.50")


def test_the_better_side_beyond_the_stop_is_a_loss_whatever_the_other_one_is() -> None:
    assert due(held("3.10", "19.00", "3.00", "18.00")) == [CloseReason.STOP_LOSS]
    assert due(held("3.10", "19.00", "2.90", "18.00")) == [], "only when two in a row agree"


def test_quotes_that_are_wide_and_no_wider_than_two_stop_distances_are_judged_at_the_mid() -> None:
    found = judged("2.20", "4.20", "2.10", "4.10")

    assert (found.clarity, found.price, found.gain) == (Clarity.WIDE, D("3.10"), D("3.20"))
    assert due(held("2.20", "4.20", "2.10", "4.10")) == [CloseReason.STOP_LOSS]
    assert judged("2.20", "4.21", "2.10", "4.10").clarity is Clarity.FAR


def test_one_far_quote_after_wide_ones_fires_nothing_nor_does_a_wide_one_after_it() -> None:
    assert due(held("1.00", "19.00", "2.20", "4.20")) == []
    assert due(held("1.20", "3.20", "1.00", "19.00")) == []


def test_what_lies_so_far_apart_for_two_minutes_is_all_the_market_there_is() -> None:
    def after(seconds: int, subject: str = FAR_QUOTE) -> list[CloseReason]:
        """The break has been seen so long ago."""
        finding = Finding(kind=BreakKind.BLIND, holding=CALL, subject=subject, booked="rules", reported="")
        s, began = held("1.00", "19.00", "1.00", "19.00"), NOW - timedelta(seconds=seconds)
        return due(replace(s, book=told(s.book, j.BreakSeen(id=BreakId("b1"), finding=finding), at=began)))

    assert after(119) == []
    assert after(120) == [CloseReason.STOP_LOSS]
    assert after(600, subject="") == [], "an hour of wide quotes does not make the first far one a price"


def test_it_is_said_and_counted_by_itself() -> None:
    (far,) = reconcile(held("1.00", "19.00", "1.00", "19.00"), CALL).findings
    (wide,) = reconcile(held("2.20", "4.20", "2.10", "4.10"), CALL).findings

    assert (far.kind, far.subject, far.evidence) == (BreakKind.BLIND, FAR_QUOTE, "spread 18.00 on 10.00")
    assert far.reported == "judged by the better side for two minutes, then at the mid"
    assert (wide.subject, wide.reported) == ("", "judged at the mid")


def test_another_lot_that_is_judged_otherwise_does_not_hide_it() -> None:
    s = held("4.50", "11.50", "4.50", "11.50", policy=HALF)
    dear = position(-2, "8.00", holding=CALL, id=PositionId("p0"))
    told(s.book, *dear)

    (found,) = reconcile(s, CALL).findings
    assert found.subject == FAR_QUOTE


def test_a_bid_that_is_withdrawn_meanwhile_does_not_begin_it_anew() -> None:
    finding = Finding(kind=BreakKind.BLIND, holding=CALL, subject=FAR_QUOTE, booked="rules", reported="")
    s = held("0", "19.00", "0.05", "19.00")
    assert [each.subject for each in reconcile(s, CALL).findings] == [""]
    told(s.book, j.BreakSeen(id=BreakId("b1"), finding=finding))
    assert [each.subject for each in reconcile(s, CALL).findings] == [FAR_QUOTE]


def test_of_what_is_no_option_a_wide_quote_is_judged_at_the_mid_however_wide_it_is() -> None:
    assert judged("1.00", "19.00", "1.00", "19.00", of=SPY).clarity is Clarity.WIDE


# --- worth next to nothing ------------------------------------------------------------------------


def test_a_sold_option_that_nobody_bids_for_is_bought_back_at_its_target() -> None:
    assert due(held("0", "0.10")) == [CloseReason.TAKE_PROFIT]
    assert list(reconcile(held("0", "0.10"), CALL).findings) == [], "and nobody is alarmed"
    assert judged("0", "0.11").reason == "bid 0 ask 0.11", "dearer ones lack a bid"
    assert judged("0", "0.10", quantity=2).reason == "bid 0 ask 0.10", "sold it would bring nothing"
    assert judged("0", "0.10", of=SPY).reason == "bid 0 ask 0.10", "what is no option lacks a bid"


# --- once and for all -----------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["0.5", "1", "2"])
def test_exits_are_not_figured_from_a_far_quote_however_far_they_are(loss: str) -> None:
    rules = ruled(Policy(name="far", held_by=HeldBy.GUARD, stop_loss=D(loss)))

    assert price_now(held("0.05", "90.00", rules=rules), CALL) is None
    assert price_now(held("1.00", "3.01", rules=rules), CALL) is None
    assert price_now(held("1.00", "3.00", rules=rules), CALL) == D("2.00")
