"""Tests of `core/short_delta.py`: what was sold and has come too near the money is bought back, alone or as a leg."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from standfast.core.bands import band
from standfast.core.exits import exits
from standfast.core.gate import reasons_against
from standfast.core.gate_structures import AskedStructure, reasons_against_structure
from standfast.core.policy import HeldBy, Mode, Policy
from standfast.core.reconcile import reconcile
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.greeks import Greeks
from standfast.model.ids import Holding, PositionId
from standfast.model.instrument import Instrument
from standfast.model.position import CloseReason
from tests.core.situations import NOW, SPY, D, P, adopted, folded, of, position, quoted, ruled, situation
from tests.core.structures import FRIDAY, at, leg, shares
from tests.core.test_gate import asked

PUT, CALL, LATER_CALL = at("P", 90, FRIDAY, "SPY"), at("C", 110, FRIDAY, "SPY"), at("C", 120, FRIDAY, "SPY")
C1, C2 = PositionId("c1"), PositionId("c2")
LIMITED = Policy(name="limited", held_by=HeldBy.GUARD, short_delta_limit=D("0.35"))
BOTH = replace(LIMITED, stop_loss=D("0.5"))
SIGHTS = {SPY: quoted("100", "100.02"), PUT: quoted("0.90", "1.00"), CALL: quoted("1.90", "2.00")}
SIGHTS[LATER_CALL] = quoted("0.50", "0.60")
HOUR = timedelta(hours=1)


def greeks(delta: str, age: timedelta = timedelta(0)) -> Greeks:
    return Greeks(delta=D(delta), theta=D(-1), at=NOW - age)


def seen(*facts: j.Fact, policy: Policy = LIMITED, delta: Any = None, **changes: Any) -> Situation:
    told = {PUT: greeks("-0.36"), CALL: greeks("0.36"), LATER_CALL: greeks("0.36")} if delta is None else delta
    return situation(folded(*facts), policy=policy, **{"sights": SIGHTS, "greeks": told, **changes})


def closes(s: Situation, id: PositionId = P) -> list[j.CloseRequested]:
    return of(j.CloseRequested, exits(s, s.book.state.positions[id]))


def blind(s: Situation, holding: Holding = PUT) -> list[Finding]:
    return [each for each in reconcile(s, holding).findings if each.kind is BreakKind.BLIND]


SOLD_PUT = tuple(position(-2, "1.00", holding=PUT))


def test_a_single_sold_option_at_its_limit_is_bought_back_and_a_bought_one_never() -> None:
    (close,) = closes(seen(*SOLD_PUT))

    assert (close.reason, close.remain) == (CloseReason.STOP_LOSS, D(0))
    assert close.detail == f"short delta 0.36 of {PUT} is at the limit of 0.35"
    assert closes(seen(*SOLD_PUT, delta={PUT: greeks("-0.35")}))
    assert closes(seen(*SOLD_PUT, delta={PUT: greeks("-0.3499")})) == []
    assert closes(seen(*position(2, "1.00", holding=PUT))) == []
    assert closes(seen(*SOLD_PUT, policy=Policy(name="off", held_by=HeldBy.GUARD))) == []


def test_it_is_so_from_the_first_minute_on_and_whatever_its_quotes_say() -> None:
    young = replace(LIMITED, minimum_hold=HOUR, emergency_stop=D(9), stop_loss=D(2))
    fresh = tuple(position(-2, "1.00", holding=PUT, at=NOW))

    assert closes(seen(*fresh, policy=young))
    assert closes(seen(*fresh, policy=young, sights={}))


@pytest.mark.parametrize("delta", [{}, {PUT: greeks("-0.36", timedelta(minutes=91))}], ids=["none", "old"])
def test_without_a_fresh_delta_nothing_is_closed_and_that_is_said(delta: dict[Holding, Greeks]) -> None:
    s = seen(*SOLD_PUT, delta=delta)

    assert closes(s) == []
    (found,) = blind(s)
    assert (found.reported, found.evidence) == ("no usable delta", f"{PUT}: no delta, or an old one")
    assert blind(seen(*SOLD_PUT)) == []
    assert blind(seen(*SOLD_PUT, delta=delta, is_open=False)) == []
    assert blind(seen(*position(2, "1.00", holding=PUT), delta=delta)) == []


def test_what_quotes_lack_and_what_greeks_lack_is_said_as_one() -> None:
    (found,) = blind(seen(*SOLD_PUT, policy=BOTH, delta={}, sights={PUT: quoted("0", "1.00")}))

    assert found.reported == "no usable quote"
    assert found.evidence == f"bid 0 ask 1.00; {PUT}: no delta, or an old one"


def test_its_quotes_are_watched_for_it_though_no_price_rule_is_on() -> None:
    assert band(seen(*SOLD_PUT), PUT) is not None
    assert band(seen(*position(2, "1.00", holding=PUT)), PUT) is None


def test_where_nothing_may_be_done_it_is_said_once() -> None:
    s = seen(*SOLD_PUT, rules=ruled(LIMITED, mode=Mode.ALERT))

    (alert,) = of(j.AlertRaised, exits(s, s.book.state.positions[P]))
    assert f"-2 {PUT}: stop_loss is due, short delta 0.36 of {PUT}" in alert.text
    assert closes(s) == []


# --- calls that shares deliver --------------------------------------------------------------------


def calls(held: int, sold: int, *more: j.Fact) -> Situation:
    return seen(adopted(held, "100", id=P, holding=SPY), adopted(-sold, "2.00", id=C1, holding=CALL), *more)


@pytest.mark.parametrize(
    ("held", "sold", "remain"),
    [(300, 3, None), (350, 3, None), (299, 3, 2), (100, 3, 1), (99, 3, 0)],
)
def test_only_what_no_share_delivers_is_bought_back(held: int, sold: int, remain: int | None) -> None:
    assert [each.remain for each in closes(calls(held, sold), C1)] == ([] if remain is None else [remain])
    assert blind(replace(calls(held, sold), greeks={}), CALL) == [] or remain is not None


def test_calls_share_what_there_is_in_turn() -> None:
    s = calls(300, 2, adopted(-2, "1.00", id=C2, holding=LATER_CALL))

    assert closes(s, C1) == []
    assert [each.remain for each in closes(s, C2)] == [D(1)]


def test_a_sold_put_is_not_delivered_by_shares() -> None:
    assert closes(seen(adopted(300, "100", id=C1, holding=SPY), *SOLD_PUT))


# --- the gate -------------------------------------------------------------------------------------


def refusals(s: Situation, holding: Holding, quantity: int) -> tuple[str, ...]:
    return tuple(each for each in reasons_against(s, asked(quantity, holding=holding)) if "short_delta_limit" in each)


def test_an_opening_that_its_limit_would_close_at_once_is_refused() -> None:
    why = f"the delta of {PUT} is -0.36: short_delta_limit = 0.35 would close it at once"

    assert refusals(seen(), PUT, -1) == (why,)
    assert refusals(seen(), PUT, 1) == ()
    assert refusals(seen(delta={PUT: greeks("-0.34")}), PUT, -1) == ()
    assert refusals(seen(delta={}), PUT, -1) == (), "nothing is guessed"


def test_a_call_that_free_shares_deliver_is_opened_whatever_its_delta() -> None:
    held = adopted(200, "100", id=P, holding=SPY)

    assert refusals(seen(held), CALL, -2) == ()
    assert len(refusals(seen(held), CALL, -3)) == 1
    assert len(refusals(seen(held, adopted(-1, "2.00", id=C1, holding=CALL)), LATER_CALL, -2)) == 1
    assert len(refusals(seen(held), PUT, -1)) == 1


def test_covered_stock_is_opened_whatever_the_delta_of_the_call_it_delivers() -> None:
    stock = {SPY.instrument: Instrument(id=SPY.instrument)}
    call = leg(-1, "C", 110, FRIDAY, "SPY")

    def refused(*legs: Any) -> list[str]:
        wanted = AskedStructure(legs=legs, units=D(1), strategy="s", key="k", limit=D(-99))
        s = seen(instruments=stock)
        return [each for each in reasons_against_structure(s, wanted) if "short_delta_limit" in each]

    assert refused(shares(100), call) == []
    assert len(refused(call, leg(1, "C", 120, FRIDAY, "SPY"))) == 1
