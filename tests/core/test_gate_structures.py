"""Tests of `core/gate_structures.py` and `core/acts_structures.py`: what is asked for, and why it is refused."""

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.gate_structures import AskedStructure, reasons_against_structure
from standfast.core.policy import FlatBy, Limits
from standfast.model import journal as j
from standfast.model.evidence import AccountRead
from tests.core.situations import NEW_YORK, NOW, adopted, ruled
from tests.core.spreads import ALONE, BOUGHT, SOLD, SPREADS, SpreadDesk, opened, prices, spread_desk
from tests.core.structures import at, leg


def refusal(desk: SpreadDesk, **asked: str) -> str:
    done = [fact for fact in desk.open(**asked) if isinstance(fact, j.RequestDone)]
    return done[0].detail if done else ""


def test_a_spread_whose_price_and_risk_are_known_is_taken() -> None:
    assert refusal(spread_desk()) == ""


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"legs": f"{SOLD}:-1"}, "two to 4 legs, not 1"),
        ({"legs": f"{SOLD}:-1 SPXW260306C03900000:-1"}, "no structure that is known"),
        ({"legs": f"{SOLD} {BOUGHT}:+1"}, "is no leg: write CONTRACT:RATIO"),
        ({"quantity": "1.5"}, "no whole number of units"),
        ({"credit": "-1"}, "no price above zero"),
    ],
)
def test_what_is_no_spread_is_refused_in_words(asked: dict[str, str], why: str) -> None:
    assert why in refusal(spread_desk(), **asked)


def test_a_unit_that_is_several_smaller_ones_is_refused_for_brokers_price_the_smallest() -> None:
    doubled = {"legs": f"{SOLD}:-2 {BOUGHT}:+2", "quantity": "3"}

    assert f"its unit is 2 of {SOLD}:-1 {BOUGHT}:+1: ask for 6 units of that" in refusal(spread_desk(), **doubled)
    assert refusal(spread_desk(), legs=f"{SOLD}:-2 {BOUGHT}:+1", credit="8.00") == ""


@pytest.mark.parametrize(
    ("asked", "best"),
    [
        ({"credit": "", "debit": "4.00"}, "-400.00 at 3800"),
        ({"legs": f"{SOLD}:+1 {BOUGHT}:-1", "credit": "", "debit": "100"}, "+0.00 at 0"),
    ],
    ids=["a credit spread for a debit", "as much as lies between the strikes"],
)
def test_a_price_at_which_it_can_only_lose_is_refused(asked: dict[str, str], best: str) -> None:
    refused = refusal(spread_desk(), **{"quantity": "1", **asked})

    assert f"at that price it can win nothing: at best {best}" in refused


def test_a_price_at_which_it_can_win_a_cent_is_taken() -> None:
    assert refusal(spread_desk(), credit="0.01") == ""
    dear = {"legs": f"{SOLD}:+1 {BOUGHT}:-1", "credit": "", "debit": "99.99"}
    assert refusal(spread_desk(), **dear) == ""


def test_an_opening_that_the_broker_would_refuse_for_what_it_holds_the_other_way_is_foreseen() -> None:
    """Three of the 3700 put are bought in one spread: sold in another they would have to be closed first."""
    desk, lower = opened(), at("P", 3600)
    desk.sights |= {lower: desk.sights[BOUGHT]}
    below = {"legs": f"{BOUGHT}:-1 {lower}:+1", "key": "below", "credit": "0.01"}

    assert f"the broker holds 3 {BOUGHT}, and takes no opening the other way" in refusal(desk, **below)
    assert "the other way" not in refusal(desk, legs=f"{SOLD}:-1 {lower}:+1", key="beside", credit="3.60")


def test_limits_are_held_to_the_most_it_can_lose() -> None:
    """100 points wide, 3.60 received, three of it: 28,920 at most."""
    limited = spread_desk(rules=ruled(SPREADS, limits=Limits(notional_per_account=Decimal(28_919))))
    enough = spread_desk(rules=ruled(SPREADS, limits=Limits(notional_per_account=Decimal(28_920))))

    assert "may lose 28920.00, over the limit of 28919" in refusal(limited)
    assert refusal(enough) == ""


def test_what_is_held_and_on_its_way_counts_with_what_it_may_lose() -> None:
    limits = Limits(notional_per_account=Decimal(57_839))
    held, waiting = opened(rules=ruled(SPREADS, limits=limits)), spread_desk(rules=ruled(SPREADS, limits=limits))
    waiting.open()

    assert "notional_per_account: 57840.00 over 57839" in refusal(held, key="another")
    assert "notional_per_account: 57840.00 over 57839" in refusal(waiting, key="another")
    assert refusal(held, key="a smaller one", quantity="2") == ""


def test_a_single_option_that_is_held_counts_with_all_that_its_price_stands_for() -> None:
    """The toy broker lists it at 100 a share: 10,000 for each contract."""
    limits = Limits(notional_per_account=Decimal(28_920 + 29_999))
    desk = spread_desk(rules=ruled(SPREADS, limits=limits), net={at("C", 3900): Decimal(3)})

    assert "notional_per_account: 58920.00 over 58919" in refusal(desk)


def against_with(**account: Any) -> tuple[str, ...]:
    """What speaks against three spreads of an account like this; they may lose 28,920."""
    desk = spread_desk()
    desk.read()
    given: dict[str, Any] = {"buying_power": Decimal(10**6), "currency": "USD", "blocked": False, **account}
    s = desk.situation()
    s = replace(s, snapshot=replace(s.snapshot, account=AccountRead(equity=Decimal(0), **given)))
    legs = (leg(-1, "P", 3800), leg(1, "P", 3700))
    asked = AskedStructure(legs=legs, units=Decimal(3), strategy="", key="k", limit=Decimal("3.60"))
    return reasons_against_structure(s, asked)


def test_a_broker_that_has_blocked_trading_opens_no_spread() -> None:
    found = against_with(blocked=True, reason="too many day trades")

    assert found == ("the broker has blocked trading: too many day trades",)


def test_options_are_held_to_what_the_broker_lets_options_take() -> None:
    """Tradier names half of a margin account's buying power for them."""
    assert against_with(buying_power=Decimal(28_920)) == ()
    assert against_with(options_power=Decimal(28_920)) == ()
    found = against_with(options_power=Decimal(28_919))

    assert found == ("buying power: it may lose 28920.00, over 28919",)


def test_what_is_bought_has_no_stop_at_the_whole_of_its_price() -> None:
    desk = spread_desk()
    desk.read()
    legs = (leg(1, "P", 3800), leg(-1, "P", 3700))
    asked = AskedStructure(
        legs=legs, units=Decimal(1), strategy="", key="k", limit=Decimal("-4.20"), stop_loss=Decimal("1.5")
    )

    found = reasons_against_structure(desk.situation(), asked)
    assert "stop_loss 150% is the whole entry price or more: it would have no stop" in found


def test_a_structure_counts_as_one_position() -> None:
    desk = opened(rules=ruled(SPREADS, limits=Limits(open_positions=2)))

    assert refusal(desk, key="another") == ""
    assert "open_positions: 2 of 2" in refusal(desk, key="a third")


def test_leg_by_leg_it_has_to_bring_what_is_asked_for_now() -> None:
    assert "it brings 3.60 now, less than the 3.70" in refusal(spread_desk(ALONE), credit="3.70")
    assert refusal(spread_desk(ALONE), credit="3.60") == ""


def test_without_a_quote_of_every_leg_only_a_limit_for_the_whole_can_be_judged() -> None:
    assert "no usable quote of every leg" in refusal(spread_desk(sights={}), credit="")
    assert "no usable quote of every leg" in refusal(spread_desk(ALONE, sights={}))
    assert refusal(spread_desk(sights={})) == ""


def test_what_would_have_to_be_flat_at_once_is_not_opened() -> None:
    ending = replace(SPREADS, expiring_flat_by=FlatBy(time(15, 10), NEW_YORK))
    late = datetime.combine(NOW.date(), time(15, 10), NEW_YORK).astimezone(UTC)

    assert "has to be flat by now" in refusal(spread_desk(rules=ruled(ending), now=late))
    assert refusal(spread_desk(rules=ruled(ending))) == ""


def test_a_contract_that_is_held_alone_the_other_way_has_to_be_closed_first() -> None:
    desk = spread_desk()
    desk.tell(adopted(2, "4.50", holding=SOLD))

    assert "is held the other way: close it first" in refusal(desk)


def test_a_leg_is_not_closed_alone_by_an_act() -> None:
    desk = opened()

    (taken, done) = desk.act("close", position=desk.leg(SOLD))

    assert isinstance(taken, j.RequestTaken)
    assert isinstance(done, j.RequestDone)
    assert f"is a leg of {desk.structure.id}" in done.detail


def test_its_stop_may_be_chosen_as_a_net_price() -> None:
    desk = opened()

    desk.act("protect", position=desk.structure.id, stop="-4.00", target="-1")
    assert (desk.structure.stop, desk.structure.target) == (Decimal("-4.00"), Decimal(-1))
    desk.sights = prices(("4.70", "4.80"), ("0.70", "0.80"))  # 4.10 to close
    desk.run()

    assert desk.together


# --- a stop and a target of its own -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (
            {"stop": "5.40"},
            "stop 5.40 does not lie below the entry of -3.60; what closing costs is written below nothing",
        ),
        ({"stop": "-3.60"}, "stop -3.60 does not lie below the entry"),
        ({"stop": "-3.70"}, "stop -3.70 does not lie below the -3.80 that closing brings now"),
        ({"target": "-3.65"}, "target -3.65 does not lie above the entry"),
        ({"credit": "", "debit": "", "stop": "-3.50"}, "stop -3.50 does not lie below the entry of -3.60"),
    ],
)
def test_a_stop_or_target_that_would_fire_at_once_is_refused(asked: dict[str, str], why: str) -> None:
    assert why in refusal(spread_desk(), **asked)


def test_a_spread_is_opened_with_a_stop_and_a_target_of_its_own() -> None:
    desk = opened()
    plain = desk.structure
    assert (plain.stop, plain.target) == (None, None)

    chosen = spread_desk()
    assert refusal(chosen, stop="-5.00", target="-1.80") == ""

    assert (chosen.structure.stop, chosen.structure.target) == (Decimal("-5.00"), Decimal("-1.80"))


def protected(desk: SpreadDesk, **prices: str) -> str:
    facts = desk.act("protect", position=desk.structure.id, **prices)
    return next(fact.detail for fact in facts if isinstance(fact, j.RequestDone))


def test_what_closing_costs_is_protected_by_a_price_below_nothing_and_the_other_one_stays() -> None:
    desk = opened()

    assert "stop -5.00, target by policy" in protected(desk, stop="-5.00")
    assert "stop -5.00, target 0" in protected(desk, target="0")
    assert (desk.structure.stop, desk.structure.target) == (Decimal("-5.00"), Decimal(0))
    assert "stop -4.50, target 0" in protected(desk, stop="-4.50")
    assert "stop by policy, target by policy" in protected(desk)


@pytest.mark.parametrize(
    ("prices", "why"),
    [
        ({"stop": "5.00"}, "does not lie below the -3.80 that closing brings now; what closing costs is written below"),
        ({"stop": "-3.80"}, "does not lie below the -3.80"),
        ({"target": "-4.00"}, "does not lie above the -3.80"),
        ({"none": "true"}, "it is not left without"),
    ],
)
def test_protection_that_would_close_it_at_once_is_refused(prices: dict[str, str], why: str) -> None:
    assert why in protected(opened(), **prices)
