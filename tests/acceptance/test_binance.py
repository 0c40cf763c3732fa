"""A guard at a served Binance USD-M whose orders are in doubt."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.perpetuals import NAME, BinancePlace, lost_answers
from tests.acceptance.stage import WAIT, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[BinancePlace]:
    found = BinancePlace(tmp_path)
    with found:
        yield found


@lost_answers
def test_orders_whose_answers_are_lost_are_never_doubled(place: BinancePlace, fault: dict[str, object]) -> None:
    """Client ids may be used again here: what is in doubt is looked for, and not sent again."""
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "submit", "fault": fault, "count": 1})

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    assert len(venue.resting()) == 1
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)
    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})
    assert venue.traded() == Decimal("0.04")
