"""Tests of `core/watching.py`: which prices are needed, and which of them wake."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.core.bands import band
from standfast.core.policy import Policy
from standfast.core.watching import watching
from standfast.model import journal as j
from standfast.model.ids import Holding, InstrumentId
from standfast.model.position import CloseReason
from tests.core.situations import SPY, folded, position, situation
from tests.core.spreads import BOUGHT, SOLD, SpreadDesk, opened
from tests.core.structures import at
from tests.core.test_bands import PLAIN
from tests.core.test_expiring import CLOSE


@pytest.fixture
def desk() -> SpreadDesk:
    return opened()


def test_a_single_position_is_watched_within_its_band() -> None:
    s = situation(folded(*position(10)), policy=PLAIN)

    found = watching(s, [SPY])

    assert found.bands == {SPY: band(s, SPY)}
    assert found.beside == {SPY: frozenset()}
    assert found.bounds == {}


def test_a_leg_wakes_by_no_price_of_its_own_and_its_structure_by_the_net_price(desk: SpreadDesk) -> None:
    found = watching(desk.situation(), [SOLD, BOUGHT, desk.structure.holding])

    for leg in (SOLD, BOUGHT):
        known = found.bands[leg]
        assert known is not None
        assert (known.low, known.high) == (-math.inf, math.inf)
        assert known.spread == pytest.approx(0.9)  # half of 3.60, over two legs
    bounds = found.bounds[desk.structure.id]
    assert bounds is not None
    assert bounds.low == pytest.approx(-5.4)


def test_what_is_on_its_way_out_has_no_bounds_and_what_is_gone_is_watched_no_more(desk: SpreadDesk) -> None:
    id, place = desk.structure.id, desk.structure.holding
    desk.tell(j.CloseRequested(position=id, reason=CloseReason.OPERATOR, by="test", detail=""))
    leaving = watching(desk.situation(), [SOLD, place])
    assert leaving.bands[SOLD] is not None
    assert leaving.bounds == {id: None}

    desk.run()
    desk.wait(30)
    desk.run()

    gone = watching(desk.situation(), [SOLD, place])
    assert gone.bands == {SOLD: None}
    assert gone.bounds == {id: None}


def test_a_leg_of_a_structure_without_price_rules_is_watched_for_its_close(desk: SpreadDesk) -> None:
    s = replace(desk.situation(), rules=situation(desk.book, policy=Policy(name="off")).rules)

    found = watching(s, [SOLD, desk.structure.holding])

    known = found.bands[SOLD]
    assert known is not None
    assert known.spread == math.inf
    assert found.bounds == {desk.structure.id: None}


def test_what_lies_under_a_sold_option_is_watched_in_its_last_hour() -> None:
    sold = at("C", 600, root="SPY")
    s = situation(folded(*position(-2, 3, holding=sold)), now=CLOSE - timedelta(hours=1))

    assert watching(s, [sold]).beside == {sold: frozenset({Holding(InstrumentId("SPY"))})}
    early = situation(s.book, now=CLOSE - timedelta(hours=2))
    assert watching(early, [sold]).beside == {sold: frozenset()}


def test_what_lies_under_a_spread_that_ends_in_cash_is_watched_beside_it(desk: SpreadDesk) -> None:
    place, last_hour = desk.structure.holding, CLOSE.replace(hour=20, minute=30)
    s = desk.situation()
    silent = replace(s.contract, tells_movements=False)

    found = watching(replace(s, now=last_hour, contract=silent), [place])

    assert found.beside == {place: frozenset({Holding(InstrumentId("SPX"))})}
