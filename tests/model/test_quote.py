"""Tests of `model/quote.py`: what a quote says, and for how long."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from standfast.model.quote import Quote

NOW = datetime(2026, 10, 8, 19, 53, tzinfo=UTC)
LIMIT = timedelta(seconds=15)


def received(ago: timedelta) -> Quote:
    return Quote(Decimal("1.00"), Decimal("1.10"), NOW, NOW - ago)


@pytest.mark.parametrize(("ago", "fresh"), [(0, True), (15, True), (16, False), (-2, True), (-16, False)])
def test_a_quote_is_fresh_for_so_long(ago: int, *, fresh: bool) -> None:
    assert received(timedelta(seconds=ago)).is_fresh(NOW, LIMIT) is fresh


def test_one_of_before_the_clock_was_put_back_is_not_fresh_for_as_long_as_that() -> None:
    """Found by simulation: received while the clock ran a day ahead, a leg's quote was believed for eleven minutes."""
    quote = received(timedelta(days=-1))

    assert not quote.is_fresh(NOW, LIMIT)
    assert quote.age(NOW) == "the last quote is of before the clock was put back"
    assert received(LIMIT).age(NOW) == "last quote 15 s old"
