"""What a quote file holds is read from its names, and names that disagree are refused."""

from datetime import date
from pathlib import Path

import pytest

from standfast.exchange.quotes_name import Contents, UnreadableQuotes, contents_of


def told(path: str, name: str, instrument: str | None = None) -> Contents:
    (contents,) = contents_of(Path(path), [name], instrument=instrument, day=None, resolution=None)
    return contents


@pytest.mark.parametrize(
    ("path", "name", "instrument", "day", "resolution", "is_crypto"),
    [
        ("equity/spy/second/20131007_quote.zip", "20131007_spy_second_quote.csv", "SPY", "2013-10-07", "second", False),
        ("equity/usa/minute/brk.b/20131007_quote.zip", "x.csv", "BRK.B", "2013-10-07", "minute", False),
        ("equity/bac/tick/20131007_quote.zip", "20131007_bac_Quote_Tick.csv", "BAC", "2013-10-07", "tick", False),
        (
            "indexoption/spxw/20210106_quote_european.zip",
            "20210106_spxw_minute_quote_european_put_38000000_20210106.csv",
            "SPXW210106P03800000",
            "2021-01-06",
            "minute",
            False,
        ),
        (
            "option/usa/minute/f/20140606_quote_american.zip",
            "20140606_f_minute_quote_american_call_125000_20140719.csv",
            "F140719C00012500",
            "2014-06-06",
            "minute",
            False,
        ),
        (
            "cryptofuture/bybit/btcusdt/20221213_quote.zip",
            "20221213_btcusdt_minute_quote_perp.csv",
            "BTC/USDT:USDT",
            "2022-12-13",
            "minute",
            True,
        ),
        ("x/20221213_btcusd_minute_quote_perp.csv", "", "BTC/USD:BTC", "2022-12-13", "minute", True),
        ("crypto/kraken/second/ethusd/20221213_quote.zip", "x.csv", "ETH/USD", "2022-12-13", "second", True),
    ],
)
def test_day_instrument_resolution_and_unit_stand_in_the_names(
    path: str, name: str, instrument: str, day: str, resolution: str, *, is_crypto: bool
) -> None:
    found = told(path, name or Path(path).name)

    assert (found.instrument, found.day, found.resolution, found.is_crypto) == (
        instrument,
        date.fromisoformat(day),
        resolution,
        is_crypto,
    )


@pytest.mark.parametrize(
    ("path", "name", "complaint"),
    [
        ("spy/second/20131008_quote.zip", "20131007_spy_second_quote.csv", "day is 2013-10-07 and also 2013-10-08"),
        ("spy/minute/20131007_quote.zip", "20131007_spy_second_quote.csv", "resolution is second and also minute"),
        ("spy/minute/20131307_quote.zip", "x.csv", "20131307 is not a day"),
        ("spy/minute/x.zip", "x.csv", "which day"),
        ("spy/20131007_quote.zip", "x.csv", "which instrument"),
        ("crypto/a/minute/abc/20131007_quote.zip", "x.csv", "abc does not end in a known currency"),
        ("o/1.zip", "20210106_x_minute_quote_european_put_38000001_20210106.csv", "finer than OSI"),
    ],
)
def test_names_that_disagree_or_leave_a_question_are_refused(path: str, name: str, complaint: str) -> None:
    with pytest.raises(UnreadableQuotes, match=complaint):
        told(path, name)


def test_a_name_given_names_what_the_file_leaves_unsaid() -> None:
    (found,) = contents_of(Path("mine.csv"), ["mine.csv"], instrument="SPY", day=date(2024, 1, 2), resolution="minute")

    assert (found.instrument, found.day, found.resolution) == ("SPY", date(2024, 1, 2), "minute")


def test_two_members_cannot_both_be_one_instrument() -> None:
    path = Path("equity/es/minute/20131007_quote.zip")

    with pytest.raises(UnreadableQuotes, match="several members of one instrument"):
        contents_of(path, ["a.csv", "b.csv"], instrument=None, day=None, resolution=None)


def test_a_contract_that_is_not_there_is_refused_with_what_is() -> None:
    name = "20210106_spxw_minute_quote_european_put_38000000_20210106.csv"

    with pytest.raises(UnreadableQuotes, match="no quotes of SPXW210106P03700000, only of SPXW210106P03800000"):
        told("o/20210106_quote_european.zip", name, "SPXW210106P03700000")
