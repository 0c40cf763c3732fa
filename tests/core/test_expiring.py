"""Tests of `core/expiring.py`: flat before the last minutes, and what expiry would leave said aloud."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from standfast.core.expiring import (
    becomes,
    due_at,
    endings,
    expiry_alarms,
    is_due,
    pin_times,
    pin_watched,
    settling_watched,
    underlying_price,
)
from standfast.core.policy import FlatBy, HeldBy, Policy
from standfast.core.situation import Situation
from standfast.model.alert import Severity
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding, InstrumentId
from standfast.model.structure import Structure
from tests.core.situations import NEW_YORK, after, folded, quoted, situation, told, with_contract
from tests.core.structures import FRIDAY, leg, put_spread, shares, structure
from tests.core.test_time_rules import around_thanksgiving

TEN_PAST_THREE = datetime(2026, 3, 4, 20, 10, tzinfo=UTC)
CLOSE = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
RULES = Policy(name="spreads", held_by=HeldBy.GUARD, expiring_flat_by=FlatBy(time(15, 10), NEW_YORK))
SPX, SPY = Holding(InstrumentId("SPX")), Holding(InstrumentId("SPY"))


def at_time(now: datetime, **changes: Any) -> Situation:
    return situation(folded(), now=now, policy=RULES, **{"sights": {}, **changes})


def call_spread(root: str = "SPY", expiry: date = date(2026, 3, 4)) -> Structure:
    return structure((leg(-1, "C", 600, expiry, root), 3), (leg(1, "C", 610, expiry, root), 1))


# --- flat before the last minutes ---------------------------------------------------------------


def test_a_structure_that_expires_today_has_to_be_flat_before_its_last_minutes() -> None:
    found = due_at(at_time(TEN_PAST_THREE), put_spread(), RULES)

    assert found is not None
    assert found[0] == TEN_PAST_THREE
    assert is_due(at_time(TEN_PAST_THREE), put_spread(), RULES) is not None
    assert is_due(at_time(TEN_PAST_THREE - timedelta(seconds=1)), put_spread(), RULES) is None
    assert is_due(at_time(TEN_PAST_THREE), put_spread(), Policy(name="off")) is None


def test_what_has_stopped_trading_asks_for_no_close() -> None:
    assert is_due(at_time(CLOSE), put_spread(), RULES) is None


def test_the_first_option_to_end_decides() -> None:
    calendar = structure((leg(-1, "C", 3800), 5), (leg(1, "C", 3800, FRIDAY), 8))

    found = due_at(at_time(TEN_PAST_THREE), calendar, RULES)
    assert found is not None
    assert found[1] == leg(-1, "C", 3800)

    tomorrow = TEN_PAST_THREE + timedelta(days=1)
    later = due_at(at_time(tomorrow), calendar, RULES)
    assert later == (TEN_PAST_THREE + timedelta(days=2), leg(1, "C", 3800, FRIDAY))


def test_options_settled_at_the_open_are_traded_for_the_last_time_the_day_before() -> None:
    monthly = structure((leg(-1, "P", 3800, FRIDAY, "SPX"), 5))
    thursday = TEN_PAST_THREE + timedelta(days=1)

    found = due_at(at_time(TEN_PAST_THREE), monthly, RULES)

    assert found is not None
    assert found[0] == thursday


def test_on_a_short_day_it_asks_as_long_before_the_close_as_on_others() -> None:
    friday = structure((leg(-1, "P", 3800, date(2026, 11, 27)), 5))
    s = at_time(datetime(2026, 11, 27, 15, 0, tzinfo=UTC), session_close=around_thanksgiving)

    found = due_at(s, friday, RULES)

    assert found is not None
    assert found[0] == datetime(2026, 11, 27, 17, 10, tzinfo=UTC)


def test_shares_and_legs_that_are_gone_end_never() -> None:
    assert list(endings(at_time(CLOSE), structure((shares(100), 600)))) == []
    assert list(endings(at_time(CLOSE), put_spread(0))) == []
    assert list(endings(at_time(CLOSE, session_close=lambda day: None), put_spread())) == []


# --- what expiry leaves -------------------------------------------------------------------------


@pytest.mark.parametrize(("root", "what"), [("SPXW", "cash"), ("SPY", "shares, or nothing")])
def test_an_option_becomes_what_its_root_says(root: str, what: str) -> None:
    assert becomes(leg(-1, "P", 600, root=root)) == what


def alarms(now: datetime, held: Structure, **changes: Any) -> list[tuple[Severity, str]]:
    return [(told.severity, told.text) for told in expiry_alarms(at_time(now, **changes), held)]  # type: ignore[union-attr]  # alarms are all it yields


LAST_HOUR = CLOSE - timedelta(minutes=60)


def test_a_sold_option_near_the_money_is_a_pin_risk_in_the_last_hour() -> None:
    near = {SPY: quoted("602.00", "602.02", at=LAST_HOUR)}

    ((severity, text),) = alarms(LAST_HOUR, call_spread(), sights=near)

    assert severity is Severity.CRITICAL
    assert text.startswith(
        "p1: SPY260304C00600000 is sold, expires today, and SPY is at 602.01, 2.01 (0.34%) above its strike 600:"
    )
    assert alarms(LAST_HOUR - timedelta(seconds=1), call_spread(), sights=near) == []


def test_far_from_the_money_there_is_none() -> None:
    assert alarms(LAST_HOUR, call_spread(), sights={SPY: quoted("603.01", "603.03", at=LAST_HOUR)}) == []
    assert alarms(LAST_HOUR, call_spread(), sights={SPY: quoted("580", "580.02", at=LAST_HOUR)}) == []


def test_without_a_price_of_the_underlying_it_is_said_that_nobody_knows() -> None:
    later = LAST_HOUR + timedelta(minutes=1)
    stale = {SPY: quoted("580", "580.02", at=LAST_HOUR)}

    ((severity, text),) = alarms(later, call_spread(), sights=stale)

    assert severity is Severity.CRITICAL
    assert "no price of SPY is known to compare with its strike 600" in text


def test_a_price_that_is_only_just_asked_for_is_waited_for() -> None:
    opened = replace(call_spread(), opened_at=LAST_HOUR)

    assert alarms(LAST_HOUR + timedelta(seconds=14), opened, sights={}) == []
    assert len(alarms(LAST_HOUR + timedelta(seconds=15), opened, sights={})) == 1


def test_the_underlying_is_watched_from_a_minute_before_that_hour_to_the_close() -> None:
    minute = LAST_HOUR - timedelta(minutes=1)

    assert pin_watched(at_time(minute - timedelta(seconds=1)), call_spread()) == ()
    assert pin_watched(at_time(minute), call_spread()) == (SPY,)
    assert pin_watched(at_time(CLOSE), call_spread()) == ()
    assert pin_watched(at_time(minute), put_spread()) == (), "it becomes cash"
    sold = call_spread().legs[0].leg.holding
    assert list(pin_times(at_time(minute - timedelta(hours=1)), call_spread())) == [WakeAt(at=minute, holding=sold)]
    assert list(pin_times(at_time(LAST_HOUR), call_spread())) == [
        WakeAt(at=LAST_HOUR + timedelta(seconds=5), holding=sold)
    ]


def test_where_nobody_tells_what_became_of_a_contract_its_underlying_is_watched_until_it_is_gone() -> None:
    silent, minute = with_contract(tells_movements=False), LAST_HOUR - timedelta(minutes=1)

    assert settling_watched(at_time(minute - timedelta(seconds=1), contract=silent), put_spread()) == ()
    assert settling_watched(at_time(minute, contract=silent), put_spread()) == (SPX,)
    assert settling_watched(at_time(CLOSE + timedelta(hours=1), contract=silent), put_spread()) == (SPX,)
    assert settling_watched(at_time(CLOSE), put_spread()) == (), "this broker tells"


def test_options_that_become_cash_carry_no_pin_risk() -> None:
    assert alarms(LAST_HOUR, put_spread(), sights={}) == []


def test_a_bought_option_alone_carries_none() -> None:
    assert alarms(LAST_HOUR, structure((leg(1, "C", 600, root="SPY"), 3)), sights={}) == []


def test_what_is_still_held_after_its_last_close_is_said_once() -> None:
    s = at_time(CLOSE)
    raised = list(expiry_alarms(s, put_spread()))

    assert [told.severity for told in raised] == [Severity.WARNING, Severity.WARNING]  # type: ignore[union-attr]  # alarms are all it yields
    book = told(folded(), *raised)  # type: ignore[arg-type]  # alarms are facts
    assert list(expiry_alarms(situation(book, now=CLOSE, policy=RULES, sights={}), put_spread())) == []


def test_the_price_of_an_underlying_is_the_mid_of_its_own_fresh_quote() -> None:
    s = situation(folded(), sights={SPY: quoted("600", "600.02")})

    assert underlying_price(s, SPY) == 600 + quoted("0", "0.02").quote.mid
    assert underlying_price(s, Holding(InstrumentId("QQQ"))) is None
    assert underlying_price(situation(folded(), sights={SPY: quoted("600", "0")}), SPY) is None
    assert underlying_price(situation(folded(), now=after(60), sights={SPY: quoted("600", "601")}), SPY) is None
