"""Liquidation, auto-deleveraging, settlement and funding."""

from datetime import timedelta

from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.contract import Standing
from standfast.exchange.perpetual.events import EventKind
from standfast.exchange.perpetual.forced import next_funding
from standfast.exchange.perpetual.orders import Attached, Ended, PriceBy, Role
from standfast.exchange.perpetual.positions import State
from standfast.exchange.perpetual.stops import Wish
from tests.exchange.perpetual.desk import BTC, LONG, SHORT, START, D, Desk, desk


def leveraged(quantity: str = "1") -> Desk:
    d = desk(cash="1000")
    d.engine.set_leverage("a", BTC, D(100))
    d.buy(quantity)
    return d


def test_a_position_dies_at_its_liquidation_price_and_not_a_tick_before() -> None:
    d = leveraged()
    dies_at = d.engine.liquidation_price(d.engine.position("a", BTC))
    assert dies_at is not None
    reached = dies_at // D("0.1") * D("0.1")
    d.engine.pin(BTC, PriceBy.MARK, reached + D("0.1"))
    assert d.net() == 1
    d.engine.pin(BTC, PriceBy.MARK, reached)
    assert d.net() == 0


def test_a_liquidation_takes_all_and_no_more() -> None:
    d = leveraged()
    d.quote("49000")
    assert d.net() == 0
    assert 0 <= d.wallet < 1  # what rounding to a tick left


def test_a_gap_through_the_bankruptcy_price_is_not_the_clients() -> None:
    d = leveraged()
    d.quote("30000")
    assert d.net() == 0
    assert 0 <= d.wallet < 1


def test_a_liquidation_cancels_every_order_first() -> None:
    d = leveraged("0.5")
    resting = d.buy("0.1", price="45000")
    stop = d.sell("0.5", falls_to="40000", reduce_only=True)
    d.quote("48000")
    assert {d.now(resting).ended, d.now(stop).ended} == {Ended.BEFORE_LIQUIDATION}
    assert d.engine.books("a").executions[-1].kind is ExecutionKind.LIQUIDATION


def test_a_stop_beyond_the_liquidation_price_never_fires() -> None:
    d = leveraged()
    d.engine.set_stops("a", BTC, 0, Wish(stop_loss=Attached(price=D(48_000))))
    d.quote("47000")
    (stop,) = [order for order in d.engine.orders("a") if order.role is Role.STOP_LOSS]
    assert stop.triggered_at is not None or stop.ended is Ended.BEFORE_LIQUIDATION
    assert d.net() == 0


def test_an_isolated_position_dies_alone() -> None:
    d = desk(cash="100000")
    d.engine.set_leverage("a", BTC, D(100))
    d.engine.set_margin_mode("a", BTC, is_isolated=True)
    d.buy("1")
    wallet = d.wallet
    d.quote("49000")
    assert d.net() == 0
    assert wallet - D(501) < d.wallet < wallet - D(499)


def test_another_side_of_a_hedge_bears_a_loss() -> None:
    d = desk(cash="1000")
    d.engine.set_leverage("a", BTC, D(100))
    d.engine.set_mode("a", BTC, is_hedged=True)
    d.buy("0.5", index=LONG)
    d.sell("0.5", index=SHORT)
    d.quote("30000")
    assert (d.net(LONG), d.net(SHORT)) == (D("0.5"), D("-0.5"))


def test_a_position_that_is_liquidated_is_shown_as_being_so() -> None:
    d = leveraged()
    d.quote("49000")
    states = [event.position.state for event in d.events if event.position is not None]
    assert State.LIQUIDATING in states
    assert states[-1] is State.NORMAL


def test_deleveraging_takes_a_part_and_cancels_what_works() -> None:
    d = desk()
    d.buy("0.1")
    resting = d.sell("0.1", price="52000", reduce_only=True)
    d.engine.deleverage("a", BTC, 0, D("0.04"), D(50_500))
    assert d.net() == D("0.06")
    assert d.now(resting).ended is Ended.BEFORE_ADL
    row = d.engine.books("a").executions[-1]
    assert (row.kind, row.fee, row.price) == (ExecutionKind.ADL, D(0), D(50_500))


def test_settlement_ends_orders_positions_and_the_instrument() -> None:
    d = desk()
    d.buy("0.1")
    resting = d.buy("0.1", price="40000")
    d.engine.settle(BTC, D(50_200))
    assert d.net() == 0
    assert d.now(resting).ended is Ended.SETTLEMENT
    assert d.engine.contract(BTC).standing is Standing.CLOSED
    assert d.engine.books("a").executions[-1].kind is ExecutionKind.SETTLEMENT


def test_a_long_pays_a_positive_rate_and_a_short_receives_it() -> None:
    d = desk()
    d.engine.set_mode("a", BTC, is_hedged=True)
    d.buy("0.1", index=LONG)
    d.sell("0.1", index=SHORT)
    before = d.wallet
    d.engine.fund(BTC, D("0.001"))
    paid, received = d.engine.books("a").executions[-2:]
    assert paid.fee == D("0.1") * d.engine.prices(BTC).mark * D("0.001")  # type: ignore[operator]  # it is quoted
    assert received.fee == -paid.fee
    assert d.wallet == before


def test_funding_comes_every_eight_hours_by_itself() -> None:
    d = desk()
    d.buy("0.1")
    assert next_funding(d.engine.contract(BTC), START) == START.replace(hour=8)
    d.wait(timedelta(hours=24).total_seconds())
    rows = [row for row in d.engine.books("a").executions if row.kind is ExecutionKind.FUNDING]
    assert [row.at.hour for row in rows] == [8, 16, 0]
    wallets = [event for event in d.events if event.kind is EventKind.WALLET and event.reason == "funding"]
    assert len(wallets) == 3


def test_funding_may_liquidate() -> None:
    d = leveraged()
    d.engine.fund(BTC, D("0.02"))
    assert d.net() == 0
