"""Tests of `core/worth.py`: what a structure would bring if it were closed now."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Clarity
from standfast.core.shapes import entry
from standfast.core.situation import Sight, Situation
from standfast.core.worth import (
    Sides,
    anchors,
    blindness,
    judge_structure,
    net_at,
    result_of,
    structure_levels,
    worth,
)
from standfast.model.ids import Holding
from standfast.model.position import CloseReason, Trail
from standfast.model.quote import Quote
from tests.core.situations import NOW, D, after, folded, quoted, situation
from tests.core.structures import at, leg, put_spread, shares, structure

SHORT, LONG = at("P", 3800), at("P", 3700)
SPREAD = Policy(
    name="spreads", held_by=HeldBy.GUARD, stop_loss=D("0.15"), take_profit=D("0.5"), emergency_stop=D("0.4")
)


def seen(quotes: Mapping[Holding, Sight], **changes: Any) -> Situation:
    return situation(folded(), sights=quotes, policy=SPREAD, **changes)


def spread_at(short: tuple[str, str], long: tuple[str, str], **changes: Any) -> Situation:
    return seen({SHORT: quoted(*short), LONG: quoted(*long)}, **changes)


# --- by the sides of the quotes -----------------------------------------------------------------


def test_what_is_long_is_sold_at_the_bid_and_what_is_short_bought_at_the_ask() -> None:
    found = worth(spread_at(("4.50", "4.70"), ("0.80", "0.90")), put_spread().shape)

    assert found.now == Sides(worst=D("-3.90"), best=D("-3.60"))
    assert found.now.mid == D("-3.75")
    assert (found.lacks, found.why_blind) == ((), "")


def test_shares_count_by_what_one_contract_stands_for() -> None:
    covered = (shares(100), leg(-1, "C", 610, root="SPY"))
    s = seen({covered[0].holding: quoted("605", "605.02"), covered[1].holding: quoted("3", "3.10")})

    assert worth(s, covered).now == Sides(worst=D("601.90"), best=D("602.02"))


def test_a_ratio_counts_each_of_its_contracts() -> None:
    butterfly = (leg(1, "P", 3700), leg(-2, "P", 3750), leg(1, "P", 3800))
    quotes = {butterfly[0].holding: quoted("1", "2"), butterfly[1].holding: quoted("3", "4"), SHORT: quoted("6", "7")}

    assert worth(seen(quotes), butterfly).now == Sides(worst=D(-1), best=D(3))


# --- blind --------------------------------------------------------------------------------------


def blind(quotes: Mapping[Holding, Sight], **changes: Any) -> str:
    found = worth(seen(quotes, **changes), put_spread().shape)
    assert found.now is None
    assert found.lacks
    return found.why_blind


GOOD = quoted("4.50", "4.70")


def test_a_leg_without_a_quote_makes_the_structure_blind_and_is_named() -> None:
    assert blind({SHORT: GOOD}) == "SPXW260304P03700000: no quote; no price of all legs is known"


@pytest.mark.parametrize(
    ("sight", "why"),
    [
        (quoted("0.90", "0.80"), "crossed, bid 0.90 ask 0.80"),
        (quoted("0", "0.80"), "one-sided, bid 0 ask 0.80"),
        (quoted("0.80", "0"), "one-sided, bid 0.80 ask 0"),
        (quoted("0", "0"), "one-sided, bid 0 ask 0"),
    ],
)
def test_a_quote_that_cannot_be_used_makes_the_structure_blind(sight: Sight, why: str) -> None:
    last = {LONG: Quote(D("0.70"), D("0.75"), after(-42), after(-42))}

    assert blind({SHORT: GOOD, LONG: sight}, good=last) == (
        f"SPXW260304P03700000: {why}; last good price -4.00 (mid -3.875), 42 s old"
    )


def test_a_stale_leg_makes_the_structure_blind_and_its_last_price_is_shown_with_its_age() -> None:
    s = {SHORT: GOOD, LONG: quoted("0.70", "0.75", at=after(-20))}

    assert blind(s) == "SPXW260304P03700000: last quote 20 s old; last good price -4.00 (mid -3.875), 20 s old"


def test_every_leg_that_lacks_a_quote_is_named() -> None:
    assert blind({SHORT: quoted("5", "4")}) == (
        "SPXW260304P03800000: crossed, bid 5 ask 4; SPXW260304P03700000: no quote; no price of all legs is known"
    )


def test_an_option_nobody_bids_for_and_that_costs_next_to_nothing_is_worthless() -> None:
    found = worth(spread_at(("4.50", "4.70"), ("0", "0.05")), put_spread().shape)

    assert found.now == Sides(worst=D("-4.70"), best=D("-4.45"))


def test_one_that_costs_more_lacks_a_bid() -> None:
    assert worth(spread_at(("4.50", "4.70"), ("0", "0.10")), put_spread().shape).now is not None
    assert worth(spread_at(("4.50", "4.70"), ("0", "0.11")), put_spread().shape).now is None


def test_one_quiet_contract_is_no_stuck_feed_but_all_of_them_are() -> None:
    long_ago = NOW - timedelta(minutes=6)
    quiet = Sight(Quote(D("0.80"), D("0.90"), long_ago, NOW))

    assert worth(seen({SHORT: GOOD, LONG: quiet}), put_spread().shape).now is not None
    assert "the feed's last quote is of 14:54:00 UTC" in blind({SHORT: quiet, LONG: quiet})


prices = st.decimals("0.05", "50", places=2)
quotes_of_a_leg = st.none() | st.tuples(prices | st.just(D(0)), prices | st.just(D(0)))


@given(
    st.lists(quotes_of_a_leg, min_size=2, max_size=4), st.lists(st.sampled_from([-2, -1, 1]), min_size=4, max_size=4)
)
def test_one_leg_without_a_usable_quote_makes_the_whole_blind_and_no_leg_is_skipped(
    given_quotes: list[tuple[Decimal, Decimal] | None], ratios: list[int]
) -> None:
    legs = tuple(leg(ratio, "P", 3700 + 10 * at) for at, ratio in zip(range(len(given_quotes)), ratios, strict=False))
    sights = {
        each.holding: quoted(str(pair[0]), str(pair[1]))
        for each, pair in zip(legs, given_quotes, strict=True)
        if pair is not None
    }
    found = worth(seen(sights), legs)

    bad = {
        each.holding
        for each, pair in zip(legs, given_quotes, strict=True)
        if pair is None or not (0 < pair[0] <= pair[1] or (pair[0] == 0 < pair[1] <= D("0.10")))
    }
    lacking = {holding for holding, why in found.lacks if "different moments" not in why}
    assert lacking == bad
    assert (found.now is None) is bool(found.lacks)
    assert all(holding.instrument in found.why_blind for holding in bad)
    assert found.now is None or found.now.worst <= found.now.mid <= found.now.best


def test_quotes_of_different_moments_are_no_price_of_the_whole_and_that_is_said() -> None:
    """Its width is 100: a leg was quoted anew while the market jumped, and the other one was not."""
    before = Sight(Quote(D("0.80"), D("0.90"), after(-9), after(-9)))
    torn = {SHORT: quoted("101.50", "102"), LONG: before}

    found = blindness(seen(torn), put_spread(), SPREAD)

    assert found is not None
    assert (found.holding, found.reported) == (LONG, "no usable quote")
    assert "worth -100.60 at best by quotes of different moments, where -100 is the least it can be" in found.evidence
    assert worth(seen(torn), put_spread().shape).now is None


def test_wide_quotes_may_put_the_worst_side_and_even_the_mid_beyond_the_width() -> None:
    assert worth(spread_at(("99", "104"), ("0.80", "1.90")), put_spread().shape).now == Sides(D("-103.20"), D("-97.10"))


def test_quotes_of_what_is_worth_next_to_nothing_need_not_be_exact() -> None:
    """Nobody corrects a nickel: the dearer one of the two is offered for less than the other one brings."""
    assert worth(spread_at(("0", "0.05"), ("0.10", "0.15")), put_spread().shape).now == Sides(D("0.05"), D("0.15"))


def test_no_price_that_never_was_counts_as_the_quote_before() -> None:
    torn = {SHORT: quoted("96", "99", before=("150", "160")), LONG: quoted("0.80", "0.90", before=("0.80", "0.90"))}
    found = worth(seen(torn), put_spread().shape)

    assert found.now is not None
    assert found.before is None


expected = st.lists(st.tuples(st.integers(3000, 4500), st.integers(1, 9)), min_size=1, max_size=5)
"""Prices of the underlying, each with its weight."""
strikes = st.tuples(st.sampled_from("CP"), st.integers(36, 40).map(lambda hundreds: 100 * hundreds))
widths = st.integers(1, 300).map(lambda cents: Decimal(cents) / 100)


@given(
    expected,
    st.decimals("0.8", "1", places=3),
    st.dictionaries(strikes, st.tuples(st.sampled_from([-2, -1, 1, 2]), widths), min_size=1, max_size=4),
)
def test_what_a_market_quotes_at_one_moment_is_a_price_whatever_it_expects(
    market: list[tuple[int, int]], discount: Decimal, drawn: dict[tuple[str, int], tuple[int, Decimal]]
) -> None:
    sights: dict[Holding, Sight] = {}
    for (right, strike), (_, wide) in drawn.items():
        paid = [max((price - strike) * (1 if right == "C" else -1), 0) * weight for price, weight in market]
        fair = discount * sum(paid) / sum(weight for _, weight in market)
        sights[at(right, strike)] = quoted(str(max(fair - wide, D(0))), str(fair + wide))
    legs = tuple(leg(ratio, right, strike) for (right, strike), (ratio, _) in drawn.items())

    assert "different moments" not in worth(seen(sights), legs).why_blind


# --- results ------------------------------------------------------------------------------------


def test_the_result_of_a_credit_is_what_is_left_of_it() -> None:
    assert result_of(D("-4.255"), D("-3.70")) == D("-0.15")
    assert result_of(D("-1.85"), D("-3.70")) == D("0.5")


def test_the_result_of_a_debit_is_a_return_on_it() -> None:
    assert result_of(D("4"), D("5")) == D("-0.2")
    assert result_of(D("6"), D("5")) == D("0.2")


nets = st.decimals("-500", "500", places=2)


@given(nets, nets.filter(bool))
def test_results_and_net_prices_are_two_forms_of_one_number(net: Decimal, of: Decimal) -> None:
    assert abs(net_at(result_of(net, of), of) - net) < D("0.0000001")
    assert (result_of(net, of) > 0) is (net > of)


@given(st.tuples(prices, prices), st.decimals("0.01", "0.99", places=2))
def test_a_stop_stands_where_closing_at_the_worst_side_loses_what_the_policy_says(
    fills: tuple[Decimal, Decimal], distance: Decimal
) -> None:
    spread = structure((leg(-1, "P", 3800), fills[0]), (leg(1, "P", 3700), fills[1]))
    cost, at_stop = entry(spread), structure_levels(spread, replace(SPREAD, stop_loss=distance)).stop
    assert cost is not None
    if cost == 0:
        assert at_stop is None
        return
    assert at_stop is not None
    assert abs((at_stop - cost) + distance * abs(cost)) < D("0.0000001")


def test_levels_are_net_prices() -> None:
    at_rules = structure_levels(put_spread(), SPREAD)

    assert (at_rules.stop, at_rules.emergency, at_rules.target) == (D("-4.2550"), D("-5.180"), D("-1.850"))
    assert at_rules.stop_reason is CloseReason.STOP_LOSS


def test_a_trailing_stop_goes_before_a_stop_that_is_further_away() -> None:
    climbing = put_spread(trail=Trail(rung=0, peak=D("0.2"), stop=D("0.05")))

    assert structure_levels(climbing, SPREAD).stop == D("-3.5150")
    assert structure_levels(climbing, SPREAD).stop_reason is CloseReason.TRAILING
    chosen = replace(climbing, stop=D("-3.00"), target=D("-0.10"))
    assert structure_levels(chosen, SPREAD).stop == D("-3.00")
    assert structure_levels(chosen, SPREAD).target == D("-0.10")


def test_what_was_held_before_is_judged_by_the_worse_of_entry_and_now() -> None:
    low, high = anchors(D("-3.70"), Sides(D("-9.00"), D("-8.80")))
    adopted = put_spread(anchor=low, gain_anchor=high)

    assert structure_levels(adopted, SPREAD).stop == D("-10.35")
    assert structure_levels(adopted, SPREAD).emergency == D("-12.600")
    assert structure_levels(adopted, SPREAD).target == D("-1.850")


def test_an_entry_at_even_has_no_fractions() -> None:
    even = structure((leg(-1, "P", 3800), 4), (leg(1, "P", 3700), 4))

    assert structure_levels(even, SPREAD).stop is None
    assert structure_levels(replace(even, stop=D(-1)), SPREAD).stop == D(-1)


# --- how far prices can be trusted --------------------------------------------------------------


def test_rules_are_judged_at_the_worst_side() -> None:
    found = worth(spread_at(("4.50", "4.70"), ("0.80", "0.90")), put_spread().shape)
    judged = judge_structure(found, put_spread(), SPREAD)

    assert (judged.clarity, judged.price, judged.gain) == (Clarity.CLEAR, D("-3.90"), D("-3.90"))


def test_where_the_sides_lie_too_far_apart_a_loss_is_judged_at_the_mid_of_two_quotes_and_a_gain_at_the_worst_side() -> (
    None
):
    quotes = {
        SHORT: quoted("4.00", "4.60", before=("5.00", "5.60")),
        LONG: quoted("0.80", "0.90", before=("0.80", "0.90")),
    }
    found = worth(seen(quotes), put_spread().shape)
    judged = judge_structure(found, put_spread(), SPREAD)

    assert judged.clarity is Clarity.WIDE
    assert (judged.price, judged.gain) == (D("-3.45"), D("-3.80"))
    assert judged.reason == "spread 0.70 on -3.45"


def test_sides_as_far_apart_as_the_stop_are_not_too_far() -> None:
    found = worth(spread_at(("4.05", "4.605"), ("0.80", "0.80")), put_spread().shape)

    assert judge_structure(found, put_spread(), SPREAD).clarity is Clarity.CLEAR


def test_where_only_a_stop_of_its_own_ends_a_loss_its_distance_counts() -> None:
    chosen, off = put_spread(stop=D("-4.20")), Policy(name="off")

    assert judge_structure(worth(spread_at(("4.25", "4.75"), ("0.80", "0.80")), chosen.shape), chosen, off).clarity is (
        Clarity.CLEAR
    )
    wide = worth(spread_at(("4.20", "4.75"), ("0.80", "0.80")), chosen.shape)
    assert judge_structure(wide, chosen, off).clarity is Clarity.BLIND
    assert judge_structure(wide, put_spread(stop=D("-3.70")), off).clarity is Clarity.CLEAR


def test_a_wide_quote_without_another_before_it_is_blind() -> None:
    found = worth(spread_at(("4.00", "4.60"), ("0.80", "0.90")), put_spread().shape)

    assert judge_structure(found, put_spread(), SPREAD).clarity is Clarity.BLIND
    assert judge_structure(found, put_spread(), Policy(name="off")).clarity is Clarity.CLEAR


@pytest.mark.parametrize("worst", ["0.05", "0", "-0.05"])
def test_what_was_held_before_and_is_worth_next_to_nothing_is_not_closed_by_a_tick(worst: str) -> None:
    """Bought for 2.00, and found so: fifteen per cent of it is less than any quote can move by, or nothing at all."""
    low, high = anchors(D(2), Sides(D(worst), D(worst)))
    bought = structure((leg(1, "P", 3800), "3.00"), (leg(-1, "P", 3700), "1.00"), anchor=low, gain_anchor=high)

    levels = structure_levels(bought, SPREAD)

    assert levels.stop == levels.emergency == D(worst) - D("0.20"), "two steps of each of its legs"
    ticked = {SHORT: quoted("0.05", "0.10"), LONG: quoted("0.05", "0.10")}
    assert judge_structure(worth(seen(ticked), bought.shape), bought, SPREAD).clarity is Clarity.CLEAR


def test_no_stop_of_what_was_opened_here_is_widened_for_that() -> None:
    cheap = structure((leg(1, "P", 3800), "0.15"), (leg(-1, "P", 3700), "0.05"))

    assert structure_levels(cheap, SPREAD).stop == D("0.085")
