"""Tests of `core/worth.py`: that a structure cannot be judged, said aloud."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from standfast.core.policy import HeldBy, Policy
from standfast.core.short_delta import delta
from standfast.core.situation import Sight, Situation
from standfast.core.worth import (
    blindness,
    watches_structure,
)
from standfast.model.breaks import BreakKind
from standfast.model.greeks import Greeks
from standfast.model.ids import Holding
from standfast.model.position import CloseReason, Closing, Standing
from standfast.model.structure import HeldLeg
from tests.core.situations import NOW, D, after, folded, quoted, situation
from tests.core.structures import at, put_spread

SHORT, LONG = at("P", 3800), at("P", 3700)
SPREAD = Policy(
    name="spreads", held_by=HeldBy.GUARD, stop_loss=D("0.15"), take_profit=D("0.5"), emergency_stop=D("0.4")
)


def seen(quotes: Mapping[Holding, Sight], **changes: Any) -> Situation:
    return situation(folded(), sights=quotes, policy=SPREAD, **changes)


def spread_at(short: tuple[str, str], long: tuple[str, str], **changes: Any) -> Situation:
    return seen({SHORT: quoted(*short), LONG: quoted(*long)}, **changes)


GOOD = quoted("4.50", "4.70")


def test_blindness_names_the_contract_and_the_last_good_price() -> None:
    found = blindness(seen({SHORT: GOOD, LONG: quoted("0.70", "0.75", at=after(-20))}), put_spread(), SPREAD)

    assert found is not None
    assert (found.kind, found.holding, found.subject) == (BreakKind.BLIND, LONG, "p1")
    assert found.evidence == "SPXW260304P03700000: last quote 20 s old; last good price -4.00 (mid -3.875), 20 s old"
    assert found.reported == "no usable quote"


def test_a_structure_that_can_be_judged_is_not_blind() -> None:
    assert blindness(spread_at(("4.50", "4.70"), ("0.80", "0.90")), put_spread(), SPREAD) is None


def test_a_leg_that_is_gone_makes_nothing_blind() -> None:
    """What is left has lost its ratio, which is told; nobody quotes, or needs, what is held no more."""
    sold, bought = put_spread().legs
    lost = replace(put_spread(), legs=(sold, replace(bought, closed=bought.opened)))

    assert blindness(seen({SHORT: GOOD}), lost, SPREAD) is None
    assert blindness(seen({SHORT: GOOD}), put_spread(), SPREAD) is not None


def test_nobody_expects_quotes_where_no_rule_needs_them() -> None:
    nothing = seen({})
    assert blindness(nothing, put_spread(), SPREAD) is not None

    assert blindness(seen({}, is_open=False), put_spread(), SPREAD) is None
    assert blindness(nothing, put_spread(), Policy(name="off")) is None
    assert blindness(nothing, put_spread(0), SPREAD) is None
    assert blindness(nothing, put_spread(standing=Standing.FOREIGN), SPREAD) is None
    leaving = Closing(reason=CloseReason.OPERATOR, by="test", detail="", remain=D(0), at=NOW)
    assert blindness(nothing, put_spread(closing=leaving), SPREAD) is None
    assert not watches_structure(put_spread(), Policy(name="off"))
    assert watches_structure(put_spread(stop=D(-5)), Policy(name="off"))


def test_wide_quotes_are_said_aloud_too() -> None:
    quotes = {
        SHORT: quoted("4.00", "4.60", before=("5.00", "5.60")),
        LONG: quoted("0.80", "0.90", before=("0.80", "0.90")),
    }
    found = blindness(seen(quotes), put_spread(), SPREAD)

    assert found is not None
    assert (found.holding, found.reported) == (SHORT, "judged at the mid")


def test_an_entry_that_cannot_be_judged_by_is_said_aloud() -> None:
    sold, bought = put_spread().legs
    half = replace(put_spread(), legs=(sold, HeldLeg(leg=bought.leg)))

    found = blindness(spread_at(("4.50", "4.70"), ("0.80", "0.90")), half, SPREAD)

    assert found is not None
    assert found.reported == "no entry price to judge it by"


def test_a_delta_that_is_missing_or_old_is_said_aloud() -> None:
    limited = replace(SPREAD, short_delta_limit=D("0.35"))
    quotes = {SHORT: GOOD, LONG: quoted("0.80", "0.90")}
    now = Greeks(delta=D("-0.2"), theta=D(-1), at=NOW)
    old = replace(now, at=NOW - timedelta(hours=2))

    def said(greeks: Mapping[Holding, Greeks]) -> str:
        found = blindness(seen(quotes, greeks=greeks), put_spread(), limited)
        return found.evidence if found is not None else ""

    assert said({SHORT: now}) == ""
    assert said({}) == said({SHORT: old, LONG: now}) == "SPXW260304P03800000: no delta, or an old one"
    assert delta(seen(quotes, greeks={SHORT: now}), SHORT) == D("-0.2")
    assert said({SHORT: replace(now, at=NOW - timedelta(minutes=90))}) == ""
    assert said({SHORT: replace(now, at=NOW - timedelta(minutes=90, seconds=1))})
    short, long = put_spread().legs
    bought_back = replace(put_spread(), legs=(replace(short, closed=D(3)), long))
    assert blindness(seen(quotes), bought_back, limited) is None
