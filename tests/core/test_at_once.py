"""Tests of `core/at_once.py`: a stop inside the quotes loses their width each time, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.at_once import Exits, entered, fires_at_once
from standfast.core.gate_structures import AskedStructure, reasons_against_structure
from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Levels
from standfast.core.worth import Sides
from standfast.model.greeks import Greeks
from standfast.model.position import CloseReason
from tests.core.situations import D, folded, quoted, ruled, situation
from tests.core.spreads import BOUGHT, SOLD, SPREADS, spread_desk
from tests.core.structures import leg
from tests.core.test_gate import against
from tests.core.test_gate_structures import refusal

HOUR = timedelta(hours=1)
TIGHT = Policy(name="default", stop_loss=D("0.02"))


def test_what_is_asked_for_is_entered_at_its_price_or_at_what_is_offered() -> None:
    now = Sides(D("-3.80"), D("-3.60"))

    assert entered(None, now) == (D("-3.60"), now)
    assert entered(D("-3.50"), now) == (D("-3.60"), now)
    assert entered(D("-3.70"), now) == (D("-3.70"), now)
    assert entered(D("-4"), now) == (D("-4"), Sides(D("-4.10"), D("-3.90")))


def exits(stop: str | None = None, emergency: str | None = None, **policy: object) -> Exits:
    at = Levels(
        stop=D(stop) if stop else None,
        stop_reason=CloseReason.STOP_LOSS,
        emergency=D(emergency) if emergency else None,
        target=None,
    )
    return Exits(at, Policy(name="p", **policy), D(100), D("0.5"))  # type: ignore[arg-type]  # any setting


@pytest.mark.parametrize(
    ("kept", "fires"),
    [
        (exits("99", stop_loss=D("0.01"), held_by=HeldBy.BROKER), True),
        (exits("98.9", stop_loss=D("0.011"), held_by=HeldBy.BROKER), False),
        (exits("99", stop_loss=D("0.01"), held_by=HeldBy.GUARD), False),
        (exits("99.5", stop_loss=D("0.005"), held_by=HeldBy.GUARD), True),
        (exits("99.5", stop_loss=D("0.005"), emergency_stop=D("0.4"), minimum_hold=HOUR, held_by=HeldBy.GUARD), False),
        (exits(None, "99.5", emergency_stop=D("0.005"), held_by=HeldBy.GUARD, minimum_hold=HOUR), True),
        (exits(), False),
    ],
    ids=["rests inside", "rests outside", "wide, judged at the mid", "beyond the mid", "later", "not later", "none"],
)
def test_a_stop_fires_where_it_would_be_judged(kept: Exits, *, fires: bool) -> None:
    """Bought at 100, worth 99 bid and 100 asked."""
    found = list(fires_at_once(kept, Sides(D(99), D(100))))

    assert bool(found) is fires
    assert all("wider stop" in each for each in found)


@given(st.integers(1, 400), st.integers(1, 100), st.sampled_from(HeldBy))
def test_whatever_is_let_through_is_not_closed_by_the_quotes_it_was_opened_at(
    cents: int, stop: int, held: HeldBy
) -> None:
    width, distance = Decimal(cents) / 100, Decimal(stop) / 1000
    kept = exits(str(100 - 100 * distance), stop_loss=distance, held_by=held)._replace(wide_from=Decimal(1))
    after = Sides(100 - width, D(100))

    if not list(fires_at_once(kept, after)) and (held is HeldBy.BROKER or width <= 100 * distance):
        assert after.worst > 100 - 100 * distance


# --- through the gates ----------------------------------------------------------------------------


def test_a_spread_whose_policys_stop_lies_inside_its_quotes_is_refused() -> None:
    """Sold for 3.60, closing costs 3.80, in quotes 0.20 wide: 2 % of it are 0.07."""
    desk = spread_desk(rules=ruled(TIGHT))

    why = refusal(desk)

    assert "its stop would close it at once: that stands at -3.672, and closing would bring -3.8 (mid -3.7)" in why
    assert refusal(spread_desk(rules=ruled(TIGHT)), stop="-5", key="its own") == ""
    assert refusal(spread_desk(rules=ruled(SPREADS))) == ""


def test_one_entered_at_even_has_no_share_of_it_for_a_stop() -> None:
    even = {SOLD: quoted("1.00", "1.10"), BOUGHT: quoted("0.90", "1.00")}

    assert "entered at even" in refusal(spread_desk(sights=even), credit="")
    assert "entered at even" not in refusal(spread_desk(sights=even), credit="", stop="-0.60")


def test_one_asked_for_at_the_mid_is_judged_from_there() -> None:
    desk = spread_desk(rules=ruled(Policy(name="p", stop_loss=D("0.03"))))

    assert refusal(desk, credit="3.70") == "", "wide, and judged at the mid: nothing is lost yet"


def test_a_delta_beyond_its_limit_is_refused_where_it_is_known() -> None:
    limited = Policy(name="p", stop_loss=D("0.5"), short_delta_limit=D("0.3"))
    desk = spread_desk(rules=ruled(limited))
    wanted = AskedStructure(
        legs=(leg(-1, "P", 3800), leg(1, "P", 3700)), units=D(1), strategy="s", key="k", limit=D("3.60")
    )
    desk.read()
    known = replace(desk.situation(), greeks={SOLD: Greeks(delta=D("-0.35"), theta=D(-1), at=desk.now)})

    assert reasons_against_structure(desk.situation(), wanted) == ()
    assert reasons_against_structure(known, wanted) == (
        f"the delta of {SOLD} is -0.35: short_delta_limit = 0.3 would close it at once",
    )


@pytest.mark.parametrize("quantity", ["10", "-10"])
def test_a_single_position_whose_stop_lies_inside_its_quotes_is_refused(quantity: str) -> None:
    wide, narrow = {"bid": "99", "ask": "101"}, {"bid": "99.90", "ask": "100.10"}
    held = Policy(name="default", stop_loss=D("0.01"), held_by=HeldBy.BROKER)

    def found(quote: dict[str, str]) -> tuple[str, ...]:
        sights = {each: quoted(quote["bid"], quote["ask"]) for each in situation(folded()).sights}
        return against(situation(folded(), sights=sights, policy=held), quantity=quantity)

    assert any("its stop would close it at once" in why for why in found(wide))
    assert found(narrow) == ()
