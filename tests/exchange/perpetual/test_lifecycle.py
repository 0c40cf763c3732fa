"""How orders trade, trigger and end."""

import pytest

from standfast.exchange.perpetual.events import EventKind
from standfast.exchange.perpetual.orders import Change, Ended, InForce, Status, Trail
from standfast.exchange.perpetual.refusal import PerpetualRefused
from standfast.exchange.perpetual.rules import PerpetualRules, Scripted
from standfast.exchange.perpetual.stops import waiting_trigger
from tests.exchange.perpetual.desk import BTC, LONG, SECOND, SHORT, D, desk


def test_a_market_order_takes_the_far_side() -> None:
    d = desk()
    order = d.buy("0.1")
    assert (order.status, order.average_price) == (Status.FILLED, D("50000.1"))


def test_a_market_order_without_a_market_is_cancelled_and_not_left() -> None:
    d = desk()
    d.engine.halt(BTC)
    order = d.buy("0.1")
    assert (order.status, order.ended) == (Status.CANCELLED, Ended.NO_MARKET)


def test_a_market_order_does_not_trade_far_from_the_last_price() -> None:
    d = desk()
    d.quote("50000", spread="20000")
    assert d.buy("0.1").ended is Ended.NO_MARKET


def test_a_resting_limit_makes_at_its_own_price_and_a_crossing_one_takes_the_quote() -> None:
    d = desk()
    resting = d.buy("0.1", price="49000")
    d.quote("48000")
    assert d.now(resting).average_price == D(49_000)
    crossing = d.buy("0.1", price="49000")
    assert crossing.average_price == D("48000.1")
    rates = [row.fee_rate for row in d.engine.books("a").executions]
    assert rates == [D("0.0002"), D("0.00055")]


@pytest.mark.parametrize(
    ("in_force", "price", "ended"),
    [
        (InForce.IOC, "49000", Ended.NO_MARKET),
        (InForce.FOK, "49000", Ended.NO_MARKET),
        (InForce.POST_ONLY, "51000", Ended.WOULD_TAKE),
    ],
)
def test_a_time_in_force_ends_what_it_does_not_allow(in_force: InForce, price: str, ended: Ended) -> None:
    order = desk().buy("0.1", price=price, in_force=in_force)
    assert (order.status, order.ended, order.filled) == (Status.CANCELLED, ended, D(0))


def test_all_or_nothing_takes_nothing_where_too_little_is_shown() -> None:
    d = desk(rules=PerpetualRules(limited_by_size=True))
    d.quote("50000", size="0.05")
    assert d.buy("0.1", price="50001", in_force=InForce.FOK).ended is Ended.NOT_WHOLE
    part = d.buy("0.1", price="50001", in_force=InForce.IOC)
    assert (part.status, part.filled) == (Status.CANCELLED, D("0.05"))


def test_a_script_fills_an_order_in_parts() -> None:
    d = desk(fills=Scripted({"slow": [D("0.3"), D(0), D("0.7")]}))
    order = d.buy("0.1", price="50001", link_id="slow")
    seen = [order.filled]
    for _ in range(2):
        d.quote("50000")
        seen.append(d.now(order).filled)
    assert seen == [D("0.03"), D("0.03"), D("0.1")]


def test_a_cancelled_order_may_carry_fills() -> None:
    d = desk(fills=Scripted({"slow": [D("0.3"), D(0)]}))
    order = d.buy("0.1", price="50001", link_id="slow")
    cancelled = d.engine.cancel("a", order.id)
    assert (cancelled.status, cancelled.filled) == (Status.CANCELLED, D("0.03"))


def test_a_reduce_only_order_asks_for_no_more_than_is_held() -> None:
    d = desk()
    d.buy("0.1")
    order = d.sell("0.5", reduce_only=True)
    assert (order.status, order.filled) == (Status.FILLED, D("0.1"))
    assert d.net() == 0


def test_the_same_order_without_the_flag_turns_the_position_round() -> None:
    d = desk()
    d.buy("0.1")
    d.sell("0.5")
    assert d.net() == D("-0.4")


def test_a_resting_reducer_ends_when_another_order_closes_the_position() -> None:
    d = desk()
    d.buy("0.1")
    resting = d.sell("0.1", price="52000", reduce_only=True)
    d.sell("0.1", reduce_only=True)
    assert d.now(resting).ended is Ended.REDUCE_ONLY


def test_a_conditional_reducer_outlives_its_position_and_strikes_the_next_one() -> None:
    d = desk()
    d.buy("0.1")
    left_behind = d.sell("0.1", falls_to="49000", reduce_only=True)
    d.sell("0.1", reduce_only=True)
    assert d.now(left_behind).is_conditional
    d.buy("0.3")
    d.quote("48999")
    assert d.now(left_behind).status is Status.FILLED
    assert d.net() == D("0.2")


def test_a_conditional_reducer_with_nothing_to_reduce_is_rejected_when_it_fires() -> None:
    d = desk()
    order = d.sell("0.1", falls_to="49000", reduce_only=True)
    d.quote("48999")
    assert (d.now(order).status, d.now(order).ended) == (Status.REJECTED, Ended.REDUCE_ONLY)
    assert d.net() == 0


def test_a_conditional_order_that_opens_is_rejected_for_want_of_margin_when_it_fires() -> None:
    d = desk()
    order = d.sell("3", falls_to="49000")
    d.quote("48999")
    assert (d.now(order).status, d.now(order).ended) == (Status.REJECTED, Ended.NO_MONEY)


def test_without_a_quantity_a_stop_closes_whatever_is_held_when_it_fires() -> None:
    d = desk()
    d.buy("0.1")
    stop = d.sell(None, falls_to="49000", close_on_trigger=True)  # type: ignore[arg-type]  # no quantity
    d.buy("0.05")
    d.quote("48999")
    assert (d.now(stop).filled, d.net()) == (D("0.15"), D(0))


def test_a_trailing_stop_follows_and_never_goes_back() -> None:
    d = desk()
    d.buy("0.1")
    trail = Trail(percent=D(1))
    trigger = waiting_trigger(trail, D(50_000), rises=False)
    stop = d.sell("0.1", reduce_only=True, trail=trail, trigger=trigger)
    levels = []
    for price in ("51000", "50600", "52000"):
        d.quote(price, spread="0.2")
        found = d.now(stop).ticket.trigger
        assert found is not None
        levels.append(found.price)
    assert levels == [D("50490.1"), D("50490.1"), D("51480.1")]
    d.quote("51480")
    assert d.net() == 0


def test_a_trailing_stop_waits_for_the_price_it_becomes_active_at() -> None:
    d = desk()
    d.buy("0.1")
    trail = Trail(distance=D(500), activates_at=D(51_000))
    stop = d.sell("0.1", reduce_only=True, trail=trail, trigger=waiting_trigger(trail, D(51_000), rises=False))
    d.quote("49000")
    assert d.now(stop).is_conditional
    d.quote("51000")
    d.quote("50499")
    assert d.now(stop).status is Status.FILLED


def test_hedged_sides_are_two_positions() -> None:
    d = desk()
    d.engine.set_mode("a", BTC, is_hedged=True)
    d.buy("0.1", index=LONG)
    d.sell("0.2", index=SHORT)
    assert (d.net(LONG), d.net(SHORT)) == (D("0.1"), D("-0.2"))


def test_an_order_waits_out_its_way_to_the_market() -> None:
    d = desk(rules=PerpetualRules(fill_after=SECOND))
    order = d.buy("0.1")
    assert order.status is Status.NEW
    d.quote("50000")
    assert d.now(order).status is Status.NEW
    d.wait(1)
    assert d.now(order).status is Status.FILLED


def test_events_tell_a_fill_as_execution_order_position_and_wallet() -> None:
    d = desk()
    d.buy("0.1")
    assert [event.kind for event in d.events] == [
        EventKind.PLACED,
        EventKind.POSITION,
        EventKind.EXECUTION,
        EventKind.FILLED,
        EventKind.POSITION,
        EventKind.WALLET,
    ]


def test_an_amendment_keeps_the_order_and_loses_its_place() -> None:
    d = desk()
    order = d.buy("0.1", price="49000")
    changed = d.engine.amend("a", order.id, Change(price=D(48_000), quantity=D("0.2")))
    assert (changed.id, changed.ticket.price, changed.remaining) == (order.id, D(48_000), D("0.2"))


def test_an_amended_trigger_may_not_have_been_passed() -> None:
    d = desk()
    order = d.sell("0.1", falls_to="45000")
    with pytest.raises(PerpetualRefused):
        d.engine.amend("a", order.id, Change(trigger_price=D(51_000)))
    d.engine.amend("a", order.id, Change(trigger_price=D(49_000)))
    d.quote("48999")
    assert d.net() == D("-0.1")


def test_a_finished_order_can_neither_be_cancelled_nor_amended() -> None:
    d = desk()
    order = d.buy("0.1")
    with pytest.raises(PerpetualRefused):
        d.engine.cancel("a", order.id)
    with pytest.raises(PerpetualRefused):
        d.engine.amend("a", order.id, Change(price=D(1000)))
