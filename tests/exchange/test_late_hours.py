"""Options on an index trade until a quarter past four; those that end that day, and all else, until four."""

from datetime import timedelta

from standfast.exchange.assets import asset_of
from standfast.exchange.orders import Status
from tests.exchange.option_desk import BTO, CLOSE, STO, X3700, X3800, D, OptionDesk, open_option_desk

FAR, OTHER = "SPXW261016P03800000", "SPXW261016P03700000"
AFTER = CLOSE + timedelta(minutes=5)
LATE = CLOSE + timedelta(minutes=15)
INDEX = (FAR, OTHER, X3800, X3700)


def quoted() -> OptionDesk:
    found = open_option_desk(cash="10000000")
    for name in (FAR, OTHER):
        found.engine.list_asset(asset_of(name))
    for name in INDEX:
        found.quote(name, "4.90", "5.00")
    return found


def after_the_close() -> OptionDesk:
    found = quoted()
    found.engine.advance(AFTER)
    for name in INDEX:
        found.quote(name, "4.80", "4.90")
    return found


def test_what_does_not_end_that_day_trades_on_and_everything_else_waits() -> None:
    at = after_the_close()

    assert at.one(FAR, BTO).status is Status.FILLED
    assert at.buy_shares("1").status is Status.ACCEPTED
    assert not at.engine.clock().is_open
    assert (at.engine.is_tradable(FAR), at.engine.is_tradable(X3800)) == (True, False)


def test_a_spread_trades_on_when_all_its_legs_do() -> None:
    at = after_the_close()

    assert at.many((FAR, STO, 1), (OTHER, BTO, 1), of="SPX").status is Status.FILLED


def test_at_a_quarter_past_four_it_is_over_and_orders_for_the_day_end() -> None:
    at = after_the_close()
    resting = at.one(FAR, BTO, limit="1.00")

    at.engine.advance(LATE)

    assert at.now(resting).is_finished
    at.quote(FAR, "0.80", "0.90")
    assert at.one(FAR, BTO).status is Status.ACCEPTED
    assert at.engine.net("a", FAR) == D(0)


def test_orders_for_the_day_of_everything_else_end_at_four() -> None:
    found = quoted()
    far, near = (found.one(name, BTO, limit="1.00") for name in (FAR, X3800))

    found.engine.advance(AFTER)

    assert (found.now(far).is_finished, found.now(near).is_finished) == (False, True)
