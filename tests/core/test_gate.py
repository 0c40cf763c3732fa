"""Tests of `core/gate.py`: an opening is refused with every reason, and closing never asks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from standfast.core.gate import Asked, reasons_against
from standfast.core.policy import HeldBy, Limits, Mode, Policy
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.evidence import AccountRead
from standfast.model.ids import BreakId, PositionId, RequestId
from standfast.model.instrument import Instrument
from standfast.model.order import OrderType, Role
from standfast.model.position import CloseReason
from tests.core.situations import (
    QQQ,
    SPY,
    D,
    P,
    after,
    exit_intended,
    folded,
    opening_of,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    told,
    with_contract,
)

STOPS = Policy(name="stops", stop_loss=D("0.02"))
GUARD_HOLDS = Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"))
LIMITS = Limits(open_positions=1, notional_per_instrument=D(2000), notional_per_account=D(2500), orders_per_minute=2)


def asked(quantity: str | int = 10, **changes: Any) -> Asked:
    given: dict[str, Any] = {"holding": SPY, "strategy": "trend", "key": "k", **changes}
    return Asked(quantity=D(quantity), **given)


def against(s: Situation, **changes: Any) -> tuple[str, ...]:
    return reasons_against(s, asked(**changes))


def with_account(s: Situation, **changes: Any) -> Situation:
    money: dict[str, Any] = {"equity": D(5000), "buying_power": D(5000), "currency": "USD", "blocked": False, **changes}
    return replace(s, snapshot=replace(s.snapshot, account=AccountRead(**money)))


def test_nothing_speaks_against_a_plain_opening() -> None:
    assert against(with_account(situation(folded()))) == ()
    assert against(situation(folded()), quantity="-10", stop=D(102), target=D(90)) == ()


def test_everything_that_speaks_against_it_is_said_at_once() -> None:
    found = Finding(kind=BreakKind.QUANTITY, holding=SPY, booked="1", reported="2")
    book = folded(
        *position(-10),
        j.Frozen(scope="", by="ann", reason="news"),
        j.Frozen(scope="SPY", by="bob"),
        j.FlattenRequested(request=RequestId("r"), everything=False, by="op"),
        j.BreakSeen(id=BreakId("b1"), finding=found),
        j.BreakConfirmed(id=BreakId("b1")),
    )
    s = with_account(
        situation(
            book,
            rules=ruled(mode=Mode.ALERT, limits=LIMITS),
            is_open=False,
            blind_since=after(-60),
            instruments={SPY.instrument: Instrument(id=SPY.instrument, tradable=False)},
        ),
        blocked=True,
        reason="pattern day trader",
        buying_power=D(10),
    )

    assert against(s, quantity="30.5", stop=D(101), target=D(99)) == (
        "mode is alert: only repair sends orders",
        "the account is frozen by ann: news",
        "SPY is frozen by bob",
        "the account is being flattened",
        "the broker has blocked trading: pattern day trader",
        "the broker cannot be read since 14:59:00 UTC",
        "the session is closed: a market order would wait for the open",
        "SPY has an open break b1 (quantity)",
        "SPY cannot be traded",
        "SPY is held the other way: close it first",
        "the broker holds -10 SPY: close it first",
        "SPY has no fractions: 30.5",
        "stop 101 is not beyond 100.02",
        "target 99 is not beyond 100.02",
        "open_positions: 1 of 1",
        "notional_per_instrument: 4050.81 over 2000",
        "notional_per_account: 4050.61 over 2500",
        "buying power: 3050.61 over 10",
    )


def test_where_an_opening_binds_a_part_of_its_value_the_exchange_says_what_is_too_much() -> None:
    """Found by a drill: at fifty times nothing beyond a fiftieth could be opened."""
    for power, is_let_through in ((100, True), (0, False)):
        margined = situation(folded(), contract=with_contract(margined=True))
        assert (against(with_account(margined, buying_power=D(power))) == ()) is is_let_through
    assert against(with_account(situation(folded()), buying_power=D(100))) != ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": "0"}, "quantity is zero"),
        ({"limit": D(0)}, "limit 0 is no price"),
        ({"limit": D(-5)}, "limit -5 is no price"),
        ({"stop": D(-5)}, "stop -5 is no price"),
        ({"quantity": "-10", "stop": D(99)}, "stop 99 is not beyond 100"),
    ],
)
def test_terms_that_make_no_sense_are_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason in against(situation(folded()), **changes)


def test_without_a_price_its_size_cannot_be_judged() -> None:
    s = situation(folded(), sights={}, rules=ruled(limits=LIMITS))

    assert against(s) == ("no quote for SPY and no limit: its size cannot be judged",)
    assert against(s, limit=D(100)) == ()


def test_a_sale_counts_with_what_is_quoted_however_low_its_limit_or_the_bid() -> None:
    """It fills at once, at the market: a limit of one was let through as one for each."""
    limits = ruled(limits=Limits(notional_per_instrument=D(2000)))
    s = situation(folded(), rules=limits)

    assert against(s, quantity="-30", limit=D(1), stop=D(110)) == ("notional_per_instrument: 3000.60 over 2000",)
    assert against(s, quantity="-15", limit=D(150), stop=D(160)) == ("notional_per_instrument: 2250.00 over 2000",)
    stub = situation(folded(), sights={SPY: quoted("1.00", "100.02")}, rules=limits)
    assert "notional_per_instrument: 3000.60 over 2000" in against(stub, quantity="-30")
    unseen = situation(folded(), sights={}, rules=limits)
    assert against(unseen, quantity="-1", limit=D(1)) == ("no quote for SPY: what a sale brings cannot be judged",)


def test_what_is_held_counts_with_what_it_is_worth_and_not_with_the_limit_of_more() -> None:
    s = situation(folded(*position(15)), rules=ruled(limits=Limits(notional_per_instrument=D(2000))))

    assert against(s, quantity="10", limit=D(60)) == ("notional_per_instrument: 2100.30 over 2000",)


def test_what_is_being_sold_short_counts_in_the_account_with_what_is_quoted() -> None:
    book = folded(*opening_of(-10, limit=D(1), id=PositionId("p2")))
    limits = ruled(limits=Limits(notional_per_account=D(1500)))
    s = situation(book, held={}, sights={SPY: quoted("100"), QQQ: quoted("100")}, rules=limits)

    assert against(s, holding=QQQ, quantity="6") == ("notional_per_account: 1600.00 over 1500",)


def test_what_cannot_be_sold_short_is_not() -> None:
    s = situation(folded(), instruments={SPY.instrument: Instrument(id=SPY.instrument, shortable=False)})

    assert against(s, quantity="-10") == ("SPY cannot be sold short",)


def test_fractions_go_where_they_may() -> None:
    s = situation(folded(), instruments={SPY.instrument: Instrument(id=SPY.instrument, fractionable=True)})

    assert against(s, quantity="0.5") == ()


def test_a_limit_may_wait_for_the_open() -> None:
    assert against(situation(folded(), is_open=False), limit=D(100)) == ()


def test_an_unconfirmed_break_or_one_elsewhere_is_no_reason() -> None:
    found = Finding(kind=BreakKind.QUANTITY, holding=SPY, booked="1", reported="2")

    assert against(situation(folded(j.BreakSeen(id=BreakId("b1"), finding=found)))) == ()


def test_what_is_being_opened_counts_before_the_broker_shows_it() -> None:
    book = folded(*opening_of(10, id=PositionId("p2")))
    s = situation(book, held={}, rules=ruled(limits=Limits(notional_per_instrument=D(1500))))

    assert against(s, quantity="4") == ()
    assert against(s, quantity="5") == ("notional_per_instrument: 1500.30 over 1500",)
    elsewhere = situation(
        book,
        held={},
        sights={SPY: quoted("100"), QQQ: quoted("100")},
        rules=ruled(limits=Limits(notional_per_account=D(1500))),
    )
    assert against(elsewhere, holding=QQQ, quantity="6") == ("notional_per_account: 1600.00 over 1500",)


def test_openings_a_minute_are_counted_for_a_minute() -> None:
    book = folded(*opening_of(1, id=PositionId("a")), *opening_of(1, id=PositionId("b")))
    limits = ruled(limits=Limits(orders_per_minute=2))
    later = timedelta(minutes=1).total_seconds()

    assert against(situation(book, held={}, rules=limits)) == ("orders_per_minute: 2 of 2",)
    fresh = {SPY: quoted("100", at=after(later))}
    assert against(situation(book, held={}, rules=limits, now=after(later), sights=fresh)) == ()


def test_beside_an_exit_whose_arrival_is_not_known_nothing_is_opened() -> None:
    """It may be of a position that has closed since: arrived late, it would sell the new one."""
    stop = exit_intended(Role.STOP, stop="98")
    gone = j.PositionWrittenOff(position=P, reason=CloseReason.OPERATOR, by="op", detail="")
    book = folded(*position(10), stop, j.OrderInDoubt(id=stop.id, reason="no answer"), gone)

    (reason,) = against(with_account(situation(book, held={})))

    assert stop.id in reason
    assert against(with_account(situation(told(book, j.OrderNeverArrived(id=stop.id, reason="")), held={}))) == ()


def test_where_no_more_stops_may_rest_on_an_instrument_nothing_is_opened_that_needs_one() -> None:
    """At Bybit the eleventh is refused: what was just opened would be closed again, and cost the spread each time."""
    contract = with_contract(stops_of_instrument=2)
    book = folded(*position(10), *resting_stop())
    theirs = report("b-9", type=OrderType.STOP, stop="90", client="their-own")
    one = situation(book, policy=STOPS, contract=contract)
    two = situation(book, policy=STOPS, contract=contract, listed=[theirs])

    assert against(one) == ()
    assert against(two) == ("2 stops rest on SPY, and 2 may: its own would be refused",)
    assert against(situation(book, policy=STOPS, listed=[theirs])) == ()
    assert against(situation(book, policy=GUARD_HOLDS, contract=contract, listed=[theirs])) == ()
