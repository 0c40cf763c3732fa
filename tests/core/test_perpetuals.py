"""What exchanges without pairs, and with liquidations, ask of the core."""

from dataclasses import replace

import pytest

from standfast.core.acts import take
from standfast.core.exits import exits
from standfast.core.fills import book_fill
from standfast.core.gate import Asked, reasons_against
from standfast.core.handover import handing_over
from standfast.core.policy import Foreign, Policy
from standfast.core.protect import protect
from standfast.core.reconcile import reconcile
from standfast.core.too_late import too_late
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.effects import CancelOrder
from standfast.model.ids import RequestId, holding_named
from standfast.model.instrument import Instrument, Kind
from standfast.model.order import OrderState, OrderType, Role, Side
from standfast.model.position import CloseReason
from tests.core.situations import (
    SPY,
    D,
    adopted,
    after,
    closing_of,
    fill,
    folded,
    of,
    own_id,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    the,
    told,
    with_contract,
)
from tests.core.toy_broker import desk

NO_PAIRS = with_contract(oco=False)
NO_STOPS = with_contract(oco=False, native_stops=False)
BOTH = Policy(name="both", stop_loss=D("0.02"), take_profit=D("0.1"))
TARGET = Policy(name="target", take_profit=D("0.1"))


def test_where_a_broker_has_no_pairs_the_stop_rests_and_the_guard_takes_the_profit() -> None:
    """Both at rest would be twice what is held, and one of them could open the other way."""
    at = desk(*position(10), rules=ruled(BOTH), contract=NO_PAIRS)

    at.run()

    assert [(order.type, order.remaining, order.stop_price) for order in at.alive()] == [(OrderType.STOP, D(10), D(98))]
    high = {SPY: quoted("111", "111.02")}
    s = situation(at.book, policy=BOTH, listed=at.alive(), sights=high, contract=NO_PAIRS)
    (close,) = of(j.CloseRequested, exits(s, the(at.book)))
    assert close.reason is CloseReason.TAKE_PROFIT


def test_where_no_stop_can_rest_the_guard_holds_it_whatever_the_policy_says() -> None:
    at = desk(*position(10), rules=ruled(BOTH), contract=NO_STOPS)

    at.run()

    assert at.alive() == []
    low = {SPY: quoted("97.90", "97.92")}
    s = situation(at.book, policy=BOTH, sights=low, contract=NO_STOPS)
    (close,) = of(j.CloseRequested, exits(s, the(at.book)))
    assert close.reason is CloseReason.STOP_LOSS


def test_a_guard_that_stops_where_no_stop_can_rest_says_that_nothing_does() -> None:
    at = desk(*position(10), rules=ruled(BOTH), contract=NO_STOPS)
    at.run()

    told_ = list(handing_over(situation(at.book, policy=BOTH, contract=NO_STOPS)))

    (alarm,) = of(j.AlertRaised, told_)
    assert (told_, alarm.severity) == ([alarm], Severity.CRITICAL)
    assert "nothing rests for it" in alarm.text


def test_a_target_without_a_stop_rests_with_or_without_pairs() -> None:
    at = desk(*position(10), rules=ruled(TARGET), contract=NO_PAIRS)

    at.run()

    assert [(order.type, order.limit_price) for order in at.alive()] == [(OrderType.LIMIT, D(110))]


@pytest.mark.parametrize(
    ("why", "needed"), [("liquidation", "margin"), ("adl", "gain was set off"), ("settlement", "contract has ended")]
)
def test_what_the_exchange_took_away_is_booked_with_its_cause_and_a_person_told_once(why: str, needed: str) -> None:
    taken = report("o", side=Side.SELL, filled=10, state=OrderState.FILLED, order_class=why)
    book = folded(adopted(10), j.OrderObserved(report=taken))

    first, second = (fill(id, "o", Side.SELL, 5, 80, at=after(1)) for id in ("x1", "x2"))
    facts = list(book_fill(book, ruled(foreign=Foreign.ADOPT), first))
    told(book, *facts)
    more = list(book_fill(book, ruled(foreign=Foreign.ADOPT), second))

    assert [each.reason for each in of(j.FillBooked, [*facts, *more])] == [CloseReason.LIQUIDATION] * 2
    (alarm,) = of(j.AlertRaised, [*facts, *more])
    assert (alarm.severity, why in alarm.text, needed in alarm.text) == (Severity.CRITICAL, True, True)


@pytest.mark.parametrize("left", [0, 4])
def test_where_no_trade_need_tell_what_the_exchange_took_the_alarm_names_it_among_the_causes(left: int) -> None:
    book = folded(*position(10))
    for is_told in (True, False):
        s = situation(book, held={SPY: left}, contract=with_contract(tells_takings=is_told))
        (found,) = reconcile(s, SPY).findings
        assert ("taken it away" in found.evidence) is not is_told
    more = situation(book, held={SPY: 14}, contract=with_contract(tells_takings=False))
    assert all("taken it away" not in each.evidence for each in reconcile(more, SPY).findings)


def test_what_is_more_than_one_order_may_be_is_protected_and_closed_by_several() -> None:
    """One order for all of it would be refused for ever."""
    most = Instrument(id=SPY.instrument, kind=Kind.PERPETUAL, tick=D("0.01"), most=D(4))
    at = desk(*position(10), rules=ruled(BOTH), contract=NO_PAIRS, instruments={SPY.instrument: most})

    at.run()
    assert sorted(order.remaining for order in at.alive()) == [D(2), D(4), D(4)]

    at.tell(closing_of())
    for _ in range(6):
        at.run()
        for order in at.alive():
            if order.type is OrderType.MARKET:
                assert order.quantity <= D(4)
                at.fill(order.broker_id, order.remaining)
        at.wait(1)

    assert at.net[SPY] == D(0)
    assert (at.book.state.positions, at.over) == ({}, [])


@pytest.mark.parametrize(("net", "stop"), [(10, "98"), (-10, "102")])
def test_a_stop_beyond_the_liquidation_is_no_protection_and_is_said_to_be_none_once(net: int, stop: str) -> None:
    at = desk(*position(net), rules=ruled(Policy(name="stop", stop_loss=D("0.02"))))
    at.run()
    (resting,) = at.alive()
    assert resting.stop_price == D(stop)

    def looked(liquidation: str | None) -> list[j.AlertRaised]:
        s = at.situation()
        read = s.snapshot.positions
        assert read is not None
        price = D(liquidation) if liquidation else None
        rows = {SPY: replace(read.rows[SPY], liquidation=price)}
        facts = of(
            j.AlertRaised, too_late(replace(s, snapshot=replace(s.snapshot, positions=replace(read, rows=rows))), SPY)
        )
        told(at.book, *facts)
        return facts

    assert looked(None) == []
    assert looked("97" if net > 0 else "103") == []
    (alarm,) = looked("98.5" if net > 0 else "101.5")
    assert stop in alarm.text
    assert looked("99" if net > 0 else "101") == []
    at.tell(j.OrderObserved(report=replace(resting, stop_price=D(f"{stop}.0000"))))
    assert looked("99" if net > 0 else "101") == [], "the same price in other digits"


@pytest.mark.parametrize("name", ["SPY", "BTC/USDT:USDT", "BTC/USDT:USDT:long", "BTC/USDT:USDT:short"])
def test_a_holding_is_read_back_from_its_name(name: str) -> None:
    assert str(holding_named(name)) == name
    assert bool(holding_named(name).hedge) is name.endswith(("long", "short"))


@pytest.mark.parametrize(("name", "quantity"), [("SPY:long", -1), ("SPY:short", 1)])
def test_a_side_of_a_hedged_account_is_opened_one_way_only(name: str, quantity: int) -> None:
    s = situation(folded())
    asked = Asked(
        holding=holding_named(name), quantity=D(quantity), strategy="s", key="k", limit=D(100), stop=None, target=None
    )

    assert [reason for reason in reasons_against(s, asked) if "the other sign" in reason]
    assert not [r for r in reasons_against(s, replace(asked, quantity=-asked.quantity)) if "the other sign" in r]


def test_an_old_stop_that_still_rests_beside_the_one_that_took_its_place_is_cancelled_again() -> None:
    """The answer to its cancel was lost: for ever it would wait to close what somebody opens anew."""
    pairs = with_contract(reduce_only=True, oco=False)
    old, new = resting_stop(), resting_stop(stop="99", attempt=2)
    assert isinstance(new[0], j.OrderIntended)
    moved = [replace(new[0], replaces=own_id(Role.STOP)), *new[1:]]
    book = folded(*position(10), *old, *moved)
    listed = [fact.report for fact in (old[2], new[2]) if isinstance(fact, j.OrderObserved)]
    s = situation(book, policy=Policy(name="stop", stop_loss=D("0.01")), listed=listed, contract=pairs)

    (cancel,) = of(CancelOrder, protect(s, the(book)))

    assert cancel.broker_id == listed[0].broker_id
    before = situation(book, listed=listed, contract=pairs, asked_after=0)
    assert of(CancelOrder, protect(before, the(book))) == []
    swapped_at_once = situation(book, listed=listed)
    assert of(CancelOrder, protect(swapped_at_once, the(book))) == []


@pytest.mark.parametrize(("quantity", "refused"), [("0.25", True), ("0.3", False), ("10", False)])
def test_a_part_of_a_step_is_not_begun_to_be_closed(quantity: str, *, refused: bool) -> None:
    stepped = Instrument(id=SPY.instrument, kind=Kind.PERPETUAL, tick=D("0.01"), lot=D("0.1"))
    s = situation(folded(*position(10)), instruments={SPY.instrument: stepped})
    asked = j.RequestTaken(
        request=RequestId("r1"), verb="close", arguments={"position": "p1", "quantity": quantity}, by="ann"
    )

    facts = list(take(s, asked, lambda number: None))

    assert bool(of(j.CloseRequested, facts)) is not refused
    assert [done.detail for done in of(j.RequestDone, facts)] == (
        ["quantity 0.25 is no multiple of 0.1, the least step of SPY"] if refused else []
    )
