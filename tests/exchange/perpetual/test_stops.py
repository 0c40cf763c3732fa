"""A position's own stops: set, changed, fired, and gone with it."""

import pytest

from standfast.exchange.perpetual.orders import Attached, Change, Ended, Role, Status, Trail
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.perpetual.rules import PerpetualRules, Scripted
from standfast.exchange.perpetual.stops import Wish
from tests.exchange.perpetual.desk import BTC, LONG, SHORT, D, Desk, desk


def stop(price: str, quantity: str | None = None) -> Attached:
    return Attached(price=D(price), quantity=None if quantity is None else D(quantity))


def set_stops(d: Desk, index: int = 0, **wish: Attached | Trail) -> None:
    d.engine.set_stops("a", BTC, index, Wish(**wish))  # type: ignore[arg-type]  # fields of a wish


def test_a_stop_for_the_whole_position_takes_all_that_is_held_when_it_fires() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("49000"))
    d.buy("0.2")
    d.quote("49000", spread="0.2")
    assert d.net() == D("0.3")  # the last price is 49000.1
    d.quote("48999")
    assert d.net() == 0


def test_there_is_one_stop_of_each_role_and_setting_it_again_moves_it() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("48000"), take_profit=stop("53000"))
    set_stops(d, stop_loss=stop("49000"))
    found = d.engine.stops("a", BTC)
    triggers = {role: order.ticket.trigger.price for role, order in found.items() if order.ticket.trigger}
    assert triggers == {Role.STOP_LOSS: D(49_000), Role.TAKE_PROFIT: D(53_000)}
    assert len(d.engine.orders("a")) == 3


def test_a_price_of_zero_takes_it_away() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("48000"))
    set_stops(d, stop_loss=stop("0"))
    assert d.engine.stops("a", BTC) == {}


def test_setting_what_is_set_is_refused_as_unchanged() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("48000"))
    with pytest.raises(PerpetualRefused) as caught:
        set_stops(d, stop_loss=stop("48000"))
    assert caught.value.why is No.STOPS_UNCHANGED


@pytest.mark.parametrize("wish", [Wish(stop_loss=stop("51000")), Wish(take_profit=stop("49000"))])
def test_a_long_is_not_stopped_above_the_price_nor_its_profit_taken_below(wish: Wish) -> None:
    d = desk()
    d.buy("0.1")
    with pytest.raises(PerpetualRefused) as caught:
        d.engine.set_stops("a", BTC, 0, wish)
    assert caught.value.why is No.WRONG_STOP
    assert d.engine.stops("a", BTC) == {}


def test_without_a_position_there_is_nothing_to_stop() -> None:
    with pytest.raises(PerpetualRefused) as caught:
        set_stops(desk(), stop_loss=stop("49000"))
    assert caught.value.why is No.NO_POSITION


def test_a_stop_goes_with_its_position() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("49000"), take_profit=stop("52000", "0.05"))
    d.sell("0.1", reduce_only=True)
    gone = [order.ended for order in d.engine.orders("a") if order.role is not Role.PLAIN]
    assert gone == [Ended.POSITION_GONE, Ended.POSITION_GONE]


def test_a_stop_does_not_turn_round_with_its_position() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("49000"))
    d.sell("0.3")
    assert d.net() == D("-0.2")
    assert d.engine.working("a") == []


def test_the_opening_order_may_bring_its_stops() -> None:
    d = desk()
    order = d.buy("0.1", price="49500", stop_loss=stop("48000"), take_profit=stop("55000"))
    assert d.engine.stops("a", BTC) == {}
    d.quote("49499")
    assert d.now(order).status is Status.FILLED
    assert d.engine.stops("a", BTC).keys() == {Role.STOP_LOSS, Role.TAKE_PROFIT}


def test_a_part_brings_stops_for_itself() -> None:
    d = desk(fills=Scripted({"slow": [D("0.4"), D("0.6")]}))
    d.buy("0.1", price="50001", link_id="slow", stop_loss=stop("48000", "0.1"))
    quantities = [order.ticket.quantity for order in d.engine.working("a") if order.role is Role.PARTIAL_STOP_LOSS]
    assert quantities == [D("0.04")]
    d.quote("50000")
    assert d.net() == D("0.1")
    quantities = [order.ticket.quantity for order in d.engine.working("a") if order.role is Role.PARTIAL_STOP_LOSS]
    assert quantities == [D("0.04"), D("0.06")]


def test_parts_are_added_and_never_changed() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("48000", "0.05"))
    set_stops(d, stop_loss=stop("48000", "0.05"))
    assert len(d.engine.working("a")) == 2


def test_a_trail_on_the_position_follows_its_price() -> None:
    d = desk()
    d.sell("0.1")
    set_stops(d, trail=Trail(distance=D(300)))
    d.quote("49000")
    d.quote("49299")
    assert d.net() == D("-0.1")
    d.quote("49300")
    assert d.net() == 0


def test_each_hedged_side_has_stops_of_its_own() -> None:
    d = desk()
    d.engine.set_mode("a", BTC, is_hedged=True)
    d.buy("0.1", index=LONG)
    d.sell("0.1", index=SHORT)
    set_stops(d, LONG, stop_loss=stop("49000"))
    set_stops(d, SHORT, stop_loss=stop("51000"))
    d.quote("48999")
    assert (d.net(LONG), d.net(SHORT)) == (D(0), D("-0.1"))
    d.quote("51000")
    assert d.net(SHORT) == 0


def test_there_are_only_so_many_stops_for_parts() -> None:
    d = desk(rules=PerpetualRules(partial_max=2))
    d.buy("0.1")
    for _ in range(2):
        set_stops(d, stop_loss=stop("48000", "0.01"))
    with pytest.raises(PerpetualRefused) as caught:
        set_stops(d, stop_loss=stop("48000", "0.01"))
    assert caught.value.why is No.TOO_MANY_PARTS


def test_stops_of_the_position_take_no_place_of_conditional_orders() -> None:
    d = desk(rules=PerpetualRules(conditional_max=1))
    d.buy("0.1")
    set_stops(d, stop_loss=stop("48000"), take_profit=stop("55000"))
    d.sell("0.1", falls_to="47000", reduce_only=True)
    assert len(d.engine.working("a")) == 3


def test_a_stop_for_whatever_is_held_gets_no_quantity_of_its_own() -> None:
    d = desk()
    d.buy("0.1")
    set_stops(d, stop_loss=stop("48000"))
    (order,) = d.engine.working("a")
    with pytest.raises(PerpetualRefused):
        d.engine.amend("a", order.id, Change(quantity=D("0.05")))
    d.engine.amend("a", order.id, Change(trigger_price=D(49_000)))
    d.quote("48999")
    assert d.net() == 0
