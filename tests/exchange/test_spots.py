"""Where an index stands by its options."""

from datetime import UTC, date, datetime
from decimal import Decimal

from standfast.exchange.assets import Quote
from standfast.exchange.spots import implied_spot

D = Decimal
TODAY = date(2021, 1, 6)


def quotes(**sides: tuple[str, str]) -> dict[str, Quote]:
    at = datetime(2021, 1, 6, 20, tzinfo=UTC)
    return {name: Quote(name, D(bid), D(ask), D(1), D(1), at) for name, (bid, ask) in sides.items()}


def test_a_call_and_a_put_of_one_strike_tell_it() -> None:
    found = quotes(SPXW210106C03800000=("0.10", "0.20"), SPXW210106P03800000=("38.00", "39.00"))

    assert implied_spot(found, "SPX", TODAY) == D("3761.65")


def test_the_tightest_pair_of_any_expiry_is_believed() -> None:
    last_minute = quotes(
        SPXW210106C03800000=("0.05", "0.10"),
        SPXW210106P03800000=("19.60", "76.80"),
        SPXW210108C03800000=("10.00", "10.20"),
        SPXW210108P03800000=("60.90", "61.30"),
    )

    assert implied_spot(last_minute, "SPX", TODAY) == D("3749.00")


def test_half_a_pair_a_side_without_quote_or_another_underlying_tell_nothing() -> None:
    assert implied_spot(quotes(SPXW210106C03800000=("1", "2")), "SPX", TODAY) is None
    one_sided = quotes(SPXW210106C03800000=("0", "2"), SPXW210106P03800000=("38", "39"))
    assert implied_spot(one_sided, "SPX", TODAY) is None
    assert implied_spot(quotes(NDXP210106C03800000=("1", "2"), NDXP210106P03800000=("1", "2")), "SPX", TODAY) is None
