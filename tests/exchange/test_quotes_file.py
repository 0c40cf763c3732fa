"""Recorded quotes: exact prices, right times, lazy, and no row believed that is not understood."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.quotes_file import FileQuote, quotes
from standfast.exchange.quotes_name import UnreadableQuotes
from tests.exchange.recordings import utc, write_zip

OPEN = 34_200_000  # 09:30 in milliseconds
BAR = f"{OPEN},1000000,1002000,999000,1001000,5,1000100,1002200,999300,1001100,7\n"
D = Decimal


def second_file(folder: Path, text: str, day: str = "20131007") -> Path:
    return write_zip(folder / "spy" / "second" / f"{day}_quote.zip", **{f"{day}_spy_second_quote": text})


def tick_file(folder: Path, text: str) -> Path:
    return write_zip(folder / "bac" / "tick" / "20131007_quote.zip", **{"20131007_bac_Quote_Tick": text})


def test_a_bar_gives_its_close_at_its_end(tmp_path: Path) -> None:
    assert list(quotes(second_file(tmp_path, BAR))) == [
        FileQuote(utc("2013-10-07 13:30:01"), "SPY", D("100.1"), D("100.11"), D(5), D(7))
    ]


def test_a_rising_bar_goes_by_its_low_a_falling_one_by_its_high(tmp_path: Path) -> None:
    falling = f"{OPEN + 1000},1001000,1003000,998000,1000000,5,1001100,1003100,998100,1000100,7\n"

    found = list(quotes(second_file(tmp_path, BAR + falling), within_bar="ohlc"))

    assert [quote.bid for quote in found] == [D(p) for p in ("100", "99.9", "100.2", "100.1")] + [
        D(p) for p in ("100.1", "100.3", "99.8", "100")
    ]
    assert [quote.at - utc("2013-10-07 13:30") for quote in found] == [
        n * timedelta(milliseconds=250) for n in range(8)
    ]


def test_a_side_without_quote_is_none(tmp_path: Path) -> None:
    (found,) = quotes(second_file(tmp_path, f"{OPEN},,,,,0,1000100,1002200,999300,1001100,7\n"))

    assert (found.bid, found.ask, found.is_two_sided) == (None, D("100.11"), False)


def test_a_tick_changes_one_side_and_leaves_the_other(tmp_path: Path) -> None:
    text = f"{OPEN},0,0,140200,500,Q,1,0\n{OPEN + 5},138400,700,0,0,P,1,0\n{OPEN + 5},0,0,139500,200,P,1,0\n"

    assert list(quotes(tick_file(tmp_path, text))) == [
        FileQuote(utc("2013-10-07 13:30"), "BAC", None, D("14.02"), None, D(500)),
        FileQuote(utc("2013-10-07 13:30:00.005"), "BAC", D("13.84"), D("14.02"), D(700), D(500)),
        FileQuote(utc("2013-10-07 13:30:00.005"), "BAC", D("13.84"), D("13.95"), D(700), D(200)),
    ]


def test_suspicious_ticks_are_dropped_and_counted(tmp_path: Path) -> None:
    text = f"{OPEN},138400,700,140200,500,Q,1,0\n{OPEN},1,700,0,0,P,1,1\n{OPEN},0,0,139500,200,P,1,0\n"
    stream = quotes(tick_file(tmp_path, text))

    assert [(quote.bid, quote.ask) for quote in stream] == [(D("13.84"), D("14.02")), (D("13.84"), D("13.95"))]
    assert stream.dropped == 1


def test_contracts_of_one_file_come_merged_in_time_and_name_order(tmp_path: Path) -> None:
    contract = "20210106_spxw_minute_quote_european_{}_{}_20210106"
    path = write_zip(
        tmp_path / "20210106_quote_european.zip",
        **{contract.format("put", 38000000): BAR + BAR.replace(str(OPEN), str(OPEN + 120_000))},
        **{contract.format("call", 37000000): BAR + BAR.replace(str(OPEN), str(OPEN + 60_000))},
    )

    assert [(quote.at.minute, quote.instrument) for quote in quotes(path)] == [
        (31, "SPXW210106C03700000"),
        (31, "SPXW210106P03800000"),
        (32, "SPXW210106C03700000"),
        (33, "SPXW210106P03800000"),
    ]
    assert [quote.at.minute for quote in quotes(path, "SPXW210106P03800000")] == [31, 33]


def test_crypto_is_plain_decimals_in_utc(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "20221213_quote.zip",
        **{"20221213_adausdt_minute_quote_perp": "60000,0.3067,0.3071,0.3067,0.307,3.5,0.3068,0.31,0.3068,0.3071,1\n"},
    )

    assert list(quotes(path)) == [
        FileQuote(utc("2022-12-13 00:02"), "ADA/USDT:USDT", D("0.307"), D("0.3071"), D("3.5"), D(1))
    ]


def test_a_plain_csv_reads_like_a_zip(tmp_path: Path) -> None:
    plain = tmp_path / "20131007_spy_second_quote.csv"
    plain.write_text(BAR, "utf-8")

    assert list(quotes(plain)) == list(quotes(second_file(tmp_path, BAR)))
    unnamed = tmp_path / "mine.csv"
    unnamed.write_text(BAR, "utf-8")
    given_by_hand = quotes(unnamed, "SPY", datetime(2013, 10, 7, tzinfo=UTC).date(), resolution="second")
    assert list(given_by_hand) == list(quotes(plain))


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        ("20240308", "2024-03-08 14:30:01"),
        ("20240310", "2024-03-10 13:30:01"),  # the clocks went forward this morning
        ("20240311", "2024-03-11 13:30:01"),
        ("20241101", "2024-11-01 13:30:01"),
        ("20241103", "2024-11-03 14:30:01"),  # and back on this one
        ("20241104", "2024-11-04 14:30:01"),
    ],
)
def test_half_past_nine_is_half_past_nine_whatever_the_clocks_did(tmp_path: Path, day: str, opens: str) -> None:
    (found,) = quotes(second_file(tmp_path, BAR, day))

    assert found.at == utc(opens)


def test_the_hour_before_a_change_of_the_clocks_has_the_old_offset(tmp_path: Path) -> None:
    hour = 3_600_000
    rows = "".join(BAR.replace(str(OPEN), str(n * hour), 1) for n in (1, 3))

    assert [q.at for q in quotes(second_file(tmp_path, rows, "20240310"))] == [
        utc("2024-03-10 06:00:01"),
        utc("2024-03-10 07:00:01"),
    ]
    assert [q.at for q in quotes(second_file(tmp_path, rows, "20241103"))] == [
        utc("2024-11-03 05:00:01"),
        utc("2024-11-03 08:00:01"),
    ]


def test_a_wall_time_the_clocks_skipped_is_refused(tmp_path: Path) -> None:
    rows = BAR.replace(str(OPEN), str(9_000_000), 1)

    with pytest.raises(UnreadableQuotes, match="02:30:00 does not exist in New York on 2024-03-10"):
        list(quotes(second_file(tmp_path, rows, "20240310")))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (f"{OPEN + 1},1,2,3", "expected 11"),
        (BAR.strip() + ",9", "expected 11"),
        (BAR.strip().replace("1001000", "100.1"), "'100.1' is not a whole number"),
        (BAR.strip().replace("1001000", "-5"), "'-5' is not a whole number"),
        (BAR.strip().replace("1001000", "nan"), "'nan' is not a whole number"),
        (BAR.strip().replace(",5,", ",x,"), "'x' is not a number"),
        (BAR.strip().replace(",5,", ",-1,"), "'-1' is not a finite number of zero or more"),
        (BAR.strip().replace(",5,", ",Infinity,"), "'Infinity' is not a finite number"),
        (BAR.strip().replace(str(OPEN), "86400000"), "'86400000' is not a number of milliseconds within a day"),
        (BAR.strip().replace(str(OPEN), str(OPEN - 1000)), "time goes back"),
        ("", "expected 11"),
        ("\xff", "ascii"),
    ],
)
@pytest.mark.parametrize("within_bar", ["close", "ohlc"])
def test_a_bad_row_is_refused_by_file_row_and_value(tmp_path: Path, row: str, complaint: str, within_bar: str) -> None:
    path = second_file(tmp_path, BAR + row + "\n")
    wanted = "11" if complaint == "expected 11" else complaint

    with pytest.raises(UnreadableQuotes, match=wanted) as refused:
        list(quotes(path, within_bar="ohlc" if within_bar == "ohlc" else "close"))

    assert f"{path}!20131007_spy_second_quote.csv, row" in str(refused.value)
    assert row.isascii() is False or "row 2: " in str(refused.value)
    assert row.isascii() is False or repr(row) in str(refused.value)


def test_a_tick_row_with_an_unknown_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableQuotes, match="row 1: suspicious is '2', not 0 or 1"):
        list(quotes(tick_file(tmp_path, f"{OPEN},1,1,1,1,P,1,2\n")))


def test_a_missing_a_broken_and_an_empty_archive_each_say_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        quotes(tmp_path / "spy" / "second" / "20131007_quote.zip")
    broken = tmp_path / "spy" / "second" / "20131008_quote.zip"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a zip")
    with pytest.raises(UnreadableQuotes, match="not a zip file"):
        quotes(broken)
    with pytest.raises(UnreadableQuotes, match="holds no CSV"):
        quotes(write_zip(tmp_path / "20131007_quote.zip"))


def test_a_damaged_member_is_refused_at_its_end(tmp_path: Path) -> None:
    path = second_file(tmp_path, BAR)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1001100,7", b"1001200,7", 1))

    with pytest.raises(UnreadableQuotes, match="Bad CRC"):
        list(quotes(path))


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 86_399))
def test_every_price_and_time_comes_out_exact(
    tmp_path_factory: pytest.TempPathFactory, bid: int, size: int, second: int
) -> None:
    bar = f"{second * 1000},{bid},{bid},{bid},{bid},{size},{bid},{bid},{bid},{bid},{size}\n"
    (found,) = quotes(second_file(tmp_path_factory.mktemp("bar"), bar))

    assert found.bid is not None
    assert (found.bid * 10_000, found.bid_size) == (Decimal(bid), Decimal(size))
    assert found.at == utc("2013-10-07 04:00") + timedelta(seconds=second + 1)


def test_reading_is_lazy_and_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    text = "".join(BAR.replace(str(OPEN), str(n * 1000), 1) for n in range(86_400))
    stream = quotes(second_file(tmp_path, text))

    tracemalloc.start()
    count = sum(1 for _ in stream)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 86_400
    assert peak < len(text) / 5


@pytest.mark.parametrize(
    ("path", "rows", "first", "last"),
    [
        ("equity/spy/second/20131007_quote.zip", 27_409, "2013-10-07 08:00:01", "2013-10-08 00:00:01"),
        ("equity/spy/minute/20131008_quote.zip", 910, "2013-10-08 08:01", "2013-10-09 00:01"),
        ("equity/bac/tick/20131007_quote.zip", 476_855, "2013-10-07 08:00:00.151", "2013-10-08 00:00:00.601"),
        ("indexoption/spxw/20210106_quote_european.zip", 6_305, "2021-01-06 14:31", "2021-01-06 21:15"),
        ("cryptofuture/bybit/btcusdt/20221213_quote.zip", 460, "2022-12-13 00:01", "2022-12-13 12:01"),
    ],
)
def test_real_files_read_whole_and_in_order(shared: Path, path: str, rows: int, first: str, last: str) -> None:
    found = list(quotes(shared / "data/market" / path))

    assert len(found) == rows
    assert (found[0].at, found[-1].at) == (utc(first), utc(last))
    assert all(earlier.at <= later.at for earlier, later in pairwise(found))


def test_the_real_crash_of_an_afternoon_is_in_the_put(shared: Path) -> None:
    """2021-01-06: from 14:10 to 15:00 New York the bid of the 3800 put expiring that day more than doubles."""
    put = list(quotes(shared / "data/market" / "indexoption/spxw/20210106_quote_european.zip", "SPXW210106P03800000"))
    bids = {quote.at: quote.bid for quote in put}

    before, after = bids[utc("2021-01-06 19:10")], bids[utc("2021-01-06 20:00")]
    assert before is not None
    assert after is not None
    assert after > 2 * before
