"""A recorded day comes out when asked for, at its own time of day or faster, and begins with what was in force."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.exchange.quotes_file import FileQuote, quotes
from standfast.exchange.replay import Replay
from tests.exchange.recordings import utc, write_zip

D = Decimal
OPEN = 34_200_000
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def bar(seconds: int, price: int) -> str:
    prices = ",".join([str(price * 10_000)] * 4)
    return f"{OPEN + seconds * 1000},{prices},1,{prices},1\n"


def recorded(folder: Path, name: str, text: str, day: str = "20131007") -> Path:
    return write_zip(folder / name / "second" / f"{day}_quote.zip", **{f"{day}_{name}_second_quote": text})


def shown(found: list[FileQuote]) -> list[tuple[str, str, Decimal | None]]:
    return [(f"{quote.at:%m-%d %H:%M:%S.%f}"[:-3], quote.instrument, quote.bid) for quote in found]


def test_what_happened_at_begin_happens_at_the_time_asked_for(tmp_path: Path) -> None:
    path = recorded(tmp_path, "spy", bar(0, 100) + bar(10, 101))
    replay = Replay(path, begin=utc("2013-10-07 13:30:01"), at=utc("2024-11-26 18:00"))

    assert shown(list(replay.quotes(utc("2024-11-26 17:00"), utc("2024-11-26 19:00")))) == [
        ("11-26 18:00:00.000", "SPY", D(100)),
        ("11-26 18:00:10.000", "SPY", D(101)),
    ]


def test_speed_shortens_every_pause(tmp_path: Path) -> None:
    path = recorded(tmp_path, "spy", bar(0, 100) + bar(10, 101) + bar(25, 102))
    replay = Replay(path, begin=utc("2013-10-07 13:30:01"), at=utc("2024-11-26 18:00"), speed=10)

    found = list(replay.quotes(utc("2024-11-26 17:00"), utc("2024-11-26 19:00")))

    assert [quote.at - found[0].at for quote in found] == [timedelta(0), SECOND, 2.5 * SECOND]


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_that_is_not_positive_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="not positive"):
        Replay("x", begin=utc("2013-10-07 13:30"), at=utc("2013-10-07 13:30"), speed=speed)


def test_the_quotes_in_force_at_the_start_come_first(tmp_path: Path) -> None:
    spy = recorded(tmp_path, "spy", bar(0, 100) + bar(10, 101) + bar(30, 102))
    aapl = recorded(tmp_path, "aapl", bar(5, 50) + bar(60, 51))
    replay = Replay.onto([spy, aapl], date(2013, 10, 7))

    assert shown(list(replay.quotes(utc("2013-10-07 13:30:20"), utc("2013-10-07 13:31")))) == [
        ("10-07 13:30:20.000", "AAPL", D(50)),
        ("10-07 13:30:20.000", "SPY", D(101)),
        ("10-07 13:30:31.000", "SPY", D(102)),
    ]


def test_once_the_recording_is_over_there_is_nothing(tmp_path: Path) -> None:
    replay = Replay.onto(recorded(tmp_path, "spy", bar(0, 100)), date(2013, 10, 7))

    assert list(replay.quotes(utc("2013-10-07 14:00"), utc("2013-10-07 15:00"))) == []


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2024, 7, 8), utc("2024-07-08 13:30:01")),
        (date(2024, 11, 26), utc("2024-11-26 14:30:01")),  # winter time: another offset than the recorded day
        (date(2024, 11, 4), utc("2024-11-04 14:30:01")),
    ],
)
def test_half_past_nine_in_new_york_stays_half_past_nine(tmp_path: Path, day: date, opens: object) -> None:
    replay = Replay.onto(recorded(tmp_path, "spy", bar(0, 100)), day)

    (found,) = replay.quotes(utc(f"{day} 00:00"), utc(f"{day} 23:59"))

    assert found.at == opens


def test_crypto_keeps_its_utc_time_of_day(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "20221213_quote.zip", **{"20221213_adausdt_minute_quote_perp": "60000,1,1,1,1,1,2,2,2,2,1\n"}
    )

    (found,) = Replay.onto(path, date(2024, 7, 8)).quotes(utc("2024-07-08 00:00"), utc("2024-07-09 00:00"))

    assert found.at == utc("2024-07-08 00:02")


def test_a_recording_without_quotes_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no quotes"):
        Replay.onto(recorded(tmp_path, "spy", ""), date(2024, 7, 8))


def test_the_real_seconds_of_spy_replay_as_if_today(shared: Path) -> None:
    path = shared / "data/market/equity/spy/second/20131007_quote.zip"
    start = utc("2026-11-23 14:30")  # winter: the recorded day was an hour nearer to UTC

    replayed = list(Replay.onto(path, date(2026, 11, 23)).quotes(start, start + 10 * MINUTE))

    recorded_open = utc("2013-10-07 13:30")
    original = [q for q in quotes(path) if recorded_open <= q.at < recorded_open + 10 * MINUTE]
    assert len(original) > 500
    assert [quote[2:] for quote in replayed] == [quote[2:] for quote in original]
    assert [quote.at - start for quote in replayed] == [quote.at - recorded_open for quote in original]
