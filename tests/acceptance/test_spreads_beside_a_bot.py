"""A bot trades the spread that is guarded: it rests its own close, rolls it, or has it filled bit by bit."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.model.journal import CloseRequested, PositionSettled
from tests.acceptance.stage import Guard, until
from tests.acceptance.test_found_spreads import BOUGHT, LOWER, PRICES, SOLD, Market
from tests.acceptance.test_spreads import bought_by_a_bot
from tests.acceptance.test_tradier import Venue

POLICY = """\
match = { kind = "option" }
exits_held_by = "guard"
stop_loss = "50%"
[[policies]]
name = "rest"
match = { account = "*" }
"""


LOWEST = "SPXW260105P06585000"
CALL, FAR = "SPXW260105C06950000", "SPXW260105C07050000"


class Chain(Market):
    prices = PRICES | {LOWEST: ("0.10", "0.15"), CALL: ("3.00", "3.10"), FAR: ("0.50", "0.60")}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Market]:
    found = Chain(tmp_path)
    with found:
        yield found


def multileg(venue: Venue, kind: str, price: str, *legs: tuple[str, str, int], duration: str = "day") -> int:
    form = {"class": "multileg", "symbol": "SPX", "type": kind, "price": price, "duration": duration}
    for place, (name, side, quantity) in enumerate(legs):
        form |= {f"option_symbol[{place}]": name, f"side[{place}]": side, f"quantity[{place}]": str(quantity)}
    return venue.order(**form)


def begun(desk: Market) -> tuple[Venue, Guard]:
    """A bot's spread, sold for 3.70, is one structure in the books."""
    venue = desk.venue()
    desk.at(venue, POLICY)
    guard = desk.guarded()
    bought_by_a_bot(venue)
    until(lambda: desk.book().state.structures, "the structure", told=guard.tail)
    return venue, guard


def test_the_close_that_a_bot_has_resting_does_not_keep_the_guard_in(desk: Market) -> None:
    venue, guard = begun(desk)
    multileg(venue, "debit", "0.50", (SOLD, "buy_to_close", 3), (BOUGHT, "sell_to_close", 3), duration="gtc")
    until(lambda: len(venue.resting()) == 1, "the bot's close to rest")

    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "7.50", "7.60")

    until(
        lambda: desk.held() == {} == venue.positions(),
        "the spread to be closed",
        told=lambda: (venue.rows(), guard.tail()),
    )
    assert venue.resting() == []
    asked = [fact for fact in desk.facts(CloseRequested) if fact.reason == "stop_loss"]
    assert len(asked) == 1
    assert desk.facts(PositionSettled)


def test_a_roll_in_one_order_is_a_close_and_another_structure(desk: Market) -> None:
    venue, guard = begun(desk)
    (first,) = desk.book().state.structures

    multileg(
        venue,
        "debit",
        "12.00",
        (SOLD, "buy_to_close", 3),
        (BOUGHT, "sell_to_close", 3),
        (LOWER, "sell_to_open", 2),
        (LOWEST, "buy_to_open", 2),
    )

    until(lambda: first in desk.book().state.closed_structures, "the first to be closed", told=guard.tail)
    (structure,) = until(lambda: list(desk.book().state.structures.values()), "the second", told=guard.tail)
    assert {leg.holding.instrument: leg.ratio for leg in structure.legs} == {LOWER: -1, LOWEST: 1}
    assert structure.units == Decimal(2)
    assert desk.held() == venue.positions() == {LOWER: Decimal(-2), LOWEST: Decimal(2)}
    assert desk.facts(CloseRequested) == []


def test_one_side_of_a_condor_that_a_bot_has_closed_leaves_a_spread_that_is_kept(desk: Market) -> None:
    venue = desk.venue()
    desk.at(venue, POLICY)
    guard = desk.guarded()
    multileg(
        venue,
        "credit",
        "5.00",
        (SOLD, "sell_to_open", 2),
        (BOUGHT, "buy_to_open", 2),
        (CALL, "sell_to_open", 2),
        (FAR, "buy_to_open", 2),
    )
    (first,) = until(lambda: list(desk.book().state.structures), "the condor", told=guard.tail)

    multileg(venue, "debit", "3.00", (CALL, "buy_to_close", 2), (FAR, "sell_to_close", 2))
    until(lambda: first in desk.book().state.closed_structures, "the condor to be taken apart", told=guard.tail)

    (kept,) = desk.book().state.structures.values()
    assert {leg.holding.instrument: leg.ratio for leg in kept.legs} == {SOLD: -1, BOUGHT: 1}
    assert desk.held() == venue.positions() == {SOLD: Decimal(-2), BOUGHT: Decimal(2)}
    assert desk.facts(CloseRequested) == []
    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "7.50", "7.60")
    until(lambda: desk.held() == {} == venue.positions(), "its stop to close it", told=guard.tail)
