"""Prices written down come out as written, when written."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.script import Row, Script, mids
from tests.exchange.recordings import utc

D = Decimal
START = utc("2024-11-26 15:00")
SECOND = timedelta(seconds=1)


def spy(*rows: Row, every: timedelta | None = SECOND, seconds: int = 5, start: datetime = START) -> list[FileQuote]:
    return list(Script({"SPY": rows}, every=every).quotes(start, start + seconds * SECOND))


def shown(quotes: list[FileQuote]) -> list[tuple[float, Decimal | None]]:
    return [((quote.at - START) / SECOND, quote.bid) for quote in quotes]


def test_each_row_holds_until_the_next_and_is_quoted_again_and_again() -> None:
    found = spy((timedelta(0), "100.00", "100.02"), (3 * SECOND, "97", "97.02"))

    assert shown(found) == [(0, D(100)), (1, D(100)), (2, D(100)), (3, D(97)), (4, D(97))]
    assert found[0] == FileQuote(START, "SPY", D("100.00"), D("100.02"), D(1000), D(1000))


def test_a_row_between_two_beats_is_quoted_at_its_own_time_too() -> None:
    found = spy((timedelta(0), 100, 101), (1.5 * SECOND, 97, 98), seconds=3)

    assert shown(found) == [(0, D(100)), (1, D(100)), (1.5, D(97)), (2, D(97))]


def test_without_a_beat_each_row_is_quoted_once() -> None:
    assert shown(spy((timedelta(0), 100, 101), (3 * SECOND, 97, 98), every=None)) == [(0, D(100)), (3, D(97))]


def test_the_row_in_force_at_the_start_comes_first() -> None:
    rows: list[Row] = [(START, 100, 101), (START + 10 * SECOND, 97, 98), (START + 60 * SECOND, 96, 97)]

    assert shown(spy(*rows, every=None, start=START + 12 * SECOND)) == [(12, D(97))]
    assert shown(spy(*rows, every=2 * SECOND, start=START + 9 * SECOND, seconds=3)) == [
        (9, D(100)),
        (10, D(97)),
        (11, D(97)),
    ]


def test_before_its_first_row_an_instrument_is_silent() -> None:
    assert shown(spy((2 * SECOND, 100, 101), seconds=4)) == [(2, D(100)), (3, D(100))]
    assert spy((20 * SECOND, 100, 101)) == []
    assert spy() == []


def test_two_nones_are_silence_and_one_is_a_missing_side() -> None:
    found = spy((timedelta(0), 100, 101), (SECOND, None, None), (3 * SECOND, None, 101))

    assert [(quote.at - START) / SECOND for quote in found] == [0, 3, 4]
    assert found[1] == FileQuote(START + 3 * SECOND, "SPY", None, D(101), None, D(1000))


def test_instruments_come_in_alphabetical_order_within_an_instant() -> None:
    script = Script({"SPY": [(timedelta(0), 1, 2)], "AAPL": [(timedelta(0), 3, 4)]})

    found = [(quote.at - START, quote.instrument) for quote in script.quotes(START, START + 2 * SECOND)]

    assert found == [(n * SECOND, name) for n in range(2) for name in ("AAPL", "SPY")]


def test_rows_that_go_back_in_time_are_refused() -> None:
    with pytest.raises(ValueError, match="SPY: rows are not in time order"):
        spy((SECOND, 1, 2), (timedelta(0), 1, 2))


def test_a_float_is_no_price() -> None:
    with pytest.raises(TypeError, match="is a float"):
        Script({"SPY": [(SECOND, 100.1, 101)]})  # type: ignore[list-item]  # the point of the test


def test_mids_are_spread_outwards_to_the_tick() -> None:
    assert mids([(SECOND, "100.005"), (2 * SECOND, 97)], spread="0.02") == [
        (SECOND, D("99.99"), D("100.02")),
        (2 * SECOND, D("96.99"), D("97.01")),
    ]


def test_mids_with_a_beat_draw_straight_lines() -> None:
    rows = mids([(timedelta(0), 100), (4 * SECOND, 98), (5 * SECOND, 98)], spread="0.02", every=SECOND)

    assert [bid for _, bid, _ in rows] == [D(p) for p in ("99.99", "99.49", "98.99", "98.49", "97.99", "97.99")]
    assert [when for when, _, _ in rows] == [n * SECOND for n in range(6)]


def test_a_line_between_a_moment_and_a_time_since_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="no line from"):
        mids([(timedelta(0), 100), (START, 98)], spread="0.02", every=SECOND)
