"""What is set aside for short options: each line of the rule once, and a spread never needs more than its width."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.collateral import requirement
from standfast.exchange.contracts import Contract

D = Decimal
DAY = date(2026, 10, 9)


def option(right: str, strike: int, *, days: int = 0) -> Contract:
    expiry = DAY + timedelta(days=days)
    name = f"XYZ{expiry:%y%m%d}{right[0].upper()}{strike * 1000:08d}"
    return Contract(name, "XYZ", "XYZ", expiry, "call" if right == "call" else "put", D(strike))


def needed(*held: tuple[Contract, int], shares: int = 0, spot: int = 100) -> Decimal:
    return requirement([(each, D(quantity)) for each, quantity in held], {"XYZ": D(shares)}, lambda *_: D(spot))


def test_long_options_need_nothing() -> None:
    assert needed((option("call", 100), 3), (option("put", 90), 2)) == 0


def test_a_put_sold_alone_is_secured_to_its_strike() -> None:
    assert needed((option("put", 95), -2)) == 19_000


def test_a_credit_spread_needs_its_width() -> None:
    assert needed((option("put", 95), -1), (option("put", 90), 1)) == 500
    assert needed((option("call", 105), -1), (option("call", 115), 1)) == 1000


def test_a_debit_spread_and_a_butterfly_need_nothing() -> None:
    assert needed((option("call", 100), 1), (option("call", 105), -1)) == 0
    assert needed((option("call", 95), 1), (option("call", 100), -2), (option("call", 105), 1)) == 0


def test_an_iron_condor_needs_its_wider_side_once() -> None:
    wings = ((option("put", 90), 1), (option("put", 95), -1), (option("call", 105), -1), (option("call", 115), 1))

    assert needed(*wings) == 1000


def test_a_bare_call_needs_a_fifth_of_the_underlying() -> None:
    assert needed((option("call", 105), -1), spot=100) == 2000
    assert needed((option("call", 105), -2), (option("call", 110), 1), spot=100) == 3000


def test_shares_cover_calls_a_hundred_each() -> None:
    assert needed((option("call", 105), -2), shares=199) == 2000
    assert needed((option("call", 105), -2), shares=200) == 0


def test_a_long_leg_that_ends_first_protects_nothing() -> None:
    near, far = option("put", 95), option("put", 95, days=7)

    assert needed((near, -1), (far, 1)) == 0
    assert needed((near, 1), (far, -1)) == 9500


strikes = st.integers(50, 150)
held = st.lists(st.tuples(st.sampled_from(["call", "put"]), strikes, st.integers(-5, 5)), min_size=1, max_size=8)


@given(held)
def test_what_is_set_aside_is_the_worst_of_all_prices(drawn: list[tuple[str, int, int]]) -> None:
    """Looked for the long way: at every price, with the calls that nothing stands against taken out of the sum."""
    pool = [(option(right, strike), quantity) for right, strike, quantity in drawn if quantity]
    calls = sum(quantity for contract, quantity in pool if contract.right == "call")
    worth = [
        sum(quantity * 100 * contract.intrinsic(D(spot)) for contract, quantity in pool)
        for spot in range(max((int(contract.strike) for contract, _ in pool), default=0) + 1)
    ]
    bare = max(0, -calls) * 2000
    has_shorts = any(quantity < 0 for _, quantity in pool)

    assert needed(*pool) == (max(0, -min(worth)) + bare if has_shorts else 0)


@given(strikes, strikes, st.sampled_from(["call", "put"]), st.integers(1, 9))
def test_a_vertical_never_needs_more_than_its_width(short: int, long: int, right: str, quantity: int) -> None:
    found = needed((option(right, short), -quantity), (option(right, long), quantity))

    assert 0 <= found <= abs(short - long) * 100 * quantity
